"""What the catalogue holds, and what answers are made with."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from recommender.catalog import TrackState
from recommender.recommendation.service import SimilarityService
from recommender.server.answers import answer
from recommender.server.api.common import converter_of, responses
from recommender.server.api.models import Answer
from recommender.utils.names import storable
from recommender.version import __version__

router = APIRouter(tags=["status"])


class LibraryModel(BaseModel):
    """A music folder, with its tracks by state; `root` where paths are shown."""

    id: int
    analysed: int
    missing: int
    unavailable: int
    failed: int
    root: str | None = None


class StatusAnswer(Answer):
    """The catalogue in numbers, its libraries, and the embedding space of similarities."""

    program: str
    version: str
    catalogue: str
    revision: int
    analysed: int
    missing: int
    unavailable: int
    failed_tracks: int
    failures: int
    seconds_of_music: float
    model: str
    space: str
    adapted: bool
    libraries: list[LibraryModel]
    servers: list[str]


@router.get("/status", response_model=StatusAnswer, responses=responses(304))
async def status(request: Request) -> Response:
    """What the catalogue holds."""
    shown = converter_of(request).show_paths
    return await answer(request, lambda service: _status(service, shown), uses_index=True)


@router.get("/genres", response_model=dict[str, int], responses=responses(304))
async def genres(request: Request) -> Response:
    """Tagged genres, with the number of tracks, most frequent first."""

    class _Genres(BaseModel):
        model_config = {"extra": "allow"}

    return await answer(request, lambda service: _Genres(**service.catalog.genres()))


def _status(service: SimilarityService, show_paths: bool) -> StatusAnswer:
    catalog = service.catalog
    counts, state = catalog.counts(), service.state()
    by_library = catalog.library_counts()
    space = service.catalog_index.space
    libraries = [
        LibraryModel(
            id=library.id,
            root=storable(str(library.root)) if show_paths else None,
            **{one.value: by_library.get(library.id, {}).get(one, 0) for one in TrackState},
        )
        for library in catalog.libraries()
    ]
    return StatusAnswer(
        program="recsys",
        version=__version__,
        catalogue=state.catalog,
        revision=state.revision,
        analysed=counts.analysed,
        missing=counts.missing,
        unavailable=counts.unavailable,
        failed_tracks=counts.failed_tracks,
        failures=counts.failures,
        seconds_of_music=counts.seconds_of_music,
        model=space.model,
        space=str(space),
        adapted=getattr(service.projector, "adapted", None) is not None,
        libraries=libraries,
        servers=[server.name for server in catalog.servers()],
    )

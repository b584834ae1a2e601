"""Tracks: listed, searched, one by one, and their files."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from recommender.recommendation.service import SimilarityService
from recommender.server.answers import answer
from recommender.server.api.common import converter_of, page_address, responses
from recommender.server.api.models import (
    LARGEST_ID,
    DescriptorsAnswer,
    DescriptorsModel,
    Limit,
    Offset,
    TrackAnswer,
    TrackId,
    TrackPage,
)
from recommender.server.streaming import track_file_response

router = APIRouter(tags=["tracks"])


@router.get("/tracks", response_model=TrackPage, responses=responses(304))
async def list_tracks(
    request: Request,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=0, le=LARGEST_ID, description="Id of the last one seen.")] = 0,
) -> Response:
    """The tracks that can be recommended, by id."""
    convert = converter_of(request)

    def page(service: SimilarityService) -> TrackPage:
        found = service.catalog.tracks_after(after, limit + 1)
        shown = found[:limit]
        following = page_address(request, after=shown[-1].id) if len(found) > limit else None
        return TrackPage(items=convert.tracks(shown), next=following)

    return await answer(request, page)


@router.get("/search", response_model=TrackPage, responses=responses(304))
async def search(
    request: Request,
    q: Annotated[str, Query(min_length=1, max_length=500, description="Words.")],
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Tracks in whose title, artists, album or path every word occurs, in any case."""
    convert = converter_of(request)

    def page(service: SimilarityService) -> TrackPage:
        found = service.catalog.search(q, limit + 1, offset)
        more = page_address(request, offset=offset + limit) if len(found) > limit else None
        return TrackPage(items=convert.tracks(found[:limit]), next=more)

    return await answer(request, page)


@router.get("/tracks/{track_id}", response_model=TrackAnswer, responses=responses(304, 404))
async def show_track(request: Request, track_id: TrackId) -> Response:
    """One track."""
    convert = converter_of(request)
    return await answer(
        request, lambda service: TrackAnswer(track=convert.track(service.catalog.track(track_id)))
    )


@router.get(
    "/tracks/{track_id}/descriptors",
    response_model=DescriptorsAnswer,
    responses=responses(304, 404),
)
async def show_descriptors(request: Request, track_id: TrackId) -> Response:
    """Tempo, key, loudness and the like of one track."""

    def described(service: SimilarityService) -> DescriptorsAnswer:
        track = service.catalog.track(track_id)
        found = service.catalog.musical_descriptors([track.id]).get(track.id)
        if found is None:
            return DescriptorsAnswer(descriptors=None)
        named = {name: getattr(found, name) for name in DescriptorsModel.model_fields}
        return DescriptorsAnswer(descriptors=DescriptorsModel(**named))

    return await answer(request, described)


@router.head("/tracks/{track_id}/file", include_in_schema=False)
@router.get(
    "/tracks/{track_id}/file",
    response_class=Response,
    responses={
        **responses(304, 400, 404, 416),
        200: {"description": "The file.", "content": {"audio/*": {}}},
        206: {"description": "Parts of the file.", "content": {"audio/*": {}}},
    },
)
async def track_file(request: Request, track_id: TrackId) -> Response:
    """The file of a track, or the range of it that is asked for.

    A part of a file, as a cue sheet divides it, is cut from it and sent as FLAC.
    """
    return await track_file_response(request, track_id)

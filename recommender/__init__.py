"""Content-based music recommendation: analyse a folder of music, recommend what sounds alike.

In three lines, over the catalogue that ``recsys ingest`` made::

    from recommender import SimilarityService

    service = SimilarityService.open()
    neighbours = service.similar("track.flac", k=10)

The names in ``__all__`` are the interface for programs: `ingest` brings folders of music into a
`Catalog`, `SimilarityService` recommends, `Embedder` turns sounds into embeddings, and every error
that a user can cause is a `RecsysError`. Messages go to ``logging.getLogger("recommender")``.

Importing this package loads none of torch, faiss, librosa or sqlalchemy; the names below are
resolved on first use.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from recommender.version import __version__

if TYPE_CHECKING:
    from recommender.audio.windows import Windowing
    from recommender.catalog import Catalog
    from recommender.catalog.list_records import Event, Exclusion, StoredPlaylist
    from recommender.catalog.records import Track, TrackState
    from recommender.embedding.embedder import Embedder
    from recommender.embedding.similarity_scale import SimilarityCalibration
    from recommender.embedding.space import Analysis, Embedding, SpaceId
    from recommender.errors import AudioError, RecsysError
    from recommender.history.importing import import_history
    from recommender.ingestion import IngestReport, IngestSettings, ingest
    from recommender.playlists.files import read_playlist, write_playlist
    from recommender.playlists.recipes import run_recipe
    from recommender.recommendation.explanation import Explanation
    from recommender.recommendation.filters import Filters
    from recommender.recommendation.mix_request import Length, MixRequest, Rules, SeedSet
    from recommender.recommendation.mix_result import (
        DuplicateGroup,
        Mix,
        MixEntry,
        SimilarAlbum,
        SimilarArtist,
    )
    from recommender.recommendation.result_list import Neighbour
    from recommender.recommendation.seeds import Seed
    from recommender.recommendation.service import Recommendation, SimilarityService

_HOMES = {
    "Analysis": "recommender.embedding.space",
    "AudioError": "recommender.errors",
    "Catalog": "recommender.catalog",
    "DuplicateGroup": "recommender.recommendation.mix_result",
    "Embedder": "recommender.embedding.embedder",
    "Embedding": "recommender.embedding.space",
    "Event": "recommender.catalog.list_records",
    "Exclusion": "recommender.catalog.list_records",
    "Explanation": "recommender.recommendation.explanation",
    "Filters": "recommender.recommendation.filters",
    "IngestReport": "recommender.ingestion",
    "IngestSettings": "recommender.ingestion",
    "Length": "recommender.recommendation.mix_request",
    "Mix": "recommender.recommendation.mix_result",
    "MixEntry": "recommender.recommendation.mix_result",
    "MixRequest": "recommender.recommendation.mix_request",
    "Neighbour": "recommender.recommendation.result_list",
    "Recommendation": "recommender.recommendation.service",
    "RecsysError": "recommender.errors",
    "Rules": "recommender.recommendation.mix_request",
    "Seed": "recommender.recommendation.seeds",
    "SeedSet": "recommender.recommendation.mix_request",
    "SimilarAlbum": "recommender.recommendation.mix_result",
    "SimilarArtist": "recommender.recommendation.mix_result",
    "SimilarityCalibration": "recommender.embedding.similarity_scale",
    "SimilarityService": "recommender.recommendation.service",
    "SpaceId": "recommender.embedding.space",
    "StoredPlaylist": "recommender.catalog.list_records",
    "Track": "recommender.catalog.records",
    "TrackState": "recommender.catalog.records",
    "Windowing": "recommender.audio.windows",
    "import_history": "recommender.history.importing",
    "ingest": "recommender.ingestion",
    "read_playlist": "recommender.playlists.files",
    "run_recipe": "recommender.playlists.recipes",
    "write_playlist": "recommender.playlists.files",
}
"""Public name → module. None is also the name of a submodule: importing one would rebind it."""

__all__ = [
    "Analysis",
    "AudioError",
    "Catalog",
    "DuplicateGroup",
    "Embedder",
    "Embedding",
    "Event",
    "Exclusion",
    "Explanation",
    "Filters",
    "IngestReport",
    "IngestSettings",
    "Length",
    "Mix",
    "MixEntry",
    "MixRequest",
    "Neighbour",
    "Recommendation",
    "RecsysError",
    "Rules",
    "Seed",
    "SeedSet",
    "SimilarAlbum",
    "SimilarArtist",
    "SimilarityCalibration",
    "SimilarityService",
    "SpaceId",
    "StoredPlaylist",
    "Track",
    "TrackState",
    "Windowing",
    "__version__",
    "import_history",
    "ingest",
    "read_playlist",
    "run_recipe",
    "write_playlist",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

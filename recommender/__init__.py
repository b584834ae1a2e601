"""Content-based music recommendation: listen to a folder of music, recommend what sounds alike.

The three-line use::

    from recommender import SimilarityService

    service = SimilarityService.open()
    neighbours = service.similar("track.flac", k=10)

Importing this package loads none of torch, faiss, librosa or sqlalchemy; the names below are
resolved on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recommender.version import __version__

if TYPE_CHECKING:
    from recommender.catalog import Catalog
    from recommender.embedding.embedder import Embedder
    from recommender.ingestion import ingest
    from recommender.recommendation.service import SimilarityService


_HOMES = {
    "Catalog": "recommender.catalog",
    "Embedder": "recommender.embedding.embedder",
    "SimilarityService": "recommender.recommendation.service",
    "ingest": "recommender.ingestion",
}

__all__ = ["Catalog", "Embedder", "SimilarityService", "__version__", "ingest"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'recommender' has no attribute {name!r}")

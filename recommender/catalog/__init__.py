"""The SQL catalogue: which files there are, what they say of themselves, what was analysed in them.

It is the truth; an index is a cache of it. Nothing here knows audio or networks.
"""

from recommender.audio.tags import Tags
from recommender.catalog.catalog import Catalog
from recommender.catalog.records import (
    CatalogState,
    Counts,
    Failure,
    FileStat,
    KnownFile,
    Library,
    ProjectionOrigin,
    StoredProjection,
    Track,
    TrackState,
)
from recommender.catalog.writer import Writer

__all__ = [
    "Catalog",
    "CatalogState",
    "Counts",
    "Failure",
    "FileStat",
    "KnownFile",
    "Library",
    "ProjectionOrigin",
    "StoredProjection",
    "Tags",
    "Track",
    "TrackState",
    "Writer",
]

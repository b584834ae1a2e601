"""The SQL catalogue: which files there are, what they say of themselves, what was heard in them.

It is the truth; an index is a cache of it. Nothing here knows audio or networks.
"""

from recommender.catalog.catalog import Catalog
from recommender.catalog.records import (
    CatalogState,
    Counts,
    Failure,
    FileStat,
    KeptProjection,
    KnownFile,
    Library,
    ProjectionOrigin,
    Tags,
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
    "KeptProjection",
    "KnownFile",
    "Library",
    "ProjectionOrigin",
    "Tags",
    "Track",
    "TrackState",
    "Writer",
]

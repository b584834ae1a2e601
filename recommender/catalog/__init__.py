"""The SQL catalogue: music files, their tags, the analyses of their sound, and users' lists.

It is the source of truth; an index is a cache of it. Nothing here decodes audio or runs networks.
"""

from recommender.audio.tags import Tags
from recommender.catalog.catalog import Catalog
from recommender.catalog.changes import Changes
from recommender.catalog.list_records import (
    Event,
    EventKind,
    Exclusion,
    ExclusionKind,
    StoredPlaylist,
)
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
    "Changes",
    "Counts",
    "Event",
    "EventKind",
    "Exclusion",
    "ExclusionKind",
    "Failure",
    "FileStat",
    "KnownFile",
    "Library",
    "ProjectionOrigin",
    "StoredPlaylist",
    "StoredProjection",
    "Tags",
    "Track",
    "TrackState",
    "Writer",
]

"""What goes into a track's columns: whatever file systems and tags hold, made storable."""

from typing import Any

from recommender.audio.tags import Tags
from recommender.catalog.libraries import TAG_FIELDS
from recommender.catalog.records import FileStat
from recommender.catalog.search_text import search_text
from recommender.utils.names import storable

_LARGEST_INTEGER = 2**31 - 1


def stat_values(stat: FileStat) -> dict[str, Any]:
    """Columns `path`, `size` and `mtime_ns`."""
    return {
        "path": stat.path,
        "size": stat.size,
        "mtime_ns": stat.mtime_ns,
    }


def tag_values(tags: Tags, path: str) -> dict[str, Any]:
    """The columns of the tags, and `search_text`."""
    values: dict[str, Any] = {"search_text": search_text(tags, path)}
    for name in TAG_FIELDS:
        value = getattr(tags, name)
        if isinstance(value, str):
            value = storable(value)
        elif isinstance(value, tuple):
            value = tuple(storable(text) for text in value)
        elif value is not None and abs(value) > _LARGEST_INTEGER:
            value = None  # nonsense that an integer column could not hold
        values[name] = value
    return values

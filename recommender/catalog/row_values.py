"""What goes into a track's columns: whatever file systems and tags hold, made storable."""

from typing import Any

from recommender.audio.segments import WHOLE_FILE, Segment
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


def segment_values(segment: Segment | None, duration: float) -> dict[str, Any]:
    """The columns of a segment of so many seconds; of a track that is all of its file, no bounds.

    The end of one that lasts to the end of its file is where the sound ends.
    """
    if segment is None or segment.is_whole:
        return {"segment": WHOLE_FILE, "segment_start": None, "segment_end": None}
    end = segment.start + duration if segment.end is None else segment.end
    return {"segment": segment.number, "segment_start": segment.start, "segment_end": end}


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

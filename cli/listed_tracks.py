"""Tracks and seeds in listings: as JSON objects, and by name."""

from typing import TYPE_CHECKING, Any

from recommender.cli.output import track_as_dict
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog import Track
    from recommender.recommendation.seeds import Seed


def segment_of(track: "Track | None") -> dict[str, Any]:
    """Which part of its file a track is."""
    if track is None:
        return {"segment": 0, "start": None, "end": None}
    return {"segment": track.segment, "start": track.start, "end": track.end}


def listed_track(track: "Track", full: bool = False) -> dict[str, Any]:
    """A track in a list; `full`: with all that the catalogue holds of it."""
    lean = {
        "id": track.id,
        "path": track.path,
        "file": str(track.file),
        **segment_of(track),
        "title": track.title,
        "artist": track.artist,
    }
    return {**lean, **track_as_dict(track)} if full else lean


def seed_as_dict(seed: "Seed") -> dict[str, Any]:
    """What a list was made for."""
    return {
        "id": None if seed.track is None else seed.track.id,
        "path": None if seed.track is None else seed.track.path,
        "file": None if seed.path is None else str(seed.path),
        **segment_of(seed.track),
        "title": seed.title,
        "artist": seed.artist,
    }


def seed_name(seed: "Seed") -> str:
    """Artist and title of what a list was made for."""
    title = seed.title or (seed.path.name if seed.path is not None else "an embedding")
    return one_line(f"{seed.artist} – {title}" if seed.artist else title)


def track_name(track: "Track") -> str:
    """Artist and title of a track."""
    return one_line(f"{track.artist} – {track.title}" if track.artist else track.title)

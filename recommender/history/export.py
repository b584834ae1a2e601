"""A user's history as a file: JSON lines as ListenBrainz exports and imports them."""

import json
from pathlib import Path
from typing import Any

from recommender.catalog import Catalog, Event, EventKind
from recommender.catalog.list_records import DEFAULT_USER
from recommender.catalog.records import Track
from recommender.errors import UsageError
from recommender.utils.files import AnyPath, as_path, replacing_file

_AT_ONCE = 500
_SCORES = {EventKind.LIKE: 1, EventKind.UNLIKE: 0}
"""Of feedback, as ListenBrainz has it: 0 takes a like back, where -1 is hate."""


def export_history(catalog: Catalog, file: AnyPath, user: str = DEFAULT_USER) -> int:
    """Write a user's likes and plays by time, for `history.importing` and for other programs.

    Plays are listens, likes and those taken back are feedback, with the names of the track beside
    it. Skips, for which ListenBrainz has no word, are left out.

    Args:
        catalog: stays open.
        file: in a folder that exists; replaced whole or not at all.
        user: empty for the only one.

    Returns:
        The number of events written.

    Raises:
        UsageError: the folder does not exist.
        OSError: the file cannot be written.
    """
    path = as_path(file, "file")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {path.absolute().parent}: create it first.")
    events = catalog.history(user, kinds=(EventKind.PLAY, *_SCORES))
    with replacing_file(Path(path)) as output:
        for start in range(0, len(events), _AT_ONCE):
            part = events[start : start + _AT_ONCE]
            tracks = {track.id: track for track in catalog.tracks([one.track_id for one in part])}
            for event in part:
                line = json.dumps(_line(event, tracks[event.track_id]), ensure_ascii=False)
                output.write(line.encode("utf-8", "replace") + b"\n")
    return len(events)


def _line(event: Event, track: Track) -> dict[str, Any]:
    metadata = {
        "artist_name": track.artist or "",
        "track_name": track.title,
        "release_name": track.tags.album,
        "additional_info": {
            "recording_mbid": track.tags.recording_mbid,
            "duration_ms": round(track.duration * 1000),
        },
    }
    at = int(event.at.timestamp())
    if event.kind is EventKind.PLAY:
        return {"listened_at": at, "track_metadata": metadata}
    return {
        "recording_mbid": track.tags.recording_mbid,
        "score": _SCORES[event.kind],
        "created": at,
        "track_metadata": metadata,
    }

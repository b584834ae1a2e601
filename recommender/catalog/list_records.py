"""Exclusions, events of listening and playlists as frozen dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

DEFAULT_USER = ""
"""The user of a catalogue that only one person uses."""


class ExclusionKind(StrEnum):
    """What an exclusion names."""

    TRACK = "track"
    ARTIST = "artist"
    FOLDER = "folder"
    GENRE = "genre"


class EventKind(StrEnum):
    """What a user did with a track."""

    LIKE = "like"
    UNLIKE = "unlike"  # a like taken back, or a dislike: it is not liked any more
    SKIP = "skip"
    PLAY = "play"


@dataclass(frozen=True)
class Exclusion:
    """What is never in mixes.

    Attributes:
        value: of a track its id in digits; of a folder its absolute path as it is now, where all
            that lies below it is excluded; an artist or a genre as the user gave it, which are
            compared folded.
        track_id: of a track; None for the other kinds.
    """

    id: int
    kind: ExclusionKind
    value: str
    added_at: datetime
    track_id: int | None = None


@dataclass(frozen=True)
class Event:
    """What a user did with a track.

    Attributes:
        user: empty for the only one.
        at: when; with a time zone.
        source: where it comes from, such as ``recsys``, ``listenbrainz``, ``mpd``.
    """

    user: str
    kind: EventKind
    track_id: int
    at: datetime
    source: str


@dataclass(frozen=True)
class StoredPlaylist:
    """A playlist of the catalogue.

    Attributes:
        user: empty for the only one; a user has one playlist of a name.
        track_ids: in their order; one may occur twice.
        recipe: the request it is made from again, as JSON; None for one that was made by hand.
        target: the playlist file that it is also written to whenever it is made.
        absolute: whether paths in that file are absolute.
        run_at: when the recipe was last run.
    """

    id: int
    name: str
    user: str
    comment: str
    track_ids: tuple[int, ...]
    recipe: Mapping[str, Any] | None
    target: Path | None
    absolute: bool
    created_at: datetime
    changed_at: datetime
    run_at: datetime | None

"""Media servers whose ids are known, as frozen dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class RemoteKind(StrEnum):
    """What a server's id of a name refers to."""

    ARTIST = "artist"
    ALBUM = "album"


@dataclass(frozen=True)
class MediaServer:
    """A server of music whose ids the catalogue maps to tracks.

    Attributes:
        name: how users call it; there is one of a name.
        kind: what it speaks, such as ``navidrome``, ``subsonic`` or ``jellyfin``.
        url: where it is, without what proves who asks.
        login: the user that it was asked as; empty where it does not matter.
        linked_at: when its ids were last read; None before that.
        report: what came of it, as JSON; None before that.
    """

    id: int
    name: str
    kind: str
    url: str
    login: str = ""
    linked_at: datetime | None = None
    report: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RemoteTrack:
    """A server's id of a track.

    Attributes:
        matched_by: what they agreed in, such as ``path``, ``mbid``, ``isrc`` or ``names``.
    """

    remote_id: str
    track_id: int
    matched_by: str


@dataclass(frozen=True, slots=True)
class RemoteName:
    """A server's id of an artist or an album.

    Attributes:
        name: of the artist or the album.
        artist: of an album, where it has one.
    """

    kind: RemoteKind
    remote_id: str
    name: str
    artist: str | None = None

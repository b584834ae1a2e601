"""Playlist files in and out: m3u, m3u8 and XSPF, by the ending of their name."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.recommendation.seeds import Seed
from recommender.utils.files import AnyPath

PlaylistFormat = Literal["m3u", "xspf"]

ENDINGS = (".m3u", ".m3u8", ".xspf")
"""Of the names of playlist files that are read and written."""


@dataclass(frozen=True)
class UnmatchedEntry:
    """An entry of a playlist file that no track was taken for.

    Attributes:
        number: of the entry, from 1.
        location: as the file has it.
        kind: ``unknown`` (no track of the catalogue), ``doubled`` (its track is in the list
            already), ``unreadable`` (its file could not be analysed), ``nested`` (a playlist),
            ``stream`` (an address, no file), ``ambiguous`` (several tracks).
        reason: a sentence.
    """

    number: int
    location: str
    kind: str
    reason: str


@dataclass(frozen=True)
class PlaylistContent:
    """What a playlist file holds.

    Attributes:
        tracks: of the catalogue, in their order.
        unmatched: the other entries.
        title, comment: as the file has them.
    """

    tracks: list[Track]
    unmatched: list[UnmatchedEntry]
    title: str | None = None
    comment: str | None = None


def read_playlist(catalog: Catalog, file: AnyPath, *, doubles: bool = False) -> PlaylistContent:
    """The tracks of a playlist file; `doubles`: keep a track that comes twice."""
    raise NotImplementedError


def write_playlist(
    file: AnyPath,
    tracks: Iterable[Track | Seed],
    *,
    absolute: bool = False,
    title: str | None = None,
    comment: str | None = None,
) -> int:
    """Write a playlist file in the format of its ending; returns how many entries were written."""
    raise NotImplementedError


def playlist_text(
    tracks: Iterable[Track | Seed],
    relative_to: Path | None,
    format: PlaylistFormat = "m3u",
    title: str | None = None,
    comment: str | None = None,
) -> str:
    """The text of a playlist file; absolute paths where `relative_to` is None."""
    raise NotImplementedError

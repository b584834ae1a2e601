"""Playlist files in and out: m3u, m3u8 and XSPF."""

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.errors import PlaylistError, UsageError
from recommender.history.track_lookup import TrackLookup
from recommender.playlists.m3u import m3u_text, with_existing_files
from recommender.playlists.matching import EntryMatcher, UnmatchedEntry, shown
from recommender.playlists.text import PlaylistText, parse_m3u, read_bytes
from recommender.playlists.xspf import parse_xspf, xspf_text
from recommender.recommendation.seeds import Seed
from recommender.utils.files import AnyPath, as_path, real_path, replace_file, replacing_file

PlaylistFormat = Literal["m3u", "xspf"]

ENDINGS = (".m3u", ".m3u8", ".xspf")
"""Of the names of playlist files that are read."""


@dataclass(frozen=True)
class PlaylistContent:
    """What a playlist file holds.

    Attributes:
        tracks: of the catalogue, in their order.
        unmatched: the other entries.
        title, comment: as the file has them.
        fault: why the file could not be read to its end, as a sentence; None where it could.
    """

    tracks: list[Track]
    unmatched: list[UnmatchedEntry]
    title: str | None = None
    comment: str | None = None
    fault: str | None = None


def read_playlist(
    catalog: Catalog,
    file: AnyPath,
    *,
    doubles: bool = False,
    lookup: TrackLookup | None = None,
) -> PlaylistContent:
    """The tracks that a playlist file names; no other file is opened.

    An entry is matched by its path, then by the end of its path (`TrackLookup.ending`), so that a
    playlist of another system or of before a move is understood, then by artist and title. A file
    that a cue sheet divides stands for all of its tracks, unless a part is named. For a track whose
    file is gone a copy is taken.

    Args:
        catalog: stays open.
        file: its encoding is recognised as that of tags is.
        doubles: keep a track that comes twice.
        lookup: of the catalogue, where several files are read.

    Raises:
        PlaylistError: the file cannot be read, or is no playlist.
        UsageError: its name has another ending.
        TypeError: `file` is no path.
    """
    file = as_path(file, "file").absolute()
    text = _parsed(file)
    matcher = EntryMatcher(catalog, lookup or TrackLookup(catalog), file)
    unmatched: list[UnmatchedEntry] = []
    ids: list[int] = []
    first: dict[int, int] = {}  # track id → entry
    for entry in text.entries:
        found = matcher.match(entry)
        if isinstance(found, UnmatchedEntry):
            unmatched.append(found)
            continue
        new = [one for one in found if doubles or one not in first]
        if not new:
            reason = f"the same track as entry {first[found[0]]}"
            unmatched.append(UnmatchedEntry(entry.number, shown(entry), "doubled", reason))
        first.update((one, entry.number) for one in new if one not in first)
        ids += new
    return PlaylistContent(catalog.tracks(ids), unmatched, text.title, text.comment, text.fault)


def _parsed(file: Path) -> PlaylistText:
    if file.suffix.lower() not in ENDINGS:
        raise UsageError(f"{file}: a playlist file ends in {', '.join(ENDINGS)}.")
    kind = format_to_write(file)
    data = read_bytes(file)
    try:
        looks_like_xml = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<?xml", b"<playl"))
        return parse_xspf(data) if kind == "xspf" or looks_like_xml else parse_m3u(data)
    except PlaylistError as error:
        raise PlaylistError(f"{file} cannot be used: {error}") from error


def format_to_write(file: AnyPath) -> PlaylistFormat:
    """XSPF for a name with that ending, M3U for any other, such as a device's."""
    return "xspf" if as_path(file, "file").suffix.lower() == ".xspf" else "m3u"


def write_playlist(
    file: AnyPath,
    tracks: Iterable[Track | Seed],
    *,
    absolute: bool = False,
    title: str | None = None,
    comment: str | None = None,
) -> int:
    """Write a playlist file: XSPF for that ending, M3U for others; replaced whole or not at all.

    Args:
        file: in a folder that exists.
        tracks: `playlist.with_existing_files` finds copies for those whose files are gone.
        absolute: write absolute paths. Otherwise they are relative to the playlist's folder.
        title, comment: of the playlist.

    Returns:
        How many entries were written.

    Raises:
        UsageError: the folder does not exist.
        OSError: the file cannot be written.
    """
    file = as_path(file, "file")
    kind = format_to_write(file)
    if not file.absolute().parent.is_dir():
        raise UsageError(
            f"the folder {file.parent} does not exist: create it, or write the playlist elsewhere."
        )
    # `..` leaves the real folder, not the symbolic link that led to it.
    folder = None if absolute else real_path(file.parent)
    text, count = playlist_text(tracks, folder, kind, title, comment)
    replace_file(file, text.encode("utf-8", "surrogateescape"))
    return count


@contextmanager
def replacing_playlist(
    catalog: Catalog,
    file: Path,
    track_ids: Sequence[int],
    *,
    absolute: bool = False,
    title: str | None = None,
    comment: str | None = None,
) -> Iterator[tuple[list[Track | Seed], int]]:
    """Write a playlist file and, once the body has ended, put it in the place of the old one.

    In the body the catalogue is changed: when that fails, the file stays as it was. Gives the
    tracks, and how many entries were written.

    Raises:
        OSError: the file cannot be written; the body was not run, or failed.
        PlaylistError: the body was run, but then the file could not be replaced.
    """
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    folder = None if absolute else real_path(file.absolute().parent)
    tracks = with_existing_files(catalog, catalog.tracks(track_ids))
    text, count = playlist_text(tracks, folder, format_to_write(file), title, comment)
    is_changed = False
    try:
        with replacing_file(file) as opened:
            opened.write(text.encode("utf-8", "surrogateescape"))
            opened.flush()
            os.fsync(opened.fileno())
            yield tracks, count
            is_changed = True
    except OSError as error:
        if not is_changed:
            raise
        raise PlaylistError(
            f"the playlist {title or ''!r} has its new tracks, but its file {file} is as before: "
            f"it cannot be replaced ({error.strerror or error})."
        ) from error


def playlist_text(
    tracks: Iterable[Track | Seed],
    relative_to: Path | None,
    format: PlaylistFormat = "m3u",
    title: str | None = None,
    comment: str | None = None,
) -> tuple[str, int]:
    """The text of a playlist file, and the number of its entries.

    Args:
        tracks: as of `playlist.m3u_text`.
        relative_to: the folder (absolute, without symbolic links) that paths are relative to; None
            for absolute ones.
        format: m3u leaves out names with line breaks; XSPF has them all.
        title, comment: of the playlist; m3u has no place for a comment.
    """
    if format not in get_args(PlaylistFormat):
        raise UsageError(f"a playlist is written as m3u or xspf, not {format!r}.")
    if format == "xspf":
        return xspf_text(tracks, relative_to, title, comment)
    text = m3u_text(tracks, relative_to, title)
    return text, text.count("\n#EXTINF:")

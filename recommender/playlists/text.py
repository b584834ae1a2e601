"""The entries of playlist files: bytes of m3u, m3u8 and XSPF as text, in whatever encoding."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from recommender.audio.tag_text import decoded, guessed_encoding, utf8, utf16
from recommender.errors import PlaylistError
from recommender.utils.files import IrregularFile, read_small

LARGEST_PLAYLIST = 32 * 2**20
"""Bytes of a playlist file at most; an entry takes some 150."""

MOST_ENTRIES = 200_000

LONGEST_LOCATION = 20_000
"""Characters; systems have paths of some 4,000, of which an encoding makes three times as many."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_TEXT_LINE_END = re.compile(r"\r\n|\n|\r")
_INFORMATION = re.compile(r"#EXTINF:\s*(-?\d+(?:\.\d+)?)?(?:\s+[\w-]+=\"[^\"]*\")*\s*,?(.*)", re.I)
_OPTION = re.compile(r"(start|stop)-time=(\d+(?:\.\d+)?)")


@dataclass
class PlaylistEntry:
    """What a playlist says of one entry.

    Attributes:
        number: from 1.
        locations: what it may be called, likeliest first; several where the encoding is a guess,
            or where the file names several.
        is_uri: whether they are URIs.
        title, artist, album: as the file has them.
        duration: seconds.
        start, end: of the part of the file that is meant, seconds.
        recording_mbid: MusicBrainz's id of the recording.
    """

    number: int = 0
    locations: list[str] = field(default_factory=list)
    is_uri: bool = False
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    duration: float | None = None
    start: float | None = None
    end: float | None = None
    recording_mbid: str | None = None


@dataclass
class PlaylistText:
    """What a playlist file holds.

    Attributes:
        fault: why it could not be read to its end, as a sentence; None where it could.
    """

    entries: list[PlaylistEntry] = field(default_factory=list)
    title: str | None = None
    comment: str | None = None
    fault: str | None = None

    def add(self, entry: PlaylistEntry) -> None:
        """Append an entry. Raises `PlaylistError` where there are too many."""
        if len(self.entries) >= MOST_ENTRIES:
            raise PlaylistError(f"more than {MOST_ENTRIES:,} entries; divide it.")
        entry.number = len(self.entries) + 1
        self.entries.append(entry)


def read_bytes(file: Path) -> bytes:
    """The content of a playlist file. Raises `PlaylistError` that names it."""
    try:
        data = read_small(file, LARGEST_PLAYLIST)
    except IrregularFile as error:
        what = "a folder" if file.is_dir() else "a device, a pipe or a socket"
        raise PlaylistError(f"{file} is {what}; give a playlist file.") from error
    except OSError as error:
        raise PlaylistError(f"{file} cannot be read ({error.strerror or error}).") from error
    if len(data) > LARGEST_PLAYLIST:
        limit = LARGEST_PLAYLIST // 2**20
        raise PlaylistError(f"{file} is larger than {limit} MiB, as no playlist is.")
    return data


def option_seconds(option: str) -> dict[str, float]:
    """``start`` or ``end`` of VLC's options ``start-time`` and ``stop-time``; others are empty."""
    found = _OPTION.fullmatch(option.strip().lstrip(":"))
    return {} if found is None else {_BOUND[found[1]]: float(found[2])}


_BOUND = {"start": "start", "stop": "end"}


def parse_m3u(data: bytes) -> PlaylistText:
    """The entries of (extended) M3U. Raises `PlaylistError`, for what is no text, too."""
    if b"\0" in data and utf16(data) is None:
        raise PlaylistError("it is no text, as it holds zero bytes.")
    playlist = PlaylistText()
    entry = PlaylistEntry()
    for spellings in _lines(data):
        line = spellings[0]
        if not line.strip():
            continue
        if not line.startswith("#"):
            entry.locations = spellings
            playlist.add(entry)
            entry = PlaylistEntry()
        else:
            _read_comment(spellings[-1][:LONGEST_LOCATION], entry, playlist)
    return playlist


def _read_comment(line: str, entry: PlaylistEntry, playlist: PlaylistText) -> None:
    name, _, text = line.partition(":")
    value = text.strip() or None
    if found := _INFORMATION.fullmatch(line):
        entry.duration = float(found[1]) if found[1] and float(found[1]) > 0 else None
        artist, dash, title = found[2].strip().partition(" - ")
        entry.artist, entry.title = (artist, title) if dash else (None, artist or None)
    elif name == "#EXTVLCOPT" and value:
        vars(entry).update(option_seconds(value))
    elif name == "#EXTALB":
        entry.album = value
    elif name == "#EXTART":
        entry.artist = value
    elif name == "#PLAYLIST":
        playlist.title = value


def _lines(data: bytes) -> Iterator[list[str]]:
    """Each line: as the bytes of a file's name, and as text where its encoding is guessed."""
    encoding = utf16(data)
    if encoding is not None:
        text = data.decode(encoding, "replace").removeprefix("\ufeff")
        yield from ([line] for line in _TEXT_LINE_END.split(text))
        return
    lines = _LINE_END.split(data.removeprefix(b"\xef\xbb\xbf"))
    unknown = [line for line in lines if utf8(line) is None]
    guessed = guessed_encoding(unknown[:1000]) if unknown else ""
    for line in lines:
        exact = line.decode("utf-8", "surrogateescape")
        guess = decoded(line, guessed) if not exact.isascii() and utf8(line) is None else exact
        yield list(dict.fromkeys((exact, guess)))

"""The tags of a sound file, of every format, with their text repaired.

Tags are written by everything and checked by nothing, so nothing here raises: what makes no sense
is None, and text in the usual wrong encodings is repaired.
"""

import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from recommender.audio.cue_text import decode_cue_text
from recommender.audio.tag_fields import CUE_SHEET, FIELDS, Fields, Value, read_fields
from recommender.audio.tag_text import (
    LONGEST_TEXT,
    WESTERN,
    clean,
    cyrillic_repaired,
    decoded,
    guessed_encoding,
    utf8,
)
from recommender.errors import CueSheetError
from recommender.utils.artists import credited_artists, split_artists


@dataclass(frozen=True)
class Tags:
    """The tags of a file; None where it has none.

    Attributes:
        artist, album_artist: as shown, several values joined.
        artists, album_artists: each artist in its order, several in one value split where that is
            certain. Where they are not given, as catalogues of before did not store them, they are
            those of the text (`utils.artists.split_artists`).
        recording_mbid: MusicBrainz's id of the recording.
        isrcs: International Standard Recording Codes (ISO 3901), of 12 characters, without hyphens.
    """

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    album_artist: str | None = None
    genre: str | None = None
    track_number: int | None = None
    year: int | None = None
    artists: tuple[str, ...] = ()
    album_artists: tuple[str, ...] = ()
    recording_mbid: str | None = None
    isrcs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Complete the lists."""
        object.__setattr__(self, "artists", self.artists or split_artists(self.artist))
        of_album = self.album_artists or split_artists(self.album_artist)
        object.__setattr__(self, "album_artists", of_album)

    @property
    def credited(self) -> tuple[str, ...]:
        """The artists, or else those of the album; names of nobody only where there are no others.

        Nobody is "Various Artists", "Unknown Artist" and the like (`utils.artists.names_nobody`).
        """
        return credited_artists(self.artists, self.album_artists)


Texts = Mapping[str, list[str]]
"""Fields as in `tag_fields.Fields`, decoded, repaired and cleaned."""

_YEAR = re.compile(r"(?<!\d)(1\d{3}|20\d{2})(?:\d{4})?(?!\d)")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ISRC = re.compile(
    r"(?<![A-Z0-9])([A-Z]{2})[-\s]?([A-Z0-9]{3})[-\s]?(\d{2})[-\s]?(\d{5})(?![A-Z0-9])", re.ASCII
)
_TRACK = re.compile(r"\s*(\d{1,3})(?!\d)")
_MOST_ARTISTS = _MOST_ISRCS = 50
_LARGEST_ALBUM = 64
"""Files of a folder that are looked through for more text of an album."""


@dataclass(frozen=True)
class Tagged:
    """What the tags of a file hold.

    Attributes:
        tags: of the file.
        cue_sheet: text of the cue sheet among them; None without one.
    """

    tags: Tags = Tags()
    cue_sheet: str | None = None


def read_tags(file: Path | BinaryIO) -> Tags:
    """The tags of a file, as `read_tagged` reads them."""
    return read_tagged(file).tags


def read_tagged(file: Path | BinaryIO) -> Tagged:
    """The tags of a file; fields that are missing or make no sense are None. Never raises.

    Text whose encoding nothing declares is recognised by all of the file's tags together and, where
    a path is given, by those of the files beside it that name the same album.

    Args:
        file: a path, or a binary file object that can seek, which is left open.
    """
    if isinstance(file, Path):
        fields = _fields_at(file)
        unknown = _unknown(fields)
        if unknown and (album := _raw_album(fields)):
            unknown = [*unknown, *_unknown_beside(file, album)]
    else:
        fields = read_fields(file)
        unknown = _unknown(fields)
    tags = _tags(_texts(fields, guessed_encoding(unknown) if unknown else WESTERN))
    return Tagged(tags, _cue_text(fields.get(CUE_SHEET, ())))


def _cue_text(values: Sequence[Value]) -> str | None:
    """The first of the cue sheets in a tag, with the line ends that it has."""
    for value in values:
        try:
            return value if isinstance(value, str) else decode_cue_text(value)
        except CueSheetError:
            continue
    return None


def _tags(texts: Texts) -> Tags:
    artists = _distinct(texts["artist"] or texts["artists"])
    album_artists = texts["album_artist"] or texts["album_artists"]
    return Tags(
        title=_first(texts, "title"),
        artist="; ".join(artists)[:LONGEST_TEXT] or None,
        album=_first(texts, "album"),
        album_artist=next(iter(album_artists), None),
        genre=_first(texts, "genre"),
        track_number=_number(_TRACK.match, _first(texts, "track_number")),
        year=year_in(_first(texts, "year")),
        artists=_named(texts["artists"] or artists),
        album_artists=_named(texts["album_artists"] or album_artists),
        recording_mbid=_identifier(_first(texts, "recording_mbid")),
        isrcs=isrcs_in(texts["isrcs"]),
    )


def isrcs_in(values: Iterable[str]) -> tuple[str, ...]:
    """The codes in some texts, each once, as `Tags.isrcs` has them.

    Several in one text are told apart by whatever stands between them.
    """
    found = (code for text in values for code in _ISRC.findall(text.upper()))
    return _distinct("".join(parts) for parts in found)[:_MOST_ISRCS]


def _identifier(text: str | None) -> str | None:
    """A UUID, as MusicBrainz writes it."""
    return text.lower() if text and _UUID.fullmatch(text) else None


def _fields_at(path: Path) -> Fields:
    """The fields of the file at `path`; none where it is no regular file that can be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its other end
            return {}
        with path.open("rb") as file:
            return read_fields(file)
    except (OSError, ValueError):
        return {}


def _unknown(fields: Fields) -> list[bytes]:
    """The texts whose encoding has to be guessed."""
    values = (value for field in FIELDS for value in fields.get(field, ()))
    return [value for value in values if isinstance(value, bytes) and utf8(value) is None]


def _raw_album(fields: Fields) -> bytes | None:
    album = fields.get("album", [""])[0]
    return album.strip() if isinstance(album, bytes) else None


def _unknown_beside(path: Path, album: bytes) -> list[bytes]:
    """Texts of the files in the same folder that name the same album in the same bytes."""
    try:
        changed = path.parent.stat().st_mtime_ns
    except OSError:
        return []
    return _unknown_by_album(path.parent, changed).get(album, [])


@lru_cache(maxsize=8)  # each file of the album asks
def _unknown_by_album(folder: Path, changed: int) -> Mapping[bytes, list[bytes]]:
    """Album → texts of unknown encoding; of the first files by name, as all have the same then.

    `changed` is the time of the folder's last modification.
    """
    found: dict[bytes, list[bytes]] = {}
    for path in _first_files(folder):
        fields = _fields_at(path)
        if album := _raw_album(fields):
            found.setdefault(album, []).extend(_unknown(fields))
    return found


def _first_files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())[:_LARGEST_ALBUM]
    except OSError:
        return []


def _texts(fields: Fields, encoding: str) -> Texts:
    """The texts of every field that there is; none that is empty."""
    declared = [v for field in FIELDS for v in fields.get(field, ()) if isinstance(v, str)]
    repaired = cyrillic_repaired(declared)
    texts = {
        field: [
            clean(
                decoded(value, encoding) if isinstance(value, bytes) else repaired.get(value, value)
            )
            for value in fields.get(field, ())
        ]
        for field in FIELDS
    }
    return {field: [text for text in found if text] for field, found in texts.items()}


def _first(texts: Texts, field: str) -> str | None:
    return next(iter(texts[field]), None)


def _named(values: Iterable[str]) -> tuple[str, ...]:
    """The artists in the values of a field."""
    return _distinct(_split(values))[:_MOST_ARTISTS]


def _split(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from split_artists(value)


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def year_in(text: str | None) -> int | None:
    """The year in a date in any of the usual forms."""
    return _number(_YEAR.search, text)


def _number(find: Callable[[str], re.Match[str] | None], text: str | None) -> int | None:
    match = find(text) if text else None
    return int(match.group(1)) or None if match else None

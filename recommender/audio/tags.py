"""The tags of a sound file: ID3, Vorbis comments, MP4, ASF and APEv2, all through mutagen.

Tags are written by everything and checked by nothing, so nothing here raises: what makes no sense
is None, and text in the usual wrong encodings is repaired.
"""

import html
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO


@dataclass(frozen=True)
class Tags:
    """The tags of a file; None where it has none.

    Attributes:
        artists, album_artists: each value in its order; empty where there are none, or where the
            catalogue stored the tags before it kept them.
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


# Lower-case keys by which the formats name a field: ID3, Vorbis, MP4, ASF, APEv2.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "title": ("tit2", "title", "©nam"),
    "artist": ("tpe1", "artist", "©art", "author"),
    "album": ("talb", "album", "©alb", "wm/albumtitle"),
    "album_artist": ("tpe2", "albumartist", "album artist", "aart", "wm/albumartist", "band"),
    "genre": ("tcon", "genre", "©gen", "wm/genre"),
    "track_number": ("trck", "tracknumber", "trkn", "wm/tracknumber", "track"),
    "year": ("tdrc", "tdor", "date", "©day", "wm/year", "year", "originaldate"),
}
_LONGEST_TEXT = 500
_ENTITY = re.compile(r"&(?:quot|amp|apos|lt|gt|#\d{1,5});")
_YEAR = re.compile(r"(?<!\d)(1\d{3}|20\d{2})(?:\d{4})?(?!\d)")
_TRACK = re.compile(r"\s*(\d{1,3})(?!\d)")
_CYRILLIC_AS_LATIN = re.compile(r"(?<![A-Za-z])[À-ÿ¨¸]{4,}(?![A-Za-z])")
_MIXED_WORD = re.compile(r"[A-Za-z][À-ÿ]|[À-ÿ][A-Za-z]")


def read_tags(file: Path | BinaryIO) -> Tags:
    """The tags of a file; fields that are missing or make no sense are None. Never raises.

    Args:
        file: a path, or a binary file object that can seek, which is left open.
    """
    found = _tags_of(file)
    artists = dict.fromkeys(_texts(found, "artist"))
    return Tags(
        title=_first(found, "title"),
        artist="; ".join(artists)[:_LONGEST_TEXT] or None,
        album=_first(found, "album"),
        album_artist=_first(found, "album_artist"),
        genre=_first(found, "genre"),
        track_number=_number(_TRACK.match, _first(found, "track_number")),
        year=_number(_YEAR.search, _first(found, "year")),
    )


def _tags_of(file: Path | BinaryIO) -> Mapping[str, Any]:
    """Lower-case key → value as mutagen gives it; empty where nothing can be read."""
    from mutagen.apev2 import APEv2  # here, because a catalogue is read without it
    from mutagen.id3 import ID3

    for read in (_tags_of_audio, ID3, APEv2):
        try:
            if not isinstance(file, Path):
                file.seek(0)
            tags = read(file)
            if tags:
                return {str(key).lower(): value for key, value in tags.items()}
        except Exception:  # damaged files make mutagen raise errors of every sort
            continue
    return {}


def _tags_of_audio(file: Path | BinaryIO) -> Any:
    import mutagen

    audio = mutagen.File(file)
    return None if audio is None else audio.tags


def _first(found: Mapping[str, Any], field: str) -> str | None:
    return next(iter(_texts(found, field)), None)


def _texts(found: Mapping[str, Any], field: str) -> Iterable[str]:
    """All values of a field, cleaned, the empty ones left out; of its first key that has any."""
    for key in _KEYS[field]:
        if key in found:
            try:
                texts = [_clean(value) for value in _values(found[key])]
            except (TypeError, ValueError, AttributeError):  # a value of a type it must not have
                continue
            if any(texts):
                return [text for text in texts if text]
    return []


def _values(value: Any) -> Iterable[str]:
    """The texts in a value of any of the formats."""
    if hasattr(value, "genres"):  # ID3 genres: numbers become names
        return list(value.genres)
    items = value.text if hasattr(value, "text") else value
    items = [items] if isinstance(items, str | bytes) else items
    return [_text(item) for item in items]


def _text(item: Any) -> str:
    if isinstance(item, tuple):  # MP4 track numbers: (number, total)
        return str(item[0])
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)


def _clean(text: str) -> str:
    """Repaired text on one line, without bytes that databases and terminals refuse."""
    text = "".join(" " if c < " " or c == "\x7f" else c for c in _repaired(text))
    text = text.encode("utf-8", "ignore").decode("utf-8")
    text = _ENTITY.sub(lambda entity: html.unescape(entity.group()), text)
    return " ".join(text.split())[:_LONGEST_TEXT]


def _repaired(text: str) -> str:
    """Undo the two common mistakes: UTF-8 or Windows Cyrillic bytes read as Latin-1."""
    if text.isascii():
        return text
    for wrong in ("latin-1", "cp1252"):
        try:
            return text.encode(wrong).decode("utf-8")
        except UnicodeError:
            continue
    if _CYRILLIC_AS_LATIN.search(text) and not _MIXED_WORD.search(text):
        try:
            return text.encode("latin-1").decode("cp1251")
        except UnicodeError:
            return text
    return text


def _number(find: Callable[[str], re.Match[str] | None], text: str | None) -> int | None:
    match = find(text) if text else None
    return int(match.group(1)) or None if match else None

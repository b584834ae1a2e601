"""Histories of Last.fm: tables, and the JSON of its API."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from recommender.audio.tag_text import utf8, utf16
from recommender.catalog import EventKind
from recommender.errors import HistoryError
from recommender.history.items import (
    LONGEST_LINE,
    Items,
    Listen,
    Unreadable,
    mapping,
    moment,
    text_of,
)
from recommender.history.track_lookup import Named
from recommender.utils.names import label_key

_COLUMNS = {
    "artist": ("artist", "artistname"),
    "album": ("album", "release", "albumname", "releasename"),
    "title": ("track", "title", "song", "name", "trackname"),
    "at": ("uts", "timestamp", "listenedat", "date", "utctime", "time", "datetime"),
    "mbid": ("trackmbid", "recordingmbid"),
}
"""Field → headings of columns, likeliest first."""


def tracks_in(
    value: object, kind: EventKind, depth: int
) -> Iterator[tuple[Mapping[str, Any], EventKind]]:
    """The tracks in pages of Last.fm's API, and whether they were played or loved."""
    if isinstance(value, list) and depth < 10:
        for one in value:
            yield from tracks_in(one, kind, depth + 1)
    elif isinstance(value, dict) and depth < 10:
        if "artist" in value and ("name" in value or "track" in value or "title" in value):
            yield value, kind
            return
        for name, inner in value.items():
            if name in ("recenttracks", "lovedtracks", "track", "tracks", "scrobbles"):
                loved = EventKind.LIKE if name == "lovedtracks" else kind
                yield from tracks_in(inner, loved, depth + 1)


def scrobble(where: str, track: Mapping[str, Any], kind: EventKind) -> Listen | Unreadable:
    """A track of Last.fm's API."""
    artist, album, date = (track.get(name) for name in ("artist", "album", "date"))
    named = Named(
        title=text_of(track.get("name") or track.get("track") or track.get("title")),
        artist=text_of(mapping(artist).get("#text") or mapping(artist).get("name") or artist),
        album=text_of(mapping(album).get("#text") or mapping(album).get("name") or album),
        recording_mbid=text_of(track.get("mbid")),
    )
    when = mapping(date).get("uts") or date or track.get("uts") or track.get("timestamp")
    return _checked(where, named, moment(when), kind)


def read_table(path: Path, head: bytes) -> Items:
    """The rows of a table with commas, semicolons or tabs, with headings or without.

    Args:
        path: of the file.
        head: its first bytes.

    Raises `HistoryError` for what is no table.
    """
    encoding = utf16(head) or ("utf-8-sig" if utf8(head) is not None else "cp1252")
    text = head.decode(encoding, "replace")
    first_line = text.lstrip("\ufeff").partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    if "\0" in text or not first_line.count(delimiter):
        raise HistoryError(f"{path} is neither JSON nor a table: give an export of a history.")
    return _rows(path, encoding, delimiter)


def _rows(path: Path, encoding: str, delimiter: str) -> Items:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        if file.read(1) != "\ufeff":
            file.seek(0)
        lines: Iterator[str] = iter(lambda: file.readline(LONGEST_LINE), "")
        rows = csv.reader(lines, delimiter=delimiter)
        positions: Mapping[str, int] | None = None
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield Unreadable(f"line {rows.line_num}", str(error))
                continue
            if positions is None:
                positions = _positions(row)
                if positions is not None:
                    continue
                positions = {"artist": 0, "album": 1, "title": 2, "at": 3}
            if any(cell.strip() for cell in row):
                yield _of_row(f"line {rows.line_num}", row, positions)


def _positions(heading: Sequence[str]) -> Mapping[str, int] | None:
    """Field → column, of a row of headings; None for any other row."""
    keys = [label_key(cell.partition("#")[0]) for cell in heading]
    found = {
        field: keys.index(name)
        for field, names in _COLUMNS.items()
        for name in reversed(names)
        if name in keys
    }
    return found if {"artist", "title", "at"} <= found.keys() else None


def _of_row(where: str, row: Sequence[str], positions: Mapping[str, int]) -> Listen | Unreadable:
    cells = {field: row[at] for field, at in positions.items() if at < len(row)}
    named = Named(
        title=text_of(cells.get("title")),
        artist=text_of(cells.get("artist")),
        album=text_of(cells.get("album")),
        recording_mbid=text_of(cells.get("mbid")),
    )
    return _checked(where, named, moment(cells.get("at")), EventKind.PLAY)


def _checked(where: str, named: Named, at: datetime | None, kind: EventKind) -> Listen | Unreadable:
    if not (named.title and named.artist):
        return Unreadable(where, "no artist or no title")
    return Unreadable(where, "no time that makes sense") if at is None else Listen(named, at, kind)

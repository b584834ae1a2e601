"""Files with histories of listening, as ListenBrainz and Last.fm and programs around them write.

- ListenBrainz: the zip of "Export your data" (``listens/YEAR/MONTH.jsonl``, ``feedback.jsonl``),
  the same unpacked, one of its files, and a JSON array of listens, as older exports are.
- Last.fm: CSV without a heading (artist, album, track, date, as benjaminbenben's lastfm-to-csv
  writes it) or with one, and the JSON of the API's user.getRecentTracks and user.getLovedTracks,
  page by page or in a list.
"""

import csv
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from recommender.audio.tag_text import utf8, utf16
from recommender.catalog import EventKind
from recommender.errors import HistoryError
from recommender.recommendation.track_lookup import Named
from recommender.utils.names import label_key

HistoryFormat = Literal["listenbrainz", "lastfm"]

LARGEST_DOCUMENT = 256 * 2**20
"""Bytes of one JSON document, which is read whole."""

LONGEST_LINE = 2**20
MOST_BYTES = 8 * 2**30
"""Of an unpacked archive; a listen takes some 2 KB."""

_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_DATES = ("%d %b %Y %H:%M", "%d %b %Y, %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
_COLUMNS = {
    "artist": ("artist", "artistname"),
    "album": ("album", "release", "albumname", "releasename"),
    "title": ("track", "title", "song", "name", "trackname"),
    "at": ("uts", "timestamp", "listenedat", "date", "utctime", "time", "datetime"),
    "mbid": ("trackmbid", "recordingmbid"),
}
"""Field → headings of columns, likeliest first."""


@dataclass(frozen=True)
class Listen:
    """One event in a file.

    Attributes:
        named: the recording.
        at: when.
        kind: play, like or unlike.
        messybrainz_id: ListenBrainz's id of the names, by which its feedback may refer to them.
    """

    named: Named
    at: datetime
    kind: EventKind = EventKind.PLAY
    messybrainz_id: str | None = None


@dataclass(frozen=True)
class Unreadable:
    """A part of a file that makes no sense: where, and why."""

    where: str
    reason: str


Items = Iterator[Listen | Unreadable]


def read_history(path: Path) -> tuple[HistoryFormat, Items]:
    """The format of a file or folder, and its events in their order.

    Raises:
        HistoryError: it cannot be read, or is no history.
    """
    try:
        if path.is_dir():
            return "listenbrainz", _of_folder(path)
        if not path.is_file():
            raise HistoryError(f"{path} is no file that can be read: give an export.")
        with path.open("rb") as file:
            head = file.read(64 * 1024)
    except OSError as error:
        raise HistoryError(f"{path} cannot be read ({error.strerror or error}).") from error
    if head.startswith(b"PK"):
        return "listenbrainz", _of_zip(path)
    encoding = utf16(head) or "utf-8-sig"
    text = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    if text[:1] not in ("{", "["):
        return "lastfm", _of_csv(path, head)
    first = _loaded(text.partition("\n")[0])
    if isinstance(first, dict) and _is_listenbrainz(first):
        return "listenbrainz", _of_lines(path.name, path.open("rb"))
    return _of_document(path, encoding)


def _of_folder(folder: Path) -> Items:
    files = sorted(folder.rglob("*.jsonl"))
    if not files:
        raise HistoryError(
            f"{folder} holds no .jsonl file, as an unpacked ListenBrainz export does."
        )
    for file in files:
        if not file.is_file():
            continue
        try:
            yield from _of_lines(str(file.relative_to(folder)), file.open("rb"))
        except OSError as error:
            yield Unreadable(str(file), error.strerror or str(error))


def _of_zip(path: Path) -> Items:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if one.filename.endswith(".jsonl")]
            if not members:
                raise HistoryError(f"{path} holds no .jsonl file, as a ListenBrainz export does.")
            if sum(one.file_size for one in members) > MOST_BYTES:
                limit = MOST_BYTES // 2**30
                raise HistoryError(f"{path} unpacks to more than {limit} GiB; import its files.")
            for member in members:
                try:
                    yield from _of_lines(member.filename, archive.open(member))
                except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError) as error:
                    yield Unreadable(member.filename, str(error))
    except (zipfile.BadZipFile, OSError) as error:
        raise HistoryError(f"{path} is no zip that can be read ({error}).") from error


def _of_lines(name: str, opened: IO[bytes]) -> Items:
    """JSON lines of listens or of feedback; other lines are passed over."""
    with opened:
        number = 0
        while line := opened.readline(LONGEST_LINE):
            number += 1
            value = _loaded(line.decode("utf-8-sig" if number == 1 else "utf-8", "replace"))
            if isinstance(value, dict) and _is_listenbrainz(value):
                yield _listen(f"{name}, line {number}", value)
            elif line.strip() and not isinstance(value, dict):
                yield Unreadable(f"{name}, line {number}", "no JSON object")


def _is_listenbrainz(value: Mapping[str, Any]) -> bool:
    return "listened_at" in value or ("score" in value and "created" in value)


def _listen(where: str, value: Mapping[str, Any]) -> Listen | Unreadable:
    """A listen, or feedback, of ListenBrainz."""
    at = _moment(value.get("listened_at", value.get("created")))
    if at is None:
        return Unreadable(where, "no time that makes sense")
    metadata = _mapping(value.get("track_metadata"))
    mapped, info = _mapping(metadata.get("mbid_mapping")), _mapping(metadata.get("additional_info"))
    mbid = mapped.get("recording_mbid") or info.get("recording_mbid") or value.get("recording_mbid")
    named = Named(
        title=_text(metadata.get("track_name")),
        artist=_text(metadata.get("artist_name")),
        album=_text(metadata.get("release_name")),
        recording_mbid=_text(mbid),
    )
    messybrainz_id = _text(metadata.get("recording_msid") or value.get("recording_msid"))
    kind = EventKind.PLAY
    if "score" in value:
        kinds = {1: EventKind.LIKE, -1: EventKind.UNLIKE, 0: EventKind.UNLIKE}
        score = value["score"]
        if not isinstance(score, int) or score not in kinds:
            return Unreadable(where, "feedback that is neither 1, 0 nor -1")
        kind = kinds[score]
    elif not (named.title and named.artist) and not named.recording_mbid:
        return Unreadable(where, "neither names nor an id of a recording")
    return Listen(named, at, kind, messybrainz_id)


def _of_document(path: Path, encoding: str) -> tuple[HistoryFormat, Items]:
    if path.stat().st_size > LARGEST_DOCUMENT:
        limit = LARGEST_DOCUMENT // 2**20
        raise HistoryError(f"{path} is one JSON document of more than {limit} MiB; divide it.")
    try:
        document = json.loads(path.read_bytes().decode(encoding).removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise HistoryError(f"{path} is no JSON ({error}).") from error
    listed = document.get("payload", document) if isinstance(document, dict) else document
    listed = listed.get("listens", listed) if isinstance(listed, dict) else listed
    items = listed if isinstance(listed, list) else []
    if any(isinstance(one, dict) and _is_listenbrainz(one) for one in items[:100]):
        return "listenbrainz", (
            _listen(f"entry {number}", _mapping(one)) for number, one in enumerate(items, start=1)
        )
    tracks = list(_lastfm_tracks(document, EventKind.PLAY, 0))
    if not tracks:
        raise HistoryError(f"{path} is JSON, but neither of ListenBrainz nor of Last.fm.")
    return "lastfm", (
        _scrobble(f"entry {number}", track, kind)
        for number, (track, kind) in enumerate(tracks, start=1)
        if _mapping(track.get("@attr")).get("nowplaying") != "true"
    )


def _lastfm_tracks(
    value: object, kind: EventKind, depth: int
) -> Iterator[tuple[Mapping[str, Any], EventKind]]:
    """The tracks in pages of Last.fm's API, and whether they were played or loved."""
    if isinstance(value, list) and depth < 10:
        for one in value:
            yield from _lastfm_tracks(one, kind, depth + 1)
    elif isinstance(value, dict) and depth < 10:
        if "artist" in value and ("name" in value or "track" in value or "title" in value):
            yield value, kind
            return
        for name, inner in value.items():
            if name in ("recenttracks", "lovedtracks", "track", "tracks", "scrobbles"):
                loved = EventKind.LIKE if name == "lovedtracks" else kind
                yield from _lastfm_tracks(inner, loved, depth + 1)


def _scrobble(where: str, track: Mapping[str, Any], kind: EventKind) -> Listen | Unreadable:
    """A track of Last.fm's API."""
    artist, album, date = (track.get(name) for name in ("artist", "album", "date"))
    named = Named(
        title=_text(track.get("name") or track.get("track") or track.get("title")),
        artist=_text(_mapping(artist).get("#text") or _mapping(artist).get("name") or artist),
        album=_text(_mapping(album).get("#text") or _mapping(album).get("name") or album),
        recording_mbid=_text(track.get("mbid")),
    )
    when = _mapping(date).get("uts") or date or track.get("uts") or track.get("timestamp")
    return _checked(where, named, _moment(when), kind)


def _of_csv(path: Path, head: bytes) -> Items:
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
        title=_text(cells.get("title")),
        artist=_text(cells.get("artist")),
        album=_text(cells.get("album")),
        recording_mbid=_text(cells.get("mbid")),
    )
    return _checked(where, named, _moment(cells.get("at")), EventKind.PLAY)


def _checked(where: str, named: Named, at: datetime | None, kind: EventKind) -> Listen | Unreadable:
    if not (named.title and named.artist):
        return Unreadable(where, "no artist or no title")
    return Unreadable(where, "no time that makes sense") if at is None else Listen(named, at, kind)


def _moment(value: object) -> datetime | None:
    """Of seconds or milliseconds since 1970, or of a date in UTC as text."""
    found: datetime | None = None
    try:
        text = str(value).strip()
        number = float(text) if not isinstance(value, bool) else None
        if number is not None:
            found = datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
    except (ValueError, OverflowError, OSError):
        found = _dated(text)
    return found if found is not None and _EARLIEST <= found < _LATEST else None


def _dated(text: str) -> datetime | None:
    for form in _DATES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None

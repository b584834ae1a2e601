"""Files with histories of listening, as ListenBrainz and Last.fm and programs around them write.

- ListenBrainz: the zip of "Export your data" (``listens/YEAR/MONTH.jsonl``, ``feedback.jsonl``),
  the same unpacked, one of its files, and a JSON array of listens, as older exports are.
- Last.fm: CSV without a heading (artist, album, track, date, as benjaminbenben's lastfm-to-csv
  writes it) or with one, and the JSON of the API's user.getRecentTracks and user.getLovedTracks,
  page by page or in a list.
"""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Literal

from recommender.audio.tag_text import utf16
from recommender.catalog import EventKind
from recommender.errors import HistoryError
from recommender.history.items import (
    LONGEST_LINE,
    Items,
    Listen,
    Unreadable,
    loaded,
    mapping,
    moment,
    text_of,
)
from recommender.history.lastfm import read_table, scrobble, tracks_in
from recommender.history.track_lookup import Named

HistoryFormat = Literal["listenbrainz", "lastfm"]

LARGEST_DOCUMENT = 256 * 2**20
"""Bytes of one JSON document, which is read whole."""

MOST_BYTES = 8 * 2**30
"""Of an unpacked archive; a listen takes some 2 KB."""


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
        return "lastfm", read_table(path, head)
    first = loaded(text.partition("\n")[0])
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
            value = loaded(line.decode("utf-8-sig" if number == 1 else "utf-8", "replace"))
            if isinstance(value, dict) and _is_listenbrainz(value):
                yield _listen(f"{name}, line {number}", value)
            elif line.strip() and not isinstance(value, dict):
                yield Unreadable(f"{name}, line {number}", "no JSON object")


def _is_listenbrainz(value: Mapping[str, Any]) -> bool:
    return "listened_at" in value or ("score" in value and "created" in value)


def _listen(where: str, value: Mapping[str, Any]) -> Listen | Unreadable:
    """A listen, or feedback, of ListenBrainz."""
    at = moment(value.get("listened_at", value.get("created")))
    if at is None:
        return Unreadable(where, "no time that makes sense")
    metadata = mapping(value.get("track_metadata"))
    mapped, info = mapping(metadata.get("mbid_mapping")), mapping(metadata.get("additional_info"))
    mbid = mapped.get("recording_mbid") or info.get("recording_mbid") or value.get("recording_mbid")
    named = Named(
        title=text_of(metadata.get("track_name")),
        artist=text_of(metadata.get("artist_name")),
        album=text_of(metadata.get("release_name")),
        recording_mbid=text_of(mbid),
    )
    messybrainz_id = text_of(metadata.get("recording_msid") or value.get("recording_msid"))
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
            _listen(f"entry {number}", mapping(one)) for number, one in enumerate(items, start=1)
        )
    tracks = list(tracks_in(document, EventKind.PLAY, 0))
    if not tracks:
        raise HistoryError(f"{path} is JSON, but neither of ListenBrainz nor of Last.fm.")
    return "lastfm", (
        scrobble(f"entry {number}", track, kind)
        for number, (track, kind) in enumerate(tracks, start=1)
        if mapping(track.get("@attr")).get("nowplaying") != "true"
    )

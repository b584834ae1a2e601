"""Histories of ListenBrainz and Last.fm: what they hold, and which tracks they mean."""

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_world import analysis

from recommender.catalog import Catalog, FileStat, Tags
from recommender.errors import HistoryError, UsageError
from recommender.history.export import export_history
from recommender.history.importing import UnmatchedListens, import_history

MBID = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"
THEN = 1_700_000_000


class Shelf:
    def __init__(self, catalog: Catalog, folder: Path) -> None:
        self.catalog = catalog
        self.folder = folder
        self.library, _ = catalog.scope_of(folder / "music")
        self.joga = self.add("Jóga", "Björk", "Homogenic", MBID)
        self.hunter = self.add("Hunter", "Björk", "Homogenic")
        self.single = self.add("Hunter", "Björk", "Hunter (single)")
        self.duet = self.add("Náttúra", "Björk feat. Thom Yorke", None)

    def add(self, title: str, artist: str, album: str | None, mbid: str | None = None) -> int:
        tags = Tags(title, artist, album, recording_mbid=mbid)
        name = f"{artist} {album} {title}"
        with self.catalog.writing() as write:
            return write.analysed(
                self.library, FileStat(name, 1, 1), name, tags, analysis(10.0, 60.0), "test"
            )

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def events(self, user: str = "") -> list[tuple[str, int, int]]:
        return [
            (event.kind.value, event.track_id, int(event.at.timestamp()))
            for event in self.catalog.history(user)
        ]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        yield Shelf(catalog, tmp_path)


def listen(title: str, at: float = THEN, artist: str = "Björk", **more: Any) -> dict[str, Any]:
    album = more.pop("album", None)
    metadata = {"track_name": title, "artist_name": artist, "release_name": album, **more}
    return {"listened_at": at, "inserted_at": at, "track_metadata": metadata}


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def test_an_export_of_listenbrainz(shelf: Shelf) -> None:
    with zipfile.ZipFile(shelf.folder / "export.zip", "w") as archive:
        archive.writestr("user.json", '{"user_id": 1, "username": "ana"}\n')
        archive.writestr(
            "listens/2023/11.jsonl",
            lines(
                listen("Anything", mbid_mapping={"recording_mbid": MBID}),
                listen("HUNTER", THEN + 60.0, "bjork", album="Hunter (Single)"),
                listen("Nattura", THEN + 120, "Björk", recording_msid="m-1"),
                listen("Unknown", THEN + 180, "Nobody I know", recording_msid="m-2"),
                listen("Unknown", THEN + 240, "Nobody I know"),
            ),
        )
        archive.writestr(
            "feedback.jsonl",
            lines(
                {"recording_mbid": MBID, "recording_msid": None, "score": 1, "created": THEN},
                {"recording_mbid": None, "recording_msid": "m-1", "score": -1, "created": THEN},
                {"recording_mbid": None, "recording_msid": "m-3", "score": 1, "created": THEN},
            ),
        )
        archive.writestr("pinned_recording.jsonl", lines({"created": THEN, "blurb_content": "x"}))
    numbers: list[int] = []
    found = import_history(shelf.catalog, shelf.folder / "export.zip", "ana", numbers.append)
    assert shelf.events("ana") == [
        ("play", shelf.joga, THEN),
        ("like", shelf.joga, THEN),
        ("unlike", shelf.duet, THEN),
        ("play", shelf.single, THEN + 60),
        ("play", shelf.duet, THEN + 120),
    ]
    assert (found.format, found.read, found.matched, found.added) == ("listenbrainz", 8, 5, 5)
    assert (found.tracks, found.unreadable_count) == (3, 0)
    assert found.unmatched[0] == UnmatchedListens("Nobody I know", "Unknown", 2)
    assert sum(one.count for one in found.unmatched) == 3
    assert shelf.events() == []


def test_a_newer_export_adds_what_is_new(shelf: Shelf) -> None:
    first = shelf.file("a.jsonl", lines(listen("Jóga"), listen("Hunter", THEN + 60)))
    assert import_history(shelf.catalog, first).added == 2
    newer = shelf.file(
        "b.jsonl", lines(listen("Jóga"), listen("Hunter", THEN + 60), listen("Jóga", THEN + 99))
    )
    again = import_history(shelf.catalog, newer)
    assert (again.matched, again.added) == (3, 1)
    assert import_history(shelf.catalog, newer).added == 0
    assert len(shelf.events()) == 3


@pytest.mark.parametrize("form", ["array", "payload", "folder", "bom"])
def test_other_forms_of_listenbrainz(shelf: Shelf, form: str) -> None:
    listens = [listen("Jóga"), listen("Hunter", THEN + 60, album="Homogenic")]
    if form == "folder":
        (shelf.folder / "export" / "listens").mkdir(parents=True)
        shelf.file("export/listens/1.jsonl", lines(*listens))
        path = shelf.folder / "export"
    elif form == "bom":
        path = shelf.file("a.jsonl", b"\xef\xbb\xbf" + lines(*listens).encode())
    else:
        document: object = listens if form == "array" else {"payload": {"listens": listens}}
        path = shelf.file("a.json", json.dumps(document, indent=1))
    assert import_history(shelf.catalog, path).format == "listenbrainz"
    assert shelf.events() == [("play", shelf.joga, THEN), ("play", shelf.hunter, THEN + 60)]


AT = datetime(2023, 11, 14, 22, 13, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "Björk,Homogenic,Jóga,14 Nov 2023 22:13\n"
        '"Björk","Hunter (single)","Hunter",14 Nov 2023 22:14\n',
        "\ufeffuts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\r\n"
        f'"{AT:.0f}","14 Nov 2023, 22:13","Björk","","Homogenic","","Jóga","{MBID}"\r\n'
        f'"{AT + 60:.0f}","14 Nov 2023, 22:14","Björk","","Hunter (single)","","Hunter",""\r\n',
        "Artist;Album;AlbumId;Track;Date#ana\n"
        f"Björk;Homogenic;;Jóga;{AT * 1000:.0f}\n"
        f"Björk;Hunter (single);;Hunter;{AT * 1000 + 60000:.0f}\n",
        "artist\talbum\ttrack\tdate\nBjörk\t\tJóga\t2023-11-14 22:13:00\n"
        "Björk\tHunter (single)\tHunter\t2023-11-14T22:14:00Z\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_tables_of_last_fm(shelf: Shelf, text: str, encoding: str) -> None:
    if encoding != "utf-8":
        text = text.removeprefix("\ufeff")
    found = import_history(shelf.catalog, shelf.file("a.csv", text.encode(encoding)))
    assert (found.format, found.read, found.unreadable) == ("lastfm", 2, [])
    assert shelf.events() == [("play", shelf.joga, int(AT)), ("play", shelf.single, int(AT) + 60)]


def scrobble(title: str, at: int | None, **more: Any) -> dict[str, Any]:
    date = {} if at is None else {"date": {"uts": str(at), "#text": "14 Nov 2023, 22:13"}}
    return {"artist": {"mbid": "", "#text": "Björk"}, "name": title, "mbid": "", **date, **more}


@pytest.mark.parametrize("form", ["page", "pages", "bare pages", "tracks"])
def test_json_of_last_fm(shelf: Shelf, form: str) -> None:
    tracks = [
        scrobble("Now", None, **{"@attr": {"nowplaying": "true"}}),
        scrobble("Jóga", THEN, album={"#text": "Homogenic"}),
        scrobble("Hunter", THEN + 60, album={"#text": "Hunter (single)"}),
    ]
    documents: dict[str, object] = {
        "page": {"recenttracks": {"track": tracks, "@attr": {"page": "1"}}},
        "pages": [{"recenttracks": {"track": [one]}} for one in tracks],
        "bare pages": [{"track": tracks, "@attr": {}}],
        "tracks": tracks,
    }
    found = import_history(shelf.catalog, shelf.file("a.json", json.dumps(documents[form])))
    assert (found.format, found.read, found.unreadable) == ("lastfm", 2, [])
    assert shelf.events() == [("play", shelf.joga, THEN), ("play", shelf.single, THEN + 60)]


def test_loved_tracks_of_last_fm(shelf: Shelf) -> None:
    loved = {"artist": {"name": "Björk"}, "name": "Jóga", "date": {"uts": str(THEN)}}
    document = {"lovedtracks": {"track": [loved]}}
    import_history(shelf.catalog, shelf.file("a.json", json.dumps(document)))
    assert shelf.catalog.likes() == [shelf.joga]


def test_what_makes_no_sense_is_named_and_the_rest_goes_on(shelf: Shelf) -> None:
    text = lines(listen("Jóga"), listen("Hunter", 0), 3, {"other": 1}, listen("Hunter", "soon"))
    text += "{broken\n\n" + lines({"score": 7, "created": THEN}, listen("", artist=""))
    text += lines(listen("Hunter", THEN + 5))
    found = import_history(shelf.catalog, shelf.file("a.jsonl", text))
    assert found.unreadable == [
        "a.jsonl, line 2: no time that makes sense",
        "a.jsonl, line 3: no JSON object",
        "a.jsonl, line 5: no time that makes sense",
        "a.jsonl, line 6: no JSON object",
        "a.jsonl, line 8: feedback that is neither 1, 0 nor -1",
        "a.jsonl, line 9: neither names nor an id of a recording",
    ]
    assert found.unreadable_count == 6
    assert len(shelf.events()) == 2
    table = 'Björk,,Jóga,14 Nov 2023 22:13\nBjörk,,Jóga,someday\nBjörk\n"a\nb",c\n,,,\n'
    found = import_history(shelf.catalog, shelf.file("a.csv", table))
    assert (found.added, found.unreadable_count) == (1, 3)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.zip", b"PK\x03\x04 and no more", "no zip that can be read"),
        ("a.txt", b"hello", "neither JSON nor a table"),
        ("a.bin", b"\0\1\2,\0", "neither JSON nor a table"),
        ("a.json", b"{}", "neither of ListenBrainz nor of Last.fm"),
        ("a.json", b"[1, 2", "no JSON"),
        ("a.json", b"[" * 100_000, "no JSON"),
        ("empty", b"", "neither JSON nor a table"),
    ],
)
def test_what_is_no_history(shelf: Shelf, name: str, content: bytes, words: str) -> None:
    with pytest.raises(HistoryError, match=words):
        import_history(shelf.catalog, shelf.file(name, content))
    for path in (shelf.folder / "absent", Path("/dev/null")):
        with pytest.raises(HistoryError, match="no file that can be read"):
            import_history(shelf.catalog, path)
    (shelf.folder / "without").mkdir(exist_ok=True)
    with pytest.raises(HistoryError, match=r"no \.jsonl file"):
        import_history(shelf.catalog, shelf.folder / "without")


def test_a_damaged_member_of_an_archive_is_named(shelf: Shelf) -> None:
    path = shelf.folder / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("listens/1.jsonl", lines(listen("Jóga")))
        archive.writestr("listens/2.jsonl", lines(listen("Hunter", THEN + 60)))
    data = path.read_bytes().replace(b"Hunter", b"Hunger")
    path.write_bytes(data)
    found = import_history(shelf.catalog, path)
    assert found.added == 1
    assert "Bad CRC" in found.unreadable[0]


def test_a_bomb_of_an_archive_is_refused(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.history.formats.MOST_BYTES", 1000)
    path = shelf.folder / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("listens/1.jsonl", "0" * 100_000)
    with pytest.raises(HistoryError, match="unpacks to more than"):
        import_history(shelf.catalog, path)


KEYS = (
    *("track", "recenttracks", "artist", "name", "date", "uts", "listened_at"),
    *("track_metadata", "mbid_mapping", "score", "created", "#text"),
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(KEYS),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_any_file_is_read_or_refused(shelf: Shelf, content: bytes) -> None:
    try:
        found = import_history(shelf.catalog, shelf.file("any", content))
    except HistoryError:
        return
    assert found.added == 0


def test_what_is_exported_is_imported_elsewhere(shelf: Shelf, tmp_path: Path) -> None:
    for number, (kind, track) in enumerate(
        [("play", shelf.joga), ("like", shelf.single), ("unlike", shelf.duet), ("skip", shelf.joga)]
    ):
        shelf.catalog.record("ana", kind, track, datetime.fromtimestamp(THEN + number, UTC))
    file = tmp_path / "ana.jsonl"
    assert export_history(shelf.catalog, file, "ana") == 3
    found = import_history(shelf.catalog, file, "eve")
    assert (found.added, found.unmatched, found.unreadable) == (3, [], [])
    assert shelf.events("eve") == shelf.events("ana")[:3]
    assert export_history(shelf.catalog, file, "nobody") == 0
    assert file.read_bytes() == b""
    with pytest.raises(UsageError, match="no folder"):
        export_history(shelf.catalog, tmp_path / "absent" / "a.jsonl")


def test_an_own_export_adds_nothing(shelf: Shelf, tmp_path: Path) -> None:
    track = shelf.joga
    at = datetime(2026, 11, 20, 12, 0, 0, 700_000, tzinfo=UTC)
    for seconds in (0, 180, 181.4):
        for kind in ("play", "like"):
            shelf.catalog.record("ana", kind, track, at + timedelta(seconds=seconds), "mpd")
    before = shelf.catalog.history("ana")
    export_history(shelf.catalog, tmp_path / "own.jsonl", "ana")
    found = import_history(shelf.catalog, tmp_path / "own.jsonl", "ana")
    assert (found.matched, found.added) == (6, 0)
    assert shelf.catalog.history("ana") == before
    assert import_history(shelf.catalog, tmp_path / "own.jsonl", "bo").added == 6


def test_a_table_of_something_else_is_no_history(shelf: Shelf) -> None:
    file = shelf.folder / "prices.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(HistoryError, match=r"of 2 entries none can be read .*line 1: no artist"):
        import_history(shelf.catalog, file)
    assert shelf.catalog.history() == []

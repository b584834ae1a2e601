"""Playlist files: what is written is read again, and what others write is understood."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from toy_world import analysis

from recommender.audio.segments import Segment
from recommender.catalog import Catalog, FileStat, Library, Tags
from recommender.errors import PlaylistError, UsageError
from recommender.playlists.files import (
    PlaylistContent,
    playlist_text,
    read_playlist,
    write_playlist,
)

ENDINGS = ("m3u", "m3u8", "xspf")


class Shelf:
    """A catalogue of files that need not exist, and a folder for playlists."""

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        self.catalog = catalog
        self.folder = folder
        self.files = 0
        self.library: Library = catalog.scope_of(folder / "Music")[0]
        (folder / "Music").mkdir()
        (folder / "lists").mkdir()

    def add(
        self, path: str, duration: float = 60.0, segment: Segment | None = None, **tags: str
    ) -> int:
        content = f"{os.fsencode(path).hex()} {segment}"
        self.files += 1
        one = analysis(10.0, duration)
        with self.catalog.writing() as write:
            return write.analysed(
                self.library,
                FileStat(path, 1, 1 + self.files * (segment is None)),
                content,
                Tags(**tags),
                one,
                "test",
                None,
                segment,
            )

    def read(self, name: str, content: str | bytes, **options: bool) -> PlaylistContent:
        file = self.folder / "lists" / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_playlist(self.catalog, file, **options)

    def ids(self, name: str, content: str | bytes) -> list[int]:
        found = self.read(name, content)
        assert found.unmatched == []
        return [track.id for track in found.tracks]

    def kinds(self, name: str, content: str | bytes) -> list[tuple[int, str]]:
        return [(one.number, one.kind) for one in self.read(name, content).unmatched]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        yield Shelf(catalog, tmp_path)


def xspf(*tracks: str, head: str = "") -> str:
    listed = "".join(f"<track>{track}</track>" for track in tracks)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<playlist version="1" '
        f'xmlns="http://xspf.org/ns/0/"><trackList>{listed}</trackList></playlist>'
    )


def at(location: str) -> str:
    return f"<location>{location}</location>"


def is_file_name(name: str) -> bool:
    try:
        raw = os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return name not in ("", ".", "..") and len(raw) < 250 and os.fsdecode(raw) == name


# Any name that POSIX has, bytes that are not UTF-8 and line breaks among them.
names = st.text(
    st.one_of(st.characters(exclude_characters="/\0"), st.sampled_from("#%?:\\ \n\r;&\udce9é")),
    min_size=1,
    max_size=12,
).filter(is_file_name)


@pytest.mark.skipif(os.name != "posix", reason="byte paths are POSIX's")
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(
    paths=st.lists(st.lists(names, min_size=1, max_size=3), min_size=1, max_size=4),
    title=st.text(max_size=8),
    absolute=st.booleans(),
    ending=st.sampled_from(ENDINGS),
)
@example(paths=[["#1 hit.mp3"], [" a.mp3 "], ["C:\\x.mp3"]], title="", absolute=False, ending="m3u")
@example(
    paths=[["50%41.mp3"], ["50A.mp3"], ["é.mp3"], ["é.mp3"]],
    title="&<",
    absolute=True,
    ending="xspf",
)
@example(paths=[["a#t=1,2"], ["a"], ["a#3"], ["file:a"]], title="\0", absolute=False, ending="xspf")
@example(paths=[["http:", "x.mp3"], ["x.m3u"]], title=" - ", absolute=False, ending="m3u8")
def test_what_is_written_is_read_again(
    shelf: Shelf, paths: list[list[str]], title: str, absolute: bool, ending: str
) -> None:
    ids = list(dict.fromkeys(shelf.add("/".join(path), title=title, artist="A") for path in paths))
    tracks = shelf.catalog.tracks(ids)
    file = shelf.folder / "lists" / f"p.{ending}"
    count = write_playlist(file, tracks, absolute=absolute, title=title)
    writable = [t.id for t in tracks if ending == "xspf" or not {"\n", "\r"} & set(t.path)]
    content = read_playlist(shelf.catalog, file)
    assert [track.id for track in content.tracks] == writable
    assert content.unmatched == []
    assert count == len(writable)


def test_parts_of_a_file_are_read_again(shelf: Shelf) -> None:
    ids = [
        shelf.add("album.flac", 30.0, Segment(n, 30.0 * (n - 1), 30.0 * n), title=f"part {n}")
        for n in (1, 2, 3)
    ]
    tracks = shelf.catalog.tracks([ids[2], ids[0]])
    for ending in ENDINGS:
        file = shelf.folder / f"parts.{ending}"
        assert write_playlist(file, tracks) == 2
        assert read_playlist(shelf.catalog, file).tracks == tracks
    text, _ = playlist_text(tracks, None, "xspf")
    assert "<vlc:option>start-time=60.000</vlc:option>" in text
    assert "<vlc:option>stop-time=90.000</vlc:option>" in text
    whole = "../Music/album.flac"
    assert shelf.ids("a.m3u8", whole) == ids
    assert shelf.ids("b.m3u8", f"{whole}#2") == [ids[1]]
    assert shelf.ids("c.m3u8", f"{whole}/track0003") == [ids[2]]
    assert shelf.ids("d.xspf", xspf(at(f"{whole}#t=30,60"))) == [ids[1]]
    assert shelf.ids("e.xspf", xspf(at(f"{whole}#t=0:01:00.2"))) == [ids[2]]
    assert shelf.kinds("f.xspf", xspf(at(f"{whole}#t=77"))) == [(1, "unknown")]
    assert shelf.kinds("g.m3u8", f"{whole}#9") == [(1, "unknown")]


@pytest.mark.parametrize(
    "line",
    [
        "{folder}/Music/Ärzte/Männer sind.mp3",
        "../Music/Ärzte/Männer sind.mp3",
        "..\\Music\\Ärzte\\Männer sind.mp3",
        "file://{folder}/Music/%C3%84rzte/M%C3%A4nner%20sind.mp3",
        "file://localhost{folder}/Music/%C3%84rzte/M%C3%A4nner%20sind.mp3",
        "FILE:{folder}/Music/Ärzte/Männer sind.mp3",
        "../Music/%C3%84rzte/M%C3%A4nner%20sind.mp3",
        "D:\\Old\\Ärzte\\Männer sind.mp3",
        "d:/old/ÄRZTE/männer sind.MP3",
        "file:///D:/Old/%C3%84rzte/M%C3%A4nner%20sind.mp3",
        "\\\\nas\\share\\Ärzte\\Männer sind.mp3",
        "file://nas/share/%C3%84rzte/M%C3%A4nner%20sind.mp3",
        "/Volumes/Disk/A\u0308rzte/Ma\u0308nner sind.mp3",
        "  ../Music/Ärzte/Männer sind.mp3  ",
        "../Music/../Music/./Ärzte//Männer sind.mp3",
        "Männer sind.mp3",
    ],
)
def test_the_same_file_as_others_write_it(shelf: Shelf, line: str) -> None:
    wanted = shelf.add("Ärzte/Männer sind.mp3")
    shelf.add("Other/Männer.mp3")
    content = f"#EXTM3U\r\n#EXTINF:60,Ärzte - Männer\r\n{line.format(folder=shelf.folder)}\r\n"
    assert shelf.ids("a.m3u8", content) == [wanted]
    uri = line.format(folder=shelf.folder).replace("&", "&amp;")
    assert shelf.ids("a.xspf", xspf(at(uri))) == [wanted]


@pytest.mark.parametrize(
    ("encoding", "mark", "end"),
    [
        ("utf-8", b"", "\n"),
        ("utf-8", b"\xef\xbb\xbf", "\r\n"),
        ("utf-16-le", b"\xff\xfe", "\r\n"),
        ("utf-16-be", b"\xfe\xff", "\n"),
        ("utf-16-le", b"", "\r\n"),
        ("latin-1", b"", "\r"),
        ("cp1252", b"", "\r\n"),
    ],
)
def test_encodings_and_line_ends(shelf: Shelf, encoding: str, mark: bytes, end: str) -> None:
    wanted = [shelf.add("Ärzte/Männer für Öl.mp3"), shelf.add("Ärzte/Große Füße.mp3")]
    lines = ["#EXTM3U", "#EXTINF:60,Grüße", "../Music/Ärzte/Männer für Öl.mp3", ""]
    lines += ["../Music/Ärzte/Große Füße.mp3", ""]
    assert shelf.ids("a.m3u", mark + end.join(lines).encode(encoding)) == wanted


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("latin-1", "ISO-8859-1"),
        ("cp1252", "UTF-8"),  # which it is not
        ("cp1251", "windows-1251"),
        ("shift_jis", "Shift_JIS"),
    ],
)
def test_encodings_of_xml(shelf: Shelf, encoding: str, declared: str) -> None:
    name = {"cp1251": "Кино/Группа крови", "shift_jis": "歌/東京"}.get(encoding, "Ärzte/Männer")
    wanted = shelf.add(f"{name}.mp3")
    text = xspf(at(f"../Music/{name}.mp3")).replace("UTF-8", declared)
    assert shelf.ids("a.xspf", text.encode(encoding)) == [wanted]


def test_cyrillic_names_in_bytes_of_windows(shelf: Shelf) -> None:
    wanted = shelf.add("Кино/Группа крови.mp3")
    assert shelf.ids("a.m3u", "D:\\Музыка\\Кино\\Группа крови.mp3\r\n".encode("cp1251")) == [wanted]


def test_a_name_in_bytes_comes_before_a_guess(shelf: Shelf) -> None:
    latin = shelf.add(os.fsdecode("Käse.mp3".encode("latin-1")))
    shelf.add("Käse.mp3")
    assert shelf.ids("a.m3u", "../Music/Käse.mp3".encode("latin-1")) == [latin]


def test_without_its_path_a_track_is_known_by_its_names(shelf: Shelf) -> None:
    album = shelf.add("x/1.mp3", 200.0, title="Jóga", artist="Björk", album="Homogenic")
    single = shelf.add("x/2.mp3", 230.0, title="Jóga", artist="Björk feat. Strings", album="Jóga")
    shelf.add("x/3.mp3", title="Jóga", artist="Somebody")
    assert shelf.ids("a.m3u", "#EXTINF:200,bjork - JOGA\nC:\\gone.mp3") == [album]
    assert shelf.ids("b.m3u", "#EXTINF:230,Björk - Jóga (Remastered 2009)\nC:\\gone.mp3") == [
        single
    ]
    names = "<title>Jóga</title><creator>Björk</creator><album>{}</album>"
    assert shelf.ids("c.xspf", xspf(names.format("Jóga"))) == [single]
    assert shelf.ids("d.xspf", xspf(names.format("Homogenic"), names.format("Jóga"))) == [
        album,
        single,
    ]


def test_a_recording_by_its_identifier(shelf: Shelf) -> None:
    mbid = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"
    wanted = shelf.add("1.mp3", recording_mbid=mbid)
    track = f"<identifier>https://musicbrainz.org/recording/{mbid}</identifier>"
    assert shelf.ids("a.xspf", xspf(track)) == [wanted]
    text, _ = playlist_text(shelf.catalog.tracks([wanted]), None, "xspf")
    assert track in text


def test_a_file_name_alone_proves_little(shelf: Shelf) -> None:
    for album in ("One", "Two"):
        shelf.add(f"{album}/01.mp3", 100.0, title=f"First of {album}", artist="A")
    shelf.add("Three/02.mp3", 100.0, title="Second", artist="A")
    assert shelf.kinds("a.m3u", "/mnt/Four/01.mp3\n/mnt/Four/02.mp3\n01.mp3") == [
        (1, "unknown"),
        (2, "unknown"),
        (3, "unknown"),
    ]
    assert shelf.ids("b.m3u", "02.mp3")
    assert shelf.ids("c.m3u", "#EXTINF:101,\n/mnt/Four/02.mp3")
    assert shelf.kinds("d.m3u", "#EXTINF:200,\n/mnt/Four/02.mp3") == [(1, "unknown")]


def test_two_files_that_end_alike(shelf: Shelf) -> None:
    for folder in ("one", "two"):
        shelf.add(f"{folder}/A/01.mp3", title=folder)
    found = shelf.read("a.m3u", "D:\\A\\01.mp3")
    assert [(one.kind, one.reason) for one in found.unmatched] == [
        ("ambiguous", "2 files of the catalogue end alike; give a whole path")
    ]
    assert shelf.ids("b.m3u", "#EXTINF:-1,two\nD:\\A\\01.mp3") == [2]


def test_each_entry_that_is_no_track_is_named(shelf: Shelf) -> None:
    known = shelf.add("a.mp3")
    failed, gone = shelf.add("failed.mp3"), shelf.add("gone.mp3")
    (shelf.folder / "Music" / "new.mp3").touch()
    with shelf.catalog.writing() as write:
        write.failed(shelf.library, FileStat("bad.mp3", 1, 1), "unreadable", "no decoder reads it")
        write.failed(shelf.library, FileStat("failed.mp3", 2, 2), "silent", "silence")
        write.missing([gone])
    music = [f"../Music/{name}.mp3" for name in ("a", "unknown", "a", "bad", "failed", "gone")]
    others = ["list.m3u8", "LIST.PLS", "http://127.0.0.1:9/x.mp3", "spotify:track:4uLU"]
    lines = [*music, *others, "../Music", "../Music/new.mp3"]
    found = shelf.read("all.m3u8", "\n".join(lines))
    assert [track.id for track in found.tracks] == [known]
    assert [(one.number, one.kind) for one in found.unmatched] == [
        (2, "unknown"),
        (3, "doubled"),
        (4, "unreadable"),
        (5, "unreadable"),
        (6, "missing"),
        (7, "nested"),
        (8, "nested"),
        (9, "stream"),
        (10, "stream"),
        (11, "nested"),
        (12, "unknown"),
    ]
    reasons = [one.reason for one in found.unmatched]
    assert reasons[1] == "the same track as entry 1"
    assert "no decoder reads it" in reasons[2]
    assert "silence" in reasons[3]
    assert "ingest its folder" in reasons[-1]
    assert failed not in [track.id for track in found.tracks]


def test_a_track_may_be_kept_twice(shelf: Shelf) -> None:
    one = shelf.add("a.mp3")
    found = shelf.read("a.m3u", "../Music/a.mp3\n../Music/a.mp3", doubles=True)
    assert [track.id for track in found.tracks] == [one, one]
    assert found.unmatched == []


def test_a_copy_stands_in_for_a_file_that_is_gone(shelf: Shelf) -> None:
    gone = shelf.add("a.mp3")
    with shelf.catalog.writing() as write:
        content = shelf.catalog.track(gone).content_hash
        copy = write.analysed(
            shelf.library, FileStat("b.mp3", 1, 1), content, Tags(), analysis(10.0, 60.0), "test"
        )
        write.missing([gone])
    assert shelf.ids("a.m3u", "../Music/a.mp3") == [copy]


@pytest.mark.skipif(os.name != "posix", reason="links are POSIX's")
def test_files_behind_links(shelf: Shelf) -> None:
    (shelf.folder / "Music" / "a.mp3").touch()
    one = shelf.add("a.mp3")
    (shelf.folder / "shortcut").symlink_to(shelf.folder / "Music")
    assert shelf.ids("a.m3u", f"{shelf.folder}/shortcut/a.mp3") == [one]


def test_titles_and_comments(shelf: Shelf) -> None:
    tracks = shelf.catalog.tracks([shelf.add("a.mp3")])
    for ending in ENDINGS:
        file = shelf.folder / f"a.{ending}"
        write_playlist(file, tracks, title="Löwe\n& <Co>", comment="made\x01 today")
        found = read_playlist(shelf.catalog, file)
        assert found.title == "Löwe & <Co>"
        assert found.comment == ("made\ufffd today" if ending == "xspf" else None)


def test_a_base_for_relative_locations(shelf: Shelf) -> None:
    one = shelf.add("a b.mp3")
    text = xspf(at("a%20b.mp3")).replace("<playlist ", '<playlist xml:base="../Music/" ')
    assert shelf.ids("a.xspf", text) == [one]


BOMB = """<!DOCTYPE playlist [
 <!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">
 <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
 <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
]>"""
EXTERNAL = '<!DOCTYPE playlist [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "head", [BOMB, EXTERNAL, '<!DOCTYPE playlist SYSTEM "http://127.0.0.1/x">']
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(shelf: Shelf, head: str, encoding: str) -> None:
    text = xspf(at("&c;"), head=head)
    if encoding != "utf-8":
        text = text.replace("UTF-8", "UTF-16")
    with pytest.raises(PlaylistError, match=r"a\.xspf cannot be used: .*entities"):
        shelf.read("a.xspf", text.encode(encoding))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xspf", b"", "no XSPF"),
        ("a.xspf", b"hello", "no XSPF"),
        ("a.xspf", b"<html><body/></html>", "XML, but no XSPF"),
        ("a.xspf", b"<a>" * 100_000, "deep"),
        ("a.xspf", b'<?xml version="1.0" encoding="no-such"?>\xff<playlist/>', "no XSPF"),
        ("a.m3u", b"x\n" * 200_001, "more than 200,000 entries"),
        ("a.m3u", b"#" * (32 * 2**20 + 1), "larger than 32 MiB"),
    ],
)
def test_what_is_no_playlist(shelf: Shelf, name: str, content: bytes, words: str) -> None:
    with pytest.raises(PlaylistError, match=words):
        shelf.read(name, content)


def test_what_is_no_file(shelf: Shelf) -> None:
    (shelf.folder / "folder.m3u").mkdir()
    os.mkfifo(shelf.folder / "pipe.xspf")
    for name, words in (
        ("folder.m3u", "is a folder"),
        ("pipe.xspf", "a pipe"),
        ("absent.m3u", "No such file"),
    ):
        with pytest.raises(PlaylistError, match=words):
            read_playlist(shelf.catalog, shelf.folder / name)
    for name in ("a.txt", "a"):
        with pytest.raises(UsageError, match=r"ends in \.m3u, \.m3u8, \.xspf"):
            read_playlist(shelf.catalog, shelf.folder / name)


def test_an_xspf_that_breaks_off_is_read_up_to_there(shelf: Shelf) -> None:
    one = shelf.add("a.mp3")
    text = xspf(at("../Music/a.mp3"), at("../Music/b.mp3"))
    found = shelf.read("a.xspf", text[: text.index("b.mp3")])
    assert [track.id for track in found.tracks] == [one]
    assert found.fault is not None
    assert "what follows was not read" in found.fault


def test_lines_that_are_no_path_by_their_length(shelf: Shelf) -> None:
    one = shelf.add("a.mp3")
    lines = ["#EXTINF:1," + "x" * 10**6, "/" * 10**6, "%41" * 10**6, "../Music/a.mp3"]
    found = shelf.read("a.m3u", "\n".join(lines))
    assert [track.id for track in found.tracks] == [one]
    assert [(entry.kind, len(entry.location)) for entry in found.unmatched] == [
        ("unknown", 1001),
        ("unknown", 1001),
    ]


def test_lines_of_extended_m3u_that_say_nothing(shelf: Shelf) -> None:
    one = shelf.add("a.mp3", 60.0, title="A", artist="B")
    lines = ["#EXTM3U", "#EXTINF", "#EXTINF:", "#EXTINF:x,y", '#EXTINF:-1 tvg-id="x" a="b",B - A']
    lines += ["#EXTVLCOPT:network-caching=1000", "#EXTVLCOPT", "#", "#EXTGRP:x", "gone/x.mp3"]
    assert shelf.ids("a.m3u", "\n".join(lines)) == [one]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None
)
@given(content=st.binary(max_size=300), ending=st.sampled_from(ENDINGS))
@example(content=b"<?xml version='1.0' encoding='punycode'?>\xff\xfe<playlist/>", ending="xspf")
@example(content=b"#EXTINF:99999999999999999999999999999999999999999999,a\nb", ending="m3u")
@example(content=b"file://[::1/a\nfile://\nfile:\n%00\n%\n//\n\\\\\nC:", ending="m3u")
def test_any_bytes_are_read_or_refused(shelf: Shelf, content: bytes, ending: str) -> None:
    try:
        found = shelf.read(f"any.{ending}", content)
    except PlaylistError:
        return
    assert found.tracks == []
    assert [one.number for one in found.unmatched] == list(range(1, len(found.unmatched) + 1))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    "path",
    ["data:a.mp3", "urn:x/a.mp3", "spotify:a", "D:/a.mp3", "D:a", "file:a", "http:/a", "#a", " a"],
)
def test_names_beside_the_playlist_that_look_like_addresses(
    shelf: Shelf, path: str, ending: str
) -> None:
    track = shelf.catalog.track(shelf.add(path))
    file = shelf.library.root / f"p.{ending}"
    assert write_playlist(file, [track]) == 1
    assert ending == "xspf" or "./" in file.read_text(encoding="utf-8")
    content = read_playlist(shelf.catalog, file)
    assert [one.id for one in content.tracks] == [track.id]
    assert content.unmatched == []


def test_a_playlist_file_is_replaced_whole_or_not_at_all(shelf: Shelf) -> None:
    file = shelf.folder / "p.xspf"
    one = shelf.catalog.track(shelf.add("a.mp3"))
    write_playlist(file, [one])
    before = file.read_bytes()

    def breaks_off() -> Iterator[object]:
        yield one
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_playlist(file, breaks_off())  # type: ignore[arg-type]
    assert file.read_bytes() == before
    with pytest.raises(UsageError, match="does not exist"):
        write_playlist(shelf.folder / "absent" / "p.xspf", [one])


@pytest.mark.parametrize("name", ["a.m3u", "a.m3u8"])
def test_what_is_no_text_is_no_playlist(shelf: Shelf, name: str) -> None:
    with pytest.raises(PlaylistError, match=r"cannot be used: it is no text"):
        shelf.read(name, bytes(range(256)) * 20)

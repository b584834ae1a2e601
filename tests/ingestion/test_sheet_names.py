"""Which file a cue sheet divides, and when it is read."""

from pathlib import Path

import pytest
from cue_albums import Album

from recommender.catalog import FileStat, KnownFile, Library
from recommender.catalog.records import KnownSheet
from recommender.ingestion.cue_sheets import (
    NOT_USABLE,
    WITHOUT_FILE,
    LibrarySheets,
    find_sheets,
    with_divided_files,
)
from recommender.ingestion.known_stream import KnownStream
from recommender.ingestion.scan import Scan, scan_files, scan_folder

ONE_A_FILE = """FILE "01.flac" WAVE
TRACK 01 AUDIO
INDEX 01 00:00:00
FILE "02.flac" WAVE
TRACK 02 AUDIO
INDEX 01 00:00:00
"""


def sheets_in(
    root: Path, known: tuple[KnownSheet, ...] = (), failures: dict[str, KnownFile] | None = None
) -> LibrarySheets:
    found = find_sheets(Library(1, root), scan_folder(root), known, failures or {})
    assert found is not None
    return found


def add(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"sound")


def stat_of(root: Path, path: str) -> FileStat:
    found = (root / path).stat()
    return FileStat(path, found.st_size, found.st_mtime_ns)


@pytest.mark.parametrize(
    ("written", "there"),
    [
        ("album.flac", "album.flac"),
        ("album.wav", "album.flac"),
        ("ALBUM.WAV", "album.ape"),
        ("Album.Flac", "album.FLAC"),
        ("C:\\rips\\old\\album.wav", "album.wv"),
        ("/home/other/music/album.flac", "album.flac"),
        (".\\CD1\\album.wav", "CD1/album.m4a"),
        ("cd1/album.wav", "CD1/album.ogg"),
        ("CDImage.wav", "disc.mp3"),
        ("é.wav", "e\u0301.flac"),
    ],
)
def test_a_name_stands_for_the_file_that_is_there(tmp_path: Path, written: str, there: str) -> None:
    add(tmp_path, f"x/{there}", "x/other.flac", "y/album.flac")
    Album(name=written).write(tmp_path / "x/disc.cue")
    sheets = sheets_in(tmp_path)
    assert len(sheets.of(f"x/{there}")[0].segments) == 3
    assert sheets.touches(f"x/{there}")
    assert not sheets.touches("y/album.flac")
    assert not sheets.failures


def test_an_exact_name_comes_before_others(tmp_path: Path) -> None:
    add(tmp_path, "album.flac", "album.wav")
    Album().write(tmp_path / "album.cue")
    sheets = sheets_in(tmp_path)
    assert (len(sheets.of("album.wav")), len(sheets.of("album.flac"))) == (1, 0)


def test_a_name_out_of_the_library_stands_for_nothing(tmp_path: Path) -> None:
    add(tmp_path, "secret.flac", "root/a.flac")
    Album(name="../secret.flac").write(tmp_path / "root/x.cue")
    (failure,) = sheets_in(tmp_path / "root").failures
    assert failure.kind == WITHOUT_FILE
    assert "secret.flac" in failure.reason


def test_of_two_sheets_the_one_called_like_the_file_comes_first(tmp_path: Path) -> None:
    add(tmp_path, "album.flac")
    for name in ("a.cue", "album.flac.cue", "z.cue"):
        Album().write(tmp_path / name)
    assert [use.stat.path for use in sheets_in(tmp_path).of("album.flac")] == [
        "album.flac.cue",
        "a.cue",
        "z.cue",
    ]


def test_sheets_with_a_file_for_each_track_divide_nothing(tmp_path: Path) -> None:
    add(tmp_path, "01.flac", "02.flac")
    (tmp_path / "album.cue").write_text(ONE_A_FILE)
    (tmp_path / "game.cue").write_text(Album(name="game.bin").text().replace("WAVE", "BINARY"))
    sheets = sheets_in(tmp_path)
    assert not sheets.failures
    assert not sheets.touches("01.flac")
    assert [stat.path for stat in sheets.idle] == ["album.cue", "game.cue"]


def test_what_cannot_be_used_is_told_once(tmp_path: Path) -> None:
    add(tmp_path, "album.flac")
    Album(starts=(0, 9, 4)).write(tmp_path / "album.cue")
    (failure,) = sheets_in(tmp_path).failures
    assert (failure.kind, failure.reason.partition(":")[0]) == (NOT_USABLE, "line 14")
    known = KnownSheet(failure.stat, "")
    failed = KnownFile(failure.stat, None, None, None, False, failure.kind)
    again = sheets_in(tmp_path, (known,), {"album.cue": failed})
    assert not again.failures
    assert not again.unusable


def test_an_unchanged_sheet_is_read_only_for_a_file_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tmp_path, "album.flac")
    Album().write(tmp_path / "album.cue")
    read = []
    monkeypatch.setattr(
        "recommender.ingestion.cue_sheets.read_cue_text",
        lambda path: read.append(path) or Album().text(),
    )
    known = (KnownSheet(stat_of(tmp_path, "album.cue"), "album.flac"),)
    sheets = sheets_in(tmp_path, known)
    assert not read
    assert not sheets.touches("album.flac")
    assert len(sheets.of("album.flac")) == 1
    assert len(sheets.of("album.flac")) == len(read) == 1


def test_a_sheet_whose_file_was_exchanged_is_read_again(tmp_path: Path) -> None:
    add(tmp_path, "album.flac")
    Album().write(tmp_path / "album.cue")
    known = (KnownSheet(stat_of(tmp_path, "album.cue"), "album.ape"),)
    sheets = sheets_in(tmp_path, known)
    assert sheets.lost_files == {"album.ape"}
    assert len(sheets.of("album.flac")) == 1


def test_a_sheet_that_is_gone_touches_its_file(tmp_path: Path) -> None:
    add(tmp_path, "album.flac")
    known = (KnownSheet(FileStat("album.cue", 1, 1), "album.flac"),)
    sheets = sheets_in(tmp_path, known)
    assert sheets.touches("album.flac")
    assert not sheets.of("album.flac")
    assert not sheets.gone  # until the file has been read
    (tmp_path / "album.flac").unlink()
    assert sheets_in(tmp_path, known).gone == ["album.cue"]


def test_single_files_have_the_sheets_beside_them(tmp_path: Path) -> None:
    add(tmp_path, "x/album.flac", "x/other.flac")
    Album().write(tmp_path / "x/album.cue")
    Album(name="missing.wav").write(tmp_path / "x/z.cue")
    scan = scan_files(tmp_path, ["x/album.flac"])
    sheets = find_sheets(Library(1, tmp_path), scan, (), {}, None)
    assert sheets is not None
    assert len(sheets.of("x/album.flac")) == 1
    assert not sheets.failures  # nobody looked whether the other file is there


def test_folders_without_sheets_cost_nothing(tmp_path: Path) -> None:
    add(tmp_path, "a.flac")
    assert find_sheets(Library(1, tmp_path), scan_folder(tmp_path), (), {}) is None


def test_pipes_and_links_to_devices_are_no_sheets(tmp_path: Path) -> None:
    (tmp_path / "zero.cue").symlink_to("/dev/zero")
    scan = scan_folder(tmp_path)
    assert scan == Scan((), {"(not a regular file)": 1}, 0, ())


def test_a_sheet_named_for_an_ingest_stands_for_its_file(tmp_path: Path) -> None:
    add(tmp_path, "x/album.flac", "x/other.flac")
    Album().write(tmp_path / "x/disc.cue")
    (tmp_path / "x/broken.cue").write_bytes(b"\0")
    files = with_divided_files(tmp_path, ["x/disc.cue", "x/broken.cue", "x/absent.cue"])
    assert files == ("x/disc.cue", "x/broken.cue", "x/absent.cue", "x/album.flac")


def test_files_that_a_sheet_may_name_are_listed_and_others_settled(tmp_path: Path) -> None:
    add(tmp_path, "x/b.flac", "x/CD1/a.flac", "x/CD1/deep/d.flac", "y/c.flac")
    Album().write(tmp_path / "x/disc.cue")
    scan = scan_folder(tmp_path, settled=lambda path, size, time: True)
    assert [file.path for file in scan.files] == ["x/CD1/a.flac", "x/b.flac"]
    assert [sheet.path for sheet in scan.sheets] == ["x/disc.cue"]
    assert scan.settled == 2


def test_a_file_that_a_sheet_named_is_never_settled() -> None:
    rows = [
        (f"{name}.flac", 1, 1, number, "analysed", "h", 1, 1) for number, name in enumerate("ab")
    ]
    stream = KnownStream(iter(rows), {}, {}, {"a.flac"})
    assert [stream.settles(path, 1, 1) for path in ("a.flac", "b.flac")] == [False, True]
    assert list(stream.rest()) == ["a.flac"]

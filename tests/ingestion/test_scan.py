"""What a walk of a folder finds, leaves out, and cannot see; and what a name promises."""

import os
import shutil
import time
import unicodedata
from pathlib import Path

import pytest
import sounds
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from recommender.errors import UsageError
from recommender.ingestion.file_types import FileType, ending_label, file_type_of, looks_like_audio
from recommender.ingestion.ignore_files import IGNORE_FILE, LARGEST_IGNORE_FILE
from recommender.ingestion.ignore_patterns import IgnorePatterns
from recommender.ingestion.scan import Scan, scan_files, scan_folder


def tree(root: Path, *paths: str) -> Path:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    return root


def found(scan: Scan) -> list[str]:
    return [file.path for file in scan.files]


def test_every_file_is_listed_or_counted(tmp_path: Path) -> None:
    tree(
        tmp_path, "b.mp3", "a/c.FLAC", "a/cover.jpg", "a/notes.txt", "noending", "clip.mkv", "r.cue"
    )
    scan = scan_folder(tmp_path)
    assert found(scan) == ["a/c.FLAC", "b.mp3", "clip.mkv", "noending"]
    assert scan.skipped == {".jpg": 1, ".txt": 1, ".cue": 1}
    assert scan.files[0].size == 1
    assert scan.files[0].mtime_ns == (tmp_path / "a/c.FLAC").stat().st_mtime_ns


def test_a_folder_named_like_a_sound_is_a_folder(tmp_path: Path) -> None:
    tree(tmp_path, "x.mp3/y.mp3")
    assert found(scan_folder(tmp_path)) == ["x.mp3/y.mp3"]


def test_part_of_a_library_keeps_paths_from_its_root(tmp_path: Path) -> None:
    tree(tmp_path, "a/b/c.mp3", "a/d.mp3", "e.mp3")
    assert found(scan_folder(tmp_path, "a/b")) == ["a/b/c.mp3"]


def test_loops_end_and_real_paths_win_over_links(tmp_path: Path) -> None:
    music = tree(tmp_path / "music", "z/album/song.mp3")
    (music / "a_link").symlink_to(music / "z")
    (music / "z/album/up").symlink_to(music)
    (music / "above").symlink_to(tmp_path)
    (music / "self").symlink_to(music / "self")
    other = tree(tmp_path / "other", "linked.mp3")
    (music / "elsewhere").symlink_to(other)
    scan = scan_folder(music)
    assert found(scan) == ["elsewhere/linked.mp3", "z/album/song.mp3"]
    assert scan.skipped == {"(broken link)": 1}
    assert scan.unreadable == ()


def test_links_to_files_are_followed_and_broken_ones_counted(tmp_path: Path) -> None:
    tree(tmp_path, "a.mp3")
    (tmp_path / "b.mp3").symlink_to("a.mp3")
    (tmp_path / "gone.mp3").symlink_to("nowhere")
    scan = scan_folder(tmp_path)
    assert found(scan) == ["a.mp3", "b.mp3"]
    assert scan.skipped == {"(broken link)": 1}


def test_pipes_are_counted_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    scan = scan_folder(tmp_path)
    assert found(scan) == []
    assert scan.skipped == {"(not a regular file)": 1}


def test_names_of_any_bytes(tmp_path: Path) -> None:
    names = [b"line\nbreak.mp3", b"latin1-\xe9.mp3", "日本.mp3".encode()]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x")
    assert sorted(os.fsencode(path) for path in found(scan_folder(tmp_path))) == sorted(names)


def test_exclude_patterns_are_those_of_gitignore(tmp_path: Path) -> None:
    tree(tmp_path, "keep.mp3", "demos/a.mp3", "b/demos/c.mp3", "b/d.wav", "b/e.mp3")
    scan = scan_folder(tmp_path, exclude=("demos/", "*.wav", "/b/e.mp3"))
    assert found(scan) == ["keep.mp3"]
    assert scan.excluded == 4


def test_ignore_files_apply_below_their_folder(tmp_path: Path) -> None:
    tree(tmp_path, "a/x.mp3", "a/b/x.mp3", "a/b/y.mp3", "x.mp3", "a/c/z.mp3")
    (tmp_path / "a/.recsysignore").write_text("# not these\nx.mp3\nc/\n")
    (tmp_path / "a/b/.recsysignore").write_text("!x.mp3\n")
    assert found(scan_folder(tmp_path)) == ["a/b/x.mp3", "a/b/y.mp3", "x.mp3"]
    # A walk of a part obeys the rules above it, or files would come and go.
    assert found(scan_folder(tmp_path, "a/b")) == ["a/b/x.mp3", "a/b/y.mp3"]
    (tmp_path / "a/b/.recsysignore").unlink()
    assert found(scan_folder(tmp_path, "a/b")) == ["a/b/y.mp3"]
    assert found(scan_folder(tmp_path, exclude=("!x.mp3",))) == [
        "a/b/x.mp3",
        "a/b/y.mp3",
        "a/x.mp3",
        "x.mp3",
    ]


LEFT_OUT = (
    ".Trash-1000/files/a.mp3",
    "$RECYCLE.BIN/S-1-5/a.mp3",
    "$Recycle.Bin/a.mp3",
    "share/#recycle/a.mp3",
    "share/@Recycle/a.mp3",
    ".Trashes/501/a.mp3",
    "._a.mp3",
    "album/._b.flac",
    "album/.AppleDouble/b.flac",
    "__MACOSX/a.mp3",
    ".stversions/a~20240101-120000.mp3",
    ".snapshot/hourly.0/a.mp3",
    ".snapshots/1/snapshot/a.mp3",
    "#snapshot/a.mp3",
    "@eaDir/a.mp3/SYNOAUDIO_01APIC_03.mp3",
    "a.mp3.part",
    "a.mp3.!sync",
    "a.mp3.crdownload",
    ".~tmp~/a.mp3",
    ".syncthing.a.mp3.tmp",
    ".a.mp3.Xk3b9Q",
    ".a.mp3.~1f3a",
)


def test_bins_versions_and_half_files_are_left_out(tmp_path: Path) -> None:
    music = ("#9 Dream.mp3", "@home/b.mp3", ".hidden/c.mp3", "Trash/d.mp3", "$x.mp3", ".e.mp3")
    tree(tmp_path, *LEFT_OUT, *music)
    scan = scan_folder(tmp_path)
    assert set(found(scan)) == set(music)
    assert scan_folder(tmp_path, ".Trash-1000/files").files == ()
    assert found(scan_files(tmp_path, LEFT_OUT)) == []
    assert scan.excluded == len(LEFT_OUT)


def test_an_ignore_file_brings_them_back(tmp_path: Path) -> None:
    tree(tmp_path, *LEFT_OUT)
    (tmp_path / IGNORE_FILE).write_text("!._*\n!.Trashes/\n!.stversions\n")
    back = {"._a.mp3", "album/._b.flac", ".Trashes/501/a.mp3", LEFT_OUT[10]}
    assert set(found(scan_folder(tmp_path))) == back
    assert found(scan_folder(tmp_path, ".Trashes/501")) == [".Trashes/501/a.mp3"]
    assert set(found(scan_files(tmp_path, LEFT_OUT))) == back


NFC = "Bj\u00f6rk"
NFD = unicodedata.normalize("NFD", NFC)
PATTERNS = f"{NFC}.mp3\nplain.mp3\n"


@pytest.mark.parametrize("name", [NFC, NFD], ids=["composed", "decomposed"])
@pytest.mark.parametrize(
    "data",
    [
        PATTERNS.encode(),
        unicodedata.normalize("NFD", PATTERNS).encode(),
        PATTERNS.encode("utf-8-sig"),
        PATTERNS.encode("utf-16"),
        b"\xfe\xff" + PATTERNS.encode("utf-16-be"),
        PATTERNS.encode("utf-16-le"),
        PATTERNS.encode("latin-1"),
        PATTERNS.replace("\n", "\r\n").encode("utf-8-sig"),
    ],
    ids=["utf-8", "nfd", "bom", "utf-16", "big-endian", "no mark", "latin-1", "windows"],
)
def test_ignore_files_of_any_editor_are_obeyed(tmp_path: Path, data: bytes, name: str) -> None:
    tree(tmp_path, f"{name}.mp3", "plain.mp3", "kept.mp3")
    (tmp_path / IGNORE_FILE).write_bytes(data)
    assert found(scan_folder(tmp_path)) == ["kept.mp3"]


def test_latin_1_patterns_match_the_very_bytes_of_names(tmp_path: Path) -> None:
    tree(tmp_path, os.fsdecode(b"caf\xe9.mp3"), "kept.mp3")
    (tmp_path / IGNORE_FILE).write_bytes(b"caf\xe9.mp3\n")
    assert found(scan_folder(tmp_path)) == ["kept.mp3"]


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_fifo, "not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
        (lambda path: path.mkdir(), "not a regular file"),
        (lambda path: path.write_bytes(b"a\n" * LARGEST_IGNORE_FILE), "larger than 64 KiB"),
        (lambda path: path.write_bytes(b"a\0\0\0b"), "no text"),
        (lambda path: path.write_bytes(b"\xff\xfea"), "broken UTF-16"),
        (lambda path: path.write_text("[z-a]"), "no meaning"),
        (lambda path: path.write_text("!"), "no meaning"),
    ],
    ids=["fifo", "device", "folder", "large", "binary", "half", "range", "nothing"],
)
def test_ignore_files_that_cannot_be_obeyed_are_named(
    tmp_path: Path, make: object, reason: str
) -> None:
    tree(tmp_path, "album/a.mp3", "album/b/c.mp3", "d.mp3")
    make(tmp_path / "album" / IGNORE_FILE)  # type: ignore[operator]
    for scan in (scan_folder(tmp_path), scan_files(tmp_path, ["d.mp3", "album/b/c.mp3"])):
        assert found(scan) == ["d.mp3"]
        (unreadable,) = scan.unreadable
        assert unreadable.path == "album"
        assert reason in unreadable.reason


@pytest.mark.parametrize(
    "pattern",
    ["*a" * 60 + "b", "*" * 200 + "b", "?*" * 70 + "b", "**/a/" * 40 + "b", "a*/**/" * 40 + "b"],
)
@pytest.mark.parametrize("path", ["a" * 150, "/".join("a" * 150)])
def test_no_pattern_takes_long(pattern: str, path: str) -> None:
    patterns = IgnorePatterns([pattern], "a test")
    started = time.perf_counter()
    assert patterns.decides(path) is None
    assert time.perf_counter() - started < 0.1


PIECES = st.sampled_from(["a", "b", "*", "**", "?", "/", "a*", "*b", "[ab]", "/**/", "c"])
NAMES = st.text("abc", min_size=1, max_size=4)


@given(
    st.lists(st.lists(PIECES, min_size=1, max_size=6).map("".join), min_size=1, max_size=3),
    st.lists(NAMES, min_size=1, max_size=4).map("/".join),
    st.sampled_from(["", "/"]),
    st.sampled_from(["", "!"]),
)
def test_patterns_match_as_those_of_pathspec(
    lines: list[str], path: str, end: str, negated: str
) -> None:
    lines = [*lines[:-1], negated + lines[-1]]
    expected = GitIgnoreSpec.from_lines(lines, backend="simple").check_file(path + end).include
    assert IgnorePatterns(lines, "a test").decides(path + end) is expected


def test_a_folder_that_goes_away_during_the_walk_is_reported(tmp_path: Path) -> None:
    tree(tmp_path, "a/b.mp3", "c.mp3")
    scan = scan_folder(
        tmp_path, on_files=lambda _: shutil.rmtree(tmp_path / "a", ignore_errors=True)
    )
    assert found(scan) == ["c.mp3"]
    assert [entry.path for entry in scan.unreadable] == ["a"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_without_permission_is_reported(tmp_path: Path) -> None:
    tree(tmp_path, "closed/b.mp3", "c.mp3")
    (tmp_path / "closed").chmod(0)
    try:
        scan = scan_folder(tmp_path)
        assert found(scan) == ["c.mp3"]
        assert [entry.path for entry in scan.unreadable] == ["closed"]
        with pytest.raises(UsageError, match="cannot be read"):
            scan_folder(tmp_path / "closed")
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_roots_that_cannot_be_walked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mounted"):
        scan_folder(tmp_path / "absent")
    with pytest.raises(UsageError, match="neither a folder"):
        scan_folder(tree(tmp_path, "a.mp3") / "a.mp3")
    with pytest.raises(UsageError, match="patterns to exclude"):
        scan_folder(tmp_path, exclude=("!",))


@pytest.mark.parametrize(
    ("name", "file_type"),
    [
        ("a.mp3", FileType.AUDIO),
        ("A.WAV", FileType.AUDIO),
        ("dir.txt/a.opus", FileType.AUDIO),
        ("film.webm", FileType.VIDEO),
        ("cover.jpeg", FileType.OTHER),
        ("song.mid", FileType.OTHER),
        ("list.m3u", FileType.OTHER),
        ("Makefile", FileType.UNKNOWN),
        ("01. A song", FileType.UNKNOWN),
        (".mp3", FileType.UNKNOWN),
    ],
)
def test_types_by_ending(name: str, file_type: FileType) -> None:
    assert file_type_of(name) is file_type


def test_labels_of_endings_can_always_be_printed() -> None:
    assert ending_label("a/b.TXT") == ".txt"
    for name in ("01. A song", "x.\udce9", "noending", "x.averylongending"):
        assert ending_label(name) == "(no ending)"


@pytest.mark.parametrize("format_name", sounds.FORMATS)
def test_first_bytes_of_audio(tmp_path: Path, format_name: str) -> None:
    rate = 48_000
    file = sounds.write_sound(tmp_path / "x", sounds.tone(0.5, rate), rate, format_name=format_name)
    assert looks_like_audio(file)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"#!/bin/sh\n", "Hello there, this is text.".encode("utf-16"), bytes(100)],
)
def test_first_bytes_of_other_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    assert not looks_like_audio(tmp_path / "x")

"""What a walk of a folder finds, leaves out, and cannot see; and what a name promises."""

import os
import shutil
from pathlib import Path

import pytest
import sounds

from recommender.errors import UsageError
from recommender.ingestion.file_types import FileType, ending_label, file_type_of, looks_like_audio
from recommender.ingestion.scan import Scan, scan_folder


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

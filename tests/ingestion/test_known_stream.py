"""A rescan settles what has not changed, in whatever order the walk comes to it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogs import OTHER_SPACE, SPACE, analyse, analysis
from hypothesis import given
from hypothesis import strategies as st

from recommender.catalog import Catalog, FileStat, Tags
from recommender.catalog.column_types import encode_path
from recommender.ingestion.known_stream import KnownStream
from recommender.ingestion.scan import scan_folder

PATHS = st.lists(
    st.text("aB./é\\\\z0", min_size=1, max_size=5).map(lambda name: f"{name}.mp3"), unique=True
)


@given(PATHS, st.randoms(use_true_random=False))
def test_the_order_of_the_walk_does_not_matter(paths: list[str], random: object) -> None:
    rows = sorted(
        (encode_path(path), 1, number, number, "analysed", "hash", number % 5 != 4, number % 2)
        for number, path in enumerate(paths)
    )
    failed = {path: (FileStat(path, 1, n), "unreadable") for n, path in enumerate(paths) if n == 3}
    stream = KnownStream(iter(rows), failed)
    walk = list(enumerate(paths))
    random.shuffle(walk)  # type: ignore[attr-defined]
    settled = [
        number for number, path in walk if stream.settles(path, 1 + (number % 7 == 6), number)
    ]
    expected = [n for n, _ in walk if n % 5 != 4 and n % 7 != 6 and n != 3]
    assert settled == list(stream.settled) == expected
    assert not stream.settles("new.mp3", 1, 1)
    rest = stream.rest()
    assert set(rest) == set(paths) - {paths[number] for number in settled}
    for path, known in rest.items():
        assert known.track_id == paths.index(path)
        assert known.failure_kind == ("unreadable" if path in failed else None)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Folders and files whose names sort otherwise than their paths, and a linked folder."""
    root = tmp_path / "music"
    for path in ("a/x.mp3", "a/b/y.mp3", "a.mp3", "a-/z.mp3", "Z.mp3", "é/1.mp3", "b\\c/2.mp3"):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "linked.mp3").touch()
    (root / "0 link").symlink_to(elsewhere)
    return root


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        yield catalog


def test_a_walk_settles_all_that_it_finds_unchanged(catalog: Catalog, music: Path) -> None:
    library, _ = catalog.scope_of(music)
    found = scan_folder(music)
    assert len(found.files) == 8
    for number, stat in enumerate(found.files):
        space = OTHER_SPACE if number == 2 else SPACE
        with catalog.writing() as write:
            write.analysed(library, stat, str(number), Tags(), analysis(number, space), "recsys")
    analyse(catalog, library, "gone.mp3")
    os.truncate(music / found.files[5].path, 9)
    stream = KnownStream(catalog.known_tracks(library, SPACE), catalog.known_failures(library))
    scan = scan_folder(music, settled=stream.settles)
    open_again = {found.files[2].path, found.files[5].path}
    assert {stat.path for stat in scan.files} == open_again
    assert scan.settled == len(stream.settled) == 6
    assert set(stream.rest()) == open_again | {"gone.mp3"}


def test_files_come_in_the_order_of_their_paths(music: Path) -> None:
    """So that few rows wait; what lies behind a link comes last."""
    order: list[str] = []

    def see(path: str, size: int, mtime_ns: int) -> bool:
        order.append(path)
        return False

    scan_folder(music, settled=see)
    *direct, linked = order
    assert linked == "0 link/linked.mp3"
    assert direct == sorted(direct)

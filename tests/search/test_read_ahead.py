"""Reading ahead changes nothing but when pages are read."""

import mmap
import os
from pathlib import Path

import numpy as np
import pytest

from recommender.catalog.records import CatalogState
from recommender.embedding.space import SpaceId
from recommender.search.index import TrackIndex
from recommender.search.read_ahead import LASTING, ReadAhead
from recommender.search.score_space import ScoreSpace

pytestmark = pytest.mark.skipif(
    not hasattr(mmap, "MADV_RANDOM"), reason="the system takes no advice on reading"
)

ROWS, WIDTH = 4000, 256


@pytest.fixture
def content(tmp_path: Path) -> np.ndarray:
    path = tmp_path / "rows"
    path.write_bytes(np.arange(ROWS * WIDTH, dtype="<f4").tobytes())
    with path.open("rb") as file:
        os.fsync(file.fileno())
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return np.frombuffer(mapped, dtype=np.uint8)


class Advised:
    """A mapping that remembers what is read ahead of it."""

    def __init__(self, mapped: mmap.mmap) -> None:
        self.mapped = mapped
        self.ranges: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self.mapped)

    def madvise(self, option: int, start: int, length: int) -> None:
        assert option == mmap.MADV_WILLNEED
        self.mapped.madvise(option, start, length)
        self.ranges.append((start, length))


def advised(content: np.ndarray) -> tuple[ReadAhead, Advised]:
    found = ReadAhead(content)
    assert found._mapped is not None
    watched = Advised(found._mapped)
    found._mapped = watched  # type: ignore[assignment]
    return found, watched


def test_each_page_of_the_rows_is_named_once(content: np.ndarray) -> None:
    read_ahead, watched = advised(content)
    rows = content.view("<f4").reshape(ROWS, WIDTH)
    read_ahead.rows(rows, np.array([9, 2, 9, 3000]))
    pages = [
        page
        for start, length in watched.ranges
        for page in range(start // mmap.PAGESIZE, (start + length) // mmap.PAGESIZE)
    ]
    wanted = {row * WIDTH * 4 // mmap.PAGESIZE for row in (2, 9, 3000)}
    assert sorted(pages) == sorted(wanted)


def test_ranges_reach_to_the_end_of_the_file(content: np.ndarray) -> None:
    read_ahead, watched = advised(content)
    rows = content.view("<f4").reshape(ROWS, WIDTH)
    read_ahead.ranges(rows, np.array([0, ROWS - 1]), np.array([1, ROWS]))
    assert watched.ranges[-1][0] + watched.ranges[-1][1] == len(content)


def test_arrays_in_memory_are_left_alone(content: np.ndarray) -> None:
    read_ahead, watched = advised(content)
    read_ahead.rows(np.zeros((10, 10)), np.arange(10))
    assert watched.ranges == []


def test_where_nothing_is_mapped_nothing_happens() -> None:
    read_ahead = ReadAhead(None)
    read_ahead.begin()
    read_ahead.rows(np.zeros((10, 10)), np.arange(10))


def test_queries_that_do_not_wait_stop_reading_ahead(
    content: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        ru_majflt = 0

    monkeypatch.setattr("recommender.search.read_ahead.getrusage", lambda _: Usage)
    read_ahead, watched = advised(content)
    rows = content.view("<f4").reshape(ROWS, WIDTH)
    for _ in range(LASTING + 1):
        read_ahead.begin()
    read_ahead.rows(rows, np.array([1]))
    assert watched.ranges == []
    Usage.ru_majflt = 7  # the query had to wait
    read_ahead.begin()
    read_ahead.rows(rows, np.array([1]))
    assert len(watched.ranges) == 1


def test_what_reads_everything_is_read_on_and_queries_at_random_again(
    content: np.ndarray,
) -> None:
    read_ahead = ReadAhead(content)
    assert read_ahead._mapped is not None
    advice = []

    class Told(Advised):
        def madvise(self, option: int, *_: int) -> None:  # type: ignore[override]
            advice.append(option)

    read_ahead._mapped = Told(read_ahead._mapped)  # type: ignore[assignment]
    with read_ahead.everything():
        assert advice == [mmap.MADV_NORMAL]
    assert advice == [mmap.MADV_NORMAL, mmap.MADV_RANDOM]


@pytest.mark.parametrize("allowed", [None, np.arange(300) < 20])
def test_every_way_to_search_counts_as_a_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: np.ndarray | None
) -> None:
    begun: list[ReadAhead] = []
    monkeypatch.setattr(ReadAhead, "begin", lambda self: begun.append(self))
    vectors = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    space, state = SpaceId("m", "w", "a", "p"), CatalogState("c", 1)
    index = TrackIndex.build(np.arange(300), vectors, space, state, path=tmp_path / "toy.index")
    composed = ScoreSpace(index)
    for search in (
        lambda: index.rank(vectors[:1], 5, allowed=allowed),
        lambda: index.rank_tracks(np.array([7]), 5, allowed=allowed),
        lambda: composed.best(composed.query_of_row(7), 5, allowed),
        lambda: composed.nearest(vectors[7], 5, allowed),
    ):
        before = len(begun)
        search()
        assert len(begun) > before

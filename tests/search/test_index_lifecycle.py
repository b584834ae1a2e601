"""The files of an index: appended to, merged, half written, forged, shared by two processes."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from toy_world import SPACE, ToyEmbedder, analysis, same_sound

from recommender.catalog import Catalog, FileStat, Tags
from recommender.errors import IndexDamaged, NothingAnalysed
from recommender.search import catalog_index as lifecycle
from recommender.search import mapped_file
from recommender.search import segment_file as segments
from recommender.search.catalog_index import CatalogIndex
from recommender.search.index import TrackIndex
from recommender.search.index_file import lock_file, segment_file
from recommender.search.index_lock import writing
from recommender.search.mapped_file import ArrayWriter
from recommender.search.reranking import RerankingSettings
from recommender.search.track_columns import TrackColumnSource

SETTINGS = RerankingSettings(k=3, min_tracks=10)
START = 60


class Library:
    """A catalogue of tracks on a circle, and as many users of its index as wanted."""

    def __init__(self, folder: Path) -> None:
        self.catalog = Catalog.open(str(folder / "toy.db"))
        self.catalog.set_active(SPACE, {})
        self.library, _ = self.catalog.scope_of(folder / "music")
        self.add(range(START))
        self.built: list[int] = []

    def add(self, places: range) -> None:
        with self.catalog.writing() as write:
            for place in places:
                one = analysis(3.0 * place + 0.1, 60.0)
                write.analysed(
                    self.library, FileStat(f"{place}.ogg", 1, 1), str(place), Tags(), one, "test"
                )

    def index(self) -> CatalogIndex:
        return CatalogIndex(
            self.catalog,
            ToyEmbedder(),
            TrackColumnSource(self.catalog, same_sound),
            "cpu",
            SETTINGS,
        )

    def update(self) -> TrackIndex:
        return self.index().update(self.built.append)

    @property
    def path(self) -> Path:
        return self.index().path(self.catalog.state())


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    found = Library(tmp_path)
    yield found
    found.catalog.close()


def test_a_few_new_tracks_are_appended(library: Library) -> None:
    library.update()
    base = library.path.read_bytes()
    library.add(range(START, START + 2))
    one = library.update()
    library.add(range(START + 2, START + 3))
    two = library.update()
    assert (len(one), len(two), library.built) == (START + 2, START + 3, [START])
    assert library.path.read_bytes() == base
    assert library.index().is_current(library.catalog.state())
    again = library.update()
    assert again.database_vectors.tobytes() == two.database_vectors.tobytes()
    assert again.state == library.catalog.state()


def test_only_changed_tracks_are_read(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.update()
    read: list[int] = []
    project = ToyEmbedder.project

    def counting(self: ToyEmbedder, activations: np.ndarray) -> np.ndarray:
        read.append(len(activations))
        return project(self, activations)

    monkeypatch.setattr(ToyEmbedder, "project", counting)
    library.add(range(START, START + 1))
    library.update()
    assert sum(read) == 2  # the new one, and one that shows that the index is of this space


def test_tracks_that_are_gone_leave_at_once(library: Library) -> None:
    library.update()
    with library.catalog.writing() as write:
        write.missing([1, 2, 3])
    index = library.update()
    assert len(index) == START - 3
    assert library.built == [START]
    with library.catalog.writing() as write:
        write.missing(list(range(4, START + 1)))
    with pytest.raises(NothingAnalysed):
        library.update()


@pytest.mark.parametrize("lost", [1, 7, 300])
def test_half_a_record_is_left_out_and_written_again(
    library: Library, lost: int, caplog: pytest.LogCaptureFixture
) -> None:
    """As of a process that was killed while it wrote."""
    library.update()
    library.add(range(START, START + 1))
    library.update()
    library.add(range(START + 1, START + 2))
    whole = library.update()
    segment = segment_file(library.path)
    segment.write_bytes(segment.read_bytes()[:-lost])
    again = library.update()
    assert "the end of" in caplog.text
    assert again.ids.tolist() == whole.ids.tolist()
    assert library.built == [START]
    caplog.clear()
    assert library.update().database_vectors.tobytes() == whole.database_vectors.tobytes()
    assert caplog.text == ""


def test_every_byte_of_a_segment_is_checked(library: Library) -> None:
    library.update()
    library.add(range(START, START + 2))
    expected = library.update().ids.tolist()
    segment = segment_file(library.path)
    whole = segment.read_bytes()
    for at in range(0, len(whole), len(whole) // 25):
        segment.write_bytes(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :])
        assert library.update().ids.tolist() == expected
    assert library.built == [START]


def test_a_segment_of_another_base_is_none(library: Library) -> None:
    library.update()
    library.add(range(START, START + 2))
    library.update()
    old = segment_file(library.path).read_bytes()
    library.index().build()
    segment_file(library.path).write_bytes(old)
    assert len(library.update()) == START + 2
    library.add(range(START + 2, START + 3))
    assert len(library.update()) == START + 3
    assert len(library.update()) == START + 3


def test_a_merge_publishes_one_file(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "LEAST_SEGMENT", 2)
    library.update()
    library.add(range(START, START + 8))
    index = library.index()
    before = index.update()
    after = index.tidied(before)
    assert after.tracks.is_base
    assert not segment_file(library.path).exists()
    np.testing.assert_allclose(after.vectors, before.vectors, atol=1e-6)
    assert library.update().ids.tolist() == before.ids.tolist()
    assert library.built == [START]
    assert before.rank_tracks(before.ids[:3], 5).ids.shape == (3, 5)  # the old file still answers


def test_who_updates_second_finds_what_the_first_one_wrote(library: Library) -> None:
    one, two = library.index(), library.index()
    one.update()
    two.update()
    for place in range(START, START + 6):
        library.add(range(place, place + 1))
        first, second = (one, two) if place % 2 else (two, one)
        assert len(first.update()) == len(second.update()) == place + 1
    stored = segments.read_segment(segment_file(library.path), library.update().tracks.base)
    assert stored.broken is None
    assert stored.state == library.catalog.state()
    assert one.update().ids.tolist() == two.update().ids.tolist()


def test_while_another_process_writes_the_index_is_in_memory(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = library.index()
    index.update()
    monkeypatch.setattr(lifecycle, "APPEND_WAIT_S", 0.0)
    with writing(library.path, 0.0) as may_write:
        assert may_write
        library.add(range(START, START + 2))
        updated = index.update()
        assert len(updated) == START + 2
        assert not segment_file(library.path).exists()
        assert index.merge(updated) is updated
    library.add(range(START + 2, START + 3))
    assert len(index.update()) == START + 3


def test_a_full_disk_costs_only_the_file(
    library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    library.update()
    with monkeypatch.context() as broken:
        broken.setattr(lifecycle, "append_segment", full)
        library.add(range(START, START + 1))
        index = library.index()
        assert len(index.update()) == START + 1
        assert "cannot be saved" in caplog.text
        library.add(range(START + 1, START + 2))
        assert len(index.update()) == START + 2
    assert len(library.update()) == START + 2
    publish = ArrayWriter.publish

    def only_nameless(self: ArrayWriter, facts: object) -> object:
        if self._path is not None:
            full()
        return publish(self, facts)  # type: ignore[arg-type]

    monkeypatch.setattr(ArrayWriter, "publish", only_nameless)
    before = library.path.read_bytes()
    assert len(library.index().build()) == START + 2
    assert library.path.read_bytes() == before
    assert not list(library.path.parent.glob(".*.tmp"))


def test_indexes_of_before_are_removed(library: Library) -> None:
    folder = library.path.parent
    library.update()
    old = library.path.read_bytes()
    orphan = folder / "toy.0123456789ab.index"
    orphan.write_bytes(old)
    foreign = folder / "toy.ffffffffffff.index"
    foreign.write_bytes(b"of somebody else")
    unfinished = folder / f".{library.path.name}.00.tmp"
    unfinished.write_bytes(b"")
    library.index().build()
    assert not orphan.exists()
    assert not unfinished.exists()
    assert foreign.exists()
    assert lock_file(library.path).exists() or os.name == "nt"


def test_an_older_copy_of_the_database_has_another_index(library: Library) -> None:
    """The index may be of a revision that the copy never had."""
    state = library.catalog.state()
    library.update()
    library.add(range(START, START + 1))
    library.update()
    assert library.index().saved(state) is None


def test_a_base_that_does_not_fit_the_space_is_built_again(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    index = library.update()
    rows = np.random.default_rng(0).standard_normal((START, 5)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    TrackIndex.build(
        index.ids,
        rows,
        index.space,
        index.state,
        path=library.path,
        columns={name: column.whole() for name, column in index.columns.items()},
        settings=SETTINGS,
        columns_digest=index.facts.columns,
    )
    assert library.update().dimension == 2
    assert "have the length 5, not 2" in caplog.text
    short = library.path.with_name("short")
    short.write_bytes(mapped_file.FORMAT.encode() + b"\n")
    with pytest.raises(IndexDamaged):
        TrackIndex.open(short)

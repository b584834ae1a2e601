"""What changed since a revision is all that an old copy of a catalogue needs to be the new one."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from catalogs import OTHER_SPACE, SPACE, analyse, analysis, revision, stat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.catalog import Catalog, Library, Tags, TrackState, changes
from recommender.embedding.space import SpaceId

Seen = tuple[object, ...]


def read_all(catalog: Catalog, space: SpaceId) -> dict[int, Seen]:
    """All that is recommended in the space, as it is shown and compared."""
    ids, vectors = catalog.activations(space)
    return seen(catalog, ids.tolist(), vectors)


def seen(catalog: Catalog, ids: list[int], vectors: np.ndarray) -> dict[int, Seen]:
    return {
        track.id: (
            track.library.id,
            track.path,
            track.tags,
            track.duration,
            track.damage,
            tuple(track.genre_probabilities.items()),
            vector.tobytes(),
        )
        for track, vector in zip(catalog.tracks(ids), vectors, strict=True)
    }


@dataclass
class Copy:
    """What a reader knows of the catalogue, brought up to date by changes alone."""

    space: SpaceId
    revision: int = 0
    tracks: dict[int, Seen] = field(default_factory=dict)

    def update(self, catalog: Catalog) -> None:
        found = catalog.changes_since(self.revision, self.space)
        if found is None:
            self.tracks = read_all(catalog, self.space)
            self.revision = catalog.state().revision
            return
        assert found.state == catalog.state()
        assert not set(found.changed.tolist()) & set(found.removed.tolist())
        for id in [*found.removed.tolist(), *found.changed.tolist()]:
            self.tracks.pop(id, None)
        for ids, vectors in catalog.activation_batches(self.space, found.changed):
            self.tracks |= seen(catalog, ids.tolist(), vectors)
        self.revision = found.state.revision


def one_of(catalog: Catalog, number: int) -> int | None:
    ids = [track.id for track in catalog.all_tracks(None)]
    return ids[number % len(ids)] if ids else None


def step(catalog: Catalog, root: Path, action: str, number: int) -> None:
    """One thing that an ingest or a command does; `number` says to which track and how."""
    folder = root / "abc"[number % 3]
    track_id = one_of(catalog, number)
    if action == "analyse":
        space = OTHER_SPACE if number % 5 == 4 else SPACE
        library, below = catalog.scope_of(folder)
        path = "/".join(part for part in (below, f"{number % 4}.wav") if part)
        tags = Tags(title=f"title {number}", artists=("somebody",) * (number % 2))
        analyse(catalog, library, path, tags=tags, analysed=analysis(number, space))
    elif action == "scope":
        catalog.scope_of(root)
    elif action == "prune":
        catalog.prune(force=True)
    elif action == "activate":
        catalog.set_active(OTHER_SPACE if number % 2 else SPACE, {"model": "toy"})
    elif action == "label":
        ids = catalog.activations(SPACE)[0].tolist()[: number % 4]
        with catalog.writing() as write:
            write.set_predicted_genres(SPACE, {id: {"folk": 1 / (1 + number)} for id in ids})
    elif catalog.libraries():
        library = catalog.libraries()[number % len(catalog.libraries())]
        if action == "remove":
            catalog.remove_library(library.root)
        elif action == "move library":
            catalog.move_library(library.root, root / "xyz"[number % 3])
        elif action == "unmount":
            catalog.set_unavailable(library)
        elif track_id is not None:
            change_track(catalog, track_id, library, action, number)


def change_track(
    catalog: Catalog, track_id: int, library: Library, action: str, number: int
) -> None:
    track = catalog.track(track_id)
    if action == "forget":
        catalog.forget_analyses([track_id])
        return
    with catalog.writing() as write:
        if action == "miss":
            write.missing([track_id])
        elif action == "unavailable":
            write.unavailable([track_id])
        elif action == "find":
            write.found_again([track_id])
        elif action == "fail":
            write.failed(track.library, stat(track.path), "unreadable", "cut off")
        elif action == "retag":
            write.retagged(track_id, stat(track.path), Tags(title=f"new {number % 2}"), "hash")
        elif action == "move":
            tags = Tags(title="moved") if number % 2 else None
            write.moved(track_id, library, stat(f"{number % 4}.wav"), tags)


ACTIONS = (
    *("analyse", "analyse", "analyse", "miss", "find", "fail", "retag", "move", "forget", "label"),
    *("prune", "scope", "remove", "move library", "unmount", "unavailable", "activate", "look"),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 60)), max_size=25))
@pytest.mark.slow
def test_an_old_copy_with_the_changes_is_a_new_copy(
    empty_catalog: Path, steps: list[tuple[str, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "catalog.db"
        file.write_bytes(empty_catalog.read_bytes())
        with Catalog.open(file) as catalog:
            often, once = Copy(SPACE), Copy(SPACE)
            other = Copy(OTHER_SPACE)
            for action, number in steps:
                step(catalog, Path(folder), action, number)
                if action == "look":
                    often.update(catalog)
            for copy in (often, once, other):
                copy.update(catalog)
                assert copy.tracks == read_all(catalog, copy.space)
                assert copy.revision == catalog.state().revision


@pytest.fixture(scope="module")
def empty_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("empty") / "catalog.db"
    Catalog.open(file).close()
    return file


def test_a_new_file_is_all_that_changed(catalog: Catalog, library: Library) -> None:
    for number in range(3):
        analyse(catalog, library, f"{number}.wav")
    before = revision(catalog)
    new = analyse(catalog, library, "new.wav")
    found = catalog.changes_since(before, SPACE)
    assert found is not None
    assert (found.changed.tolist(), found.removed.tolist()) == ([new], [])
    same = catalog.changes_since(revision(catalog), SPACE)
    assert same is not None
    assert len(same.changed) == len(same.removed) == 0


def test_a_pruned_track_stays_known_without_a_new_revision(
    catalog: Catalog, library: Library
) -> None:
    track_id = analyse(catalog, library, "a.wav")
    before = revision(catalog)
    with catalog.writing() as write:
        write.missing([track_id])
    after = revision(catalog)
    assert catalog.prune(force=True) == 1
    assert revision(catalog) == after
    for since, removed in ((before, [track_id]), (after, [])):
        found = catalog.changes_since(since, SPACE)
        assert found is not None
        assert found.removed.tolist() == removed


def test_the_removals_are_bounded(
    catalog: Catalog, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_REMOVALS", 10)
    known: list[bool] = []
    start = revision(catalog)
    for number in range(30):
        analyse(catalog, library, f"{number}.wav")
        with catalog.writing() as write:
            write.moved(number + 1, library, stat("taken.wav"), None)  # which drops the one before
        known.append(catalog.changes_since(start, SPACE) is not None)
    assert known == sorted(known, reverse=True)
    assert (known[0], known[-1]) == (True, False)
    latest = catalog.changes_since(revision(catalog) - 1, SPACE)
    assert latest is not None
    assert (latest.changed.tolist(), latest.removed.tolist()) == ([30], [29])


def test_what_nobody_recorded_is_read_anew(catalog: Catalog, library: Library) -> None:
    analyse(catalog, library, "a.wav")
    before = revision(catalog)
    assert catalog.changes_since(before + 1, SPACE) is None
    catalog.repair_rows([])
    assert catalog.changes_since(before, SPACE) is None
    assert catalog.changes_since(revision(catalog), SPACE) is not None


def test_batches_hold_what_the_matrix_holds(catalog: Catalog, library: Library) -> None:
    with catalog.writing() as write:
        for number in range(1_203):
            hash_, found = f"{number}", analysis(number)
            write.analysed(library, stat(f"{number}.wav"), hash_, Tags(), found, "recsys")
        write.missing([7, 1_000])
    ids, matrix = catalog.activations(SPACE)
    batches = list(catalog.activation_batches(SPACE))
    assert all(len(batch) <= 500 for batch, _ in batches)
    np.testing.assert_array_equal(np.concatenate([batch for batch, _ in batches]), ids)
    np.testing.assert_array_equal(np.concatenate([vectors for _, vectors in batches]), matrix)
    wanted = np.array([1_200, 3, 7, 3, 9_999])
    ((some, vectors),) = catalog.activation_batches(SPACE, wanted)
    assert some.tolist() == [3, 1_200]
    np.testing.assert_array_equal(vectors, matrix[np.searchsorted(ids, some)])
    assert list(catalog.activation_batches(OTHER_SPACE)) == []
    assert list(catalog.activation_batches(SPACE, np.array([], np.int64))) == []


def test_a_damaged_row_is_left_out_of_batches_and_named(
    catalog: Catalog, library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        analyse(catalog, library, f"{number}.wav")
    with catalog._changing() as connection:
        connection.exec_driver_sql("UPDATE analyses SET checksum = checksum + 1 WHERE track_id = 2")
    ((ids, _),) = catalog.activation_batches(SPACE)
    assert ids.tolist() == [1, 3]
    assert "(ids 2)" in caplog.text
    assert catalog.counts().analysed == 3
    assert catalog.track(2).state is TrackState.ANALYSED

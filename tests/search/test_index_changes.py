"""An index that is brought up to date is the one that would be built; unrelated lists stay."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from recommender.catalog.records import CatalogState
from recommender.embedding.space import SpaceId
from recommender.search.build import merged, written
from recommender.search.cells import CellSettings
from recommender.search.index import TrackIndex
from recommender.search.update import Changed, changes

SPACE = SpaceId("toy", "w", "h", "p")
STATE = CatalogState("a-catalogue", 7)
CELLS = CellSettings(
    exact_up_to=100,
    cells_from=200,
    cells_per_root=1,
    neighbouring=99,
    energy=0.8,
    queries=50,
)
"""Cells in a small catalogue, all of which are looked at when neighbours are sought."""

LAYOUTS = {"exact": CellSettings(), "cells": CELLS, "scanned": replace(CELLS, cells_from=10_000)}


def groups(count: int, dimensions: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = random.standard_normal((12, dimensions))
    rows = centres[random.integers(0, 12, count)] + random.standard_normal((count, dimensions))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def numbers(ids: np.ndarray) -> dict[str, np.ndarray]:
    return {"number": ids * 10}


def build(ids: np.ndarray, vectors: np.ndarray, cells: CellSettings) -> TrackIndex:
    return TrackIndex.build(ids, vectors, SPACE, STATE, columns=numbers(ids), cells=cells)


def changed(
    index: TrackIndex,
    ids: np.ndarray,
    vectors: np.ndarray,
    removed: list[int],
    cells: CellSettings,
) -> TrackIndex:
    order = np.argsort(ids)
    some = Changed(ids[order], vectors[order], numbers(ids[order]), np.array(removed, np.int64))
    later = changes(index.tracks, some, cells)
    return index.changed(index.tracks.segment.followed_by(later), STATE)


def same_but_for_statistics(found: TrackIndex, built: TrackIndex) -> None:
    assert found.ids.tolist() == built.ids.tolist()
    np.testing.assert_allclose(found.vectors, built.vectors, atol=1e-5)
    assert found.columns["number"].whole().tolist() == (found.ids * 10).tolist()
    slots = [one.tracks.slot_of.astype(np.int64) for one in (found, built)]
    near = [
        one.tracks.values_at("neighbours", at)
        for one, at in zip((found, built), slots, strict=True)
    ]
    assert (near[0] == near[1]).mean() > 0.999
    moved = [one.database_vectors[:, :-1] for one in (found, built)]
    moved = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in moved]
    np.testing.assert_allclose(*moved, atol=2e-3)


@settings(max_examples=15, deadline=None, derandomize=True, phases=[Phase.generate])
@given(
    layout=st.sampled_from(sorted(LAYOUTS)),
    added=st.integers(0, 40),
    gone=st.integers(0, 40),
    other=st.integers(0, 20),
    seed=st.integers(0, 2**32 - 1),
)
def test_brought_up_to_date_is_built_anew(layout, added, gone, other, seed) -> None:
    """Tracks are added, dropped, and analysed again, in two steps."""
    cells, random = LAYOUTS[layout], np.random.default_rng(seed)
    ids = np.sort(random.permutation(2000)[: 300 + added] + 1).astype(np.int64)
    vectors = groups(len(ids), 16, seed)
    new = np.sort(random.permutation(len(ids))[:added])
    old = np.setdiff1d(np.arange(len(ids)), new)
    index = build(ids[old], vectors[old], cells)
    again = random.permutation(old)[:other]
    vectors[again] = groups(len(again), 16, seed + 1)
    dropped = np.setdiff1d(random.permutation(old)[:gone], again)
    first = np.concatenate([new[::2], again])
    index = changed(index, ids[first], vectors[first], [], cells)
    index = changed(
        index, ids[new[1::2]], vectors[new[1::2]], [*ids[dropped].tolist(), 9999], cells
    )
    left = np.setdiff1d(np.arange(len(ids)), dropped)
    same_but_for_statistics(index, build(ids[left], vectors[left], cells))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_merged_answers_as_before(layout: str, tmp_path) -> None:
    cells = LAYOUTS[layout]
    ids, vectors = np.arange(1, 501), groups(500, 16, 1)
    index = build(ids[:450], vectors[:450], cells)
    index = changed(index, ids[450:], vectors[450:], [3, 4, 5], cells)
    base = written(
        tmp_path / "x.index", merged(index.tracks), index.columns, index.facts, cells, measure=False
    )
    again = TrackIndex(base)
    same_but_for_statistics(index, again)
    assert again.facts.generation != index.facts.generation
    kept = ids[(ids < 3) | (ids > 5)]
    same_but_for_statistics(again, build(kept, vectors[kept - 1], cells))
    np.testing.assert_allclose(
        again.database_vectors, build(kept, vectors[kept - 1], cells).database_vectors, atol=5e-3
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_unrelated_track_changes_no_other_list(layout: str) -> None:
    """Near ties, too, keep their order: what does not change is kept bit for bit."""
    cells = LAYOUTS[layout]
    vectors = np.repeat(groups(200, 32, 2), 3, axis=0)
    vectors += 1e-6 * np.random.default_rng(0).standard_normal(vectors.shape).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.arange(1, 601)
    index = build(ids, vectors, cells)
    direction = np.linalg.svd(vectors)[2][-1:].astype(np.float32)  # far from all of them
    later = changed(index, np.array([1000]), direction, [], cells)
    assert 1000 in later
    touched = set(later.tracks.segment.rows.ids.tolist())
    before, after = (one.rank_tracks(ids, 100) for one in (index, later))
    for id, one, two in zip(ids.tolist(), before.ids.tolist(), after.ids.tolist(), strict=True):
        kept = [other for other in two if other != 1000]
        if not touched & {id, *one, *two} - {1000}:
            assert kept == one[: len(kept)]
    assert len(touched) < 60


def test_a_track_with_other_columns_keeps_its_vectors() -> None:
    ids, vectors = np.arange(1, 301), groups(300, 16, 4)
    index = build(ids, vectors, CellSettings())
    some = Changed(ids[4:6], vectors[4:6], {"number": np.array([77, 78])}, np.empty(0, np.int64))
    later = index.changed(changes(index.tracks, some), STATE)
    assert later.columns["number"][np.array([3, 4, 5, 6])].tolist() == [40, 77, 78, 70]
    assert later.columns["number"][5] == 78
    assert np.asarray(later.columns["number"])[5] == 78
    assert later.database_vectors.tobytes() == index.database_vectors.tobytes()
    assert later.rank_tracks(ids, 20).ids.tolist() == index.rank_tracks(ids, 20).ids.tolist()


def test_the_last_track_may_go_and_come_back() -> None:
    ids, vectors = np.arange(1, 301), groups(300, 16, 4)
    index = build(ids, vectors, CellSettings())
    later = changed(index, ids[:0], vectors[:0], [300], CellSettings())
    assert 300 not in later
    assert later.row(300) is None
    assert 300 not in later.rank_tracks(ids[:299], 50).ids
    again = changed(later, ids[299:], vectors[299:], [], CellSettings())
    same_but_for_statistics(again, index)
    assert later.ids.tolist() == ids[:299].tolist()  # nobody's snapshot changes

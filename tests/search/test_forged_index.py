"""A valid file proves nothing about its author: what it holds never leads outside of it."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender.catalog.records import CatalogState
from recommender.embedding.space import SpaceId
from recommender.errors import IndexDamaged, RecsysError
from recommender.search.cells import CellSettings
from recommender.search.index import TrackIndex
from recommender.search.mapped_file import ArrayWriter, MappedFile
from recommender.search.reranking import RerankingSettings

COUNT, WIDTH = 120, 24
CELLS = CellSettings(exact_up_to=50, cells_from=100, cells_per_root=1, energy=0.3, queries=20)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("forged") / "toy.index"
    vectors = np.random.default_rng(0).normal(size=(COUNT, WIDTH)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    TrackIndex.build(
        np.arange(1, COUNT + 1),
        vectors,
        SpaceId("m", "w", "a", "p"),
        CatalogState("c", 1),
        path=path,
        columns={"view": vectors[:, :3].copy()},
        settings=RerankingSettings(k=3),
        cells=CELLS,
    )
    return path


def forged(original: Path, path: Path, changes: dict[str, Any], facts: dict[str, Any]) -> Path:
    """A valid file with other arrays or facts."""
    file = MappedFile.open(original)
    arrays = {name: np.array(values) for name, values in {**file.arrays, **changes}.items()}
    shapes = {name: (values.dtype.str, values.shape) for name, values in arrays.items()}
    with ArrayWriter(path, shapes) as writer:
        for name, values in arrays.items():
            writer.arrays[name][...] = values
        writer.publish({**file.facts, **facts})
    return path


REFUSED: dict[str, tuple[str, Any]] = {
    "ids of another type": ("ids", lambda ids: ids.astype(np.int32)),
    "too few ids": ("ids", lambda ids: ids[:-1]),
    "ids in a table": ("ids", lambda ids: ids[None]),
    "no vectors": ("cosine_head", lambda rows: rows[:0]),
    "narrow vectors": ("cosine_head", lambda rows: rows[:, :1]),
    "float64 vectors": ("cosine_head", lambda rows: rows.astype(np.float64)),
    "wide remainders": ("rest", lambda rows: np.repeat(rows, 2, axis=2)),
    "too few database vectors": ("score_head", lambda rows: rows[:40]),
    "no places": ("position", lambda places: places[:0]),
    "cells behind the end": ("starts", lambda starts: starts + np.arange(len(starts)) * 50),
    "cells that go back": ("starts", lambda starts: starts[::-1].copy()),
    "no cells": ("starts", lambda starts: starts[:1]),
    "centroids of nothing": ("cosine_centroids", lambda rows: rows * np.nan),
    "a rotation of nothing": ("rotation", lambda rows: rows * np.inf),
    "other neighbours": ("neighbours", lambda near: near[:, :2]),
    "short columns": ("column:view", lambda rows: rows[:3]),
    "unknown arrays": ("surprise", lambda _: np.zeros(3)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_arrays_that_do_not_fit_are_refused(original: Path, tmp_path: Path, case: str) -> None:
    name, change = REFUSED[case]
    stored = MappedFile.open(original).arrays.get(name)
    changed = {name: np.ascontiguousarray(change(stored))}
    path = forged(original, tmp_path / "x.index", changed, {})
    with pytest.raises(IndexDamaged, match="the next query builds it again"):
        TrackIndex.open(path)


WRONG: dict[str, tuple[str, Any]] = {
    "places outside": ("position", lambda places: places * 1000),
    "negative places": ("position", lambda places: places - 500),
    "rows outside": ("row", lambda rows: rows + 77),
    "negative rows": ("row", lambda rows: -rows),
    "ids out of order": ("ids", lambda ids: ids[::-1]),
    "ids twice": ("ids", np.ones_like),
    "neighbours nobody knows": ("neighbours", lambda near: near + 10**12),
    "vectors that are no numbers": ("cosine_head", lambda rows: rows * np.nan),
    "endless database vectors": ("score_head", lambda rows: rows + np.inf),
    "endless remainders": ("rest", lambda rows: rows + np.inf),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", WRONG)
def test_values_that_lie_end_no_process(original: Path, tmp_path: Path, case: str) -> None:
    """They are not read at opening: lists are then wrong, or an error says that they are."""
    name, change = WRONG[case]
    stored = MappedFile.open(original).arrays[name]
    path = forged(original, tmp_path / "x.index", {name: change(np.array(stored))}, {})
    index = TrackIndex.open(path)
    allowed = np.arange(COUNT) % 3 == 0
    for method in ("reranked", "cosine"):
        for mask in (None, allowed):
            with suppress(RecsysError):
                index.rank_tracks(index.ids[:5], 4, method, mask)
            with suppress(RecsysError):
                index.rank(np.eye(WIDTH, dtype=np.float32), 4, method, mask)


@pytest.mark.parametrize(
    "name", ["space", "state", "dropped", "settings", "effort", "columns", "generation"]
)
@pytest.mark.parametrize("value", [None, [], "x", {"a": 1}, -1.5])
def test_facts_of_another_kind(original: Path, tmp_path: Path, name: str, value: object) -> None:
    path = forged(original, tmp_path / "x.index", {}, {name: value})
    with suppress(IndexDamaged):  # a generation, say, may have any name
        assert len(TrackIndex.open(path)) == COUNT

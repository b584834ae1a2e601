"""An index file with a valid checksum proves nothing about who wrote it: what it holds is checked."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender.catalog.records import CatalogState
from recommender.embedding.space import SpaceId
from recommender.errors import IndexDamaged
from recommender.search.index import DuplicateViews, FaissIndex
from recommender.search.index_file import read_index, write_index

COUNT, WIDTH = 12, 5


@pytest.fixture
def path(tmp_path: Path) -> Path:
    vectors = np.random.default_rng(0).normal(size=(COUNT, WIDTH)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    views = DuplicateViews(vectors[:, :3].copy(), "detector")
    ids = np.arange(1, COUNT + 1)
    index = FaissIndex.build(
        ids, vectors, SpaceId("m", "w", "a", "p"), CatalogState("c", 1), "cpu", duplicates=views
    )
    index.save(tmp_path / "toy.index")
    return tmp_path / "toy.index"


def nan_in(values: np.ndarray) -> np.ndarray:
    return np.where(np.arange(values.size).reshape(values.shape) == 7, np.nan, values).astype("f4")


ARRAYS: dict[str, Any] = {
    "ids of another type": ("ids", lambda ids: ids.astype(np.int32)),
    "too few ids": ("ids", lambda ids: ids[:-1]),
    "ids out of order": ("ids", lambda ids: ids[::-1].copy()),
    "ids twice": ("ids", lambda ids: np.ones_like(ids)),
    "negative ids": ("ids", lambda ids: ids - 5),
    "ids in a table": ("ids", lambda ids: ids[None]),
    "one id": ("ids", lambda ids: ids[0]),
    "flat vectors": ("vectors", lambda vectors: vectors.ravel()),
    "no vectors": ("vectors", lambda vectors: vectors[:0]),
    "vectors without width": ("vectors", lambda vectors: vectors[:, :0]),
    "float64 vectors": ("vectors", lambda vectors: vectors.astype(np.float64)),
    "long vectors": ("vectors", lambda vectors: vectors * 1e30),
    "vectors that are no numbers": ("vectors", nan_in),
    "half the database vectors": ("database_vectors", lambda _: np.zeros((COUNT // 2, 6), "f4")),
    "narrow database vectors": ("database_vectors", lambda _: np.zeros((COUNT, 5), "f4")),
    "infinite database vectors": ("database_vectors", lambda _: np.full((COUNT, 6), np.inf, "f4")),
    "too few views": ("duplicate_views", lambda views: views[:3]),
    "views of integers": ("duplicate_views", lambda views: views.astype(np.int8)),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_that_do_not_fit(path: Path, case: str) -> None:
    name, change = ARRAYS[case]
    tensors, facts = read_index(path)
    write_index(path, {**tensors, name: np.ascontiguousarray(change(tensors[name]))}, facts)
    with pytest.raises(IndexDamaged, match="the next query builds it again"):
        FaissIndex.load(path, "cpu")


@pytest.mark.parametrize("name", ["ids", "vectors", "database_vectors", "duplicate_views"])
def test_an_array_that_is_missing(path: Path, name: str) -> None:
    tensors, facts = read_index(path)
    del tensors[name]
    write_index(path, tensors, facts)
    with pytest.raises(IndexDamaged):
        FaissIndex.load(path, "cpu")


@pytest.mark.parametrize("name", ["space", "state", "dropped", "reranking", "duplicate_detector"])
@pytest.mark.parametrize("value", [None, [], "x", {"a": 1}, 1.5])
def test_facts_of_another_kind(path: Path, name: str, value: object) -> None:
    tensors, facts = read_index(path)
    write_index(path, tensors, {**facts, name: value})
    with suppress(IndexDamaged):  # a detector, say, may have any name
        assert len(FaissIndex.load(path, "cpu")) == COUNT


def test_facts_that_are_missing(path: Path) -> None:
    tensors, facts = read_index(path)
    for name in facts.keys() - {"format"}:
        write_index(path, tensors, {key: facts[key] for key in facts if key != name})
        with pytest.raises(IndexDamaged):
            FaissIndex.load(path, "cpu")
    assert json.dumps(facts)

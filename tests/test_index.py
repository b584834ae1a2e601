"""Exact search: equals brute force, survives its file, refuses what does not fit."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.catalog.records import CatalogState
from recommender.errors import IndexDamaged, SpaceMismatch, UsageError
from recommender.index import FaissIndex, import_faiss, index_file
from recommender.space import SpaceId

SPACE = SpaceId("toy", "w", "h", "p")
STATE = CatalogState("a-catalogue", 7)


def unit_rows(n: int, d: int, seed: int, copies: int = 0) -> np.ndarray:
    """Random unit vectors, the last `copies` of them repeating the first ones."""
    rows = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    if copies:
        rows[-copies:] = rows[:copies]
    return rows


def build(ids: np.ndarray, vectors: np.ndarray, device: str = "cpu") -> FaissIndex:
    return FaissIndex.build(ids, vectors, SPACE, STATE, device)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 120),
    d=st.integers(2, 24),
    q=st.integers(1, 30),
    k=st.integers(1, 140),
    seed=st.integers(0, 2**32 - 1),
    share_of_copies=st.floats(0, 0.5),
)
def test_search_equals_brute_force(n, d, q, k, seed, share_of_copies):
    vectors = unit_rows(n, d, seed, copies=int(n * share_of_copies))
    ids = np.random.default_rng(seed).permutation(10 * n)[:n].astype(np.int64)
    queries = np.concatenate([vectors[:q], unit_rows(q, d, seed + 1)])

    found, similarities = build(ids, vectors).search(queries, k)

    exact = queries.astype(np.float64) @ vectors.astype(np.float64).T
    assert found.shape == similarities.shape == (len(queries), min(k, n))
    row_of = {int(i): row for row, i in enumerate(ids)}
    for query in range(len(queries)):
        rows = [row_of[int(i)] for i in found[query]]
        assert len(set(rows)) == len(rows)
        np.testing.assert_allclose(similarities[query], exact[query, rows], atol=1e-6)
        # nothing left out is nearer than the last one in the list, and the list falls
        left_out = np.delete(exact[query], rows)
        assert left_out.size == 0 or left_out.max() <= similarities[query, -1] + 1e-6
        assert (np.diff(similarities[query]) <= 0).all()


def test_equal_vectors_come_by_rising_id_even_when_the_list_cuts_through_them():
    same = np.tile(unit_rows(1, 8, 0), (500, 1))
    ids = np.random.default_rng(1).permutation(500).astype(np.int64)
    found, similarities = build(ids, same).search(same[:1], 10)
    assert found[0].tolist() == list(range(10))
    np.testing.assert_allclose(similarities, 1.0, atol=1e-6)


def test_a_batch_gives_bit_for_bit_what_single_queries_give():
    vectors = unit_rows(3_000, 32, 3)
    index = build(np.arange(3_000), vectors)
    ids, similarities = index.search(vectors[:300], 10)
    for row in range(0, 300, 37):
        one_id, one_similarity = index.search(vectors[row : row + 1], 10)
        assert one_id[0].tolist() == ids[row].tolist()
        assert one_similarity[0].tobytes() == similarities[row].tobytes()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(n=st.integers(0, 40), d=st.integers(2, 16), seed=st.integers(0, 2**32 - 1))
def test_saved_and_loaded_is_the_same_index(tmp_path: Path, n, d, seed):
    index = build(np.arange(n) * 3, unit_rows(n, d, seed))
    index.save(tmp_path / "new folder" / "x.index")
    again = FaissIndex.load(tmp_path / "new folder" / "x.index", "cpu")
    assert (again.space, again.state, again.dropped, len(again)) == (SPACE, STATE, 0, n)
    assert again.ids.tolist() == index.ids.tolist()
    assert again.vectors.tobytes() == index.vectors.tobytes()
    queries = unit_rows(3, d, seed + 1)
    for before, after in zip(index.search(queries, 5), again.search(queries, 5), strict=True):
        assert before.tobytes() == after.tobytes()


def test_saving_replaces_the_file_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "x.index"
    build(np.arange(5), unit_rows(5, 4, 0)).save(path)
    build(np.arange(9), unit_rows(9, 4, 0)).save(path)
    assert len(FaissIndex.load(path)) == 9
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.index"]


def test_every_truncation_and_every_flipped_bit_is_noticed(tmp_path):
    path = tmp_path / "x.index"
    build(np.arange(6), unit_rows(6, 4, 0)).save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(IndexDamaged, match="builds it again"):
            FaissIndex.load(path)
    for position in range(len(whole)):
        broken = bytearray(whole)
        broken[position] ^= 1 << (position % 8)
        path.write_bytes(broken)
        with pytest.raises(IndexDamaged):
            FaissIndex.load(path)


def test_a_missing_file_is_not_a_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        FaissIndex.load(tmp_path / "none.index")


def test_rows_that_are_not_finite_are_left_out_and_counted():
    vectors = unit_rows(6, 4, 0)
    vectors[1, 2] = np.nan
    vectors[4, 0] = np.inf
    index = build(np.arange(6), vectors)
    assert (index.dropped, index.ids.tolist()) == (2, [0, 2, 3, 5])
    ids, _ = index.search(vectors[:1], 6)
    assert sorted(ids[0].tolist()) == [0, 2, 3, 5]


def test_an_empty_index_answers_with_nothing():
    index = build(np.arange(0), np.empty((0, 4), np.float32))
    ids, similarities = index.search(unit_rows(2, 4, 0), 3)
    assert ids.shape == similarities.shape == (2, 0)


@pytest.mark.parametrize(
    ("queries", "k", "error"),
    [
        (unit_rows(1, 5, 0), 3, SpaceMismatch),
        (unit_rows(1, 4, 0)[0], 3, SpaceMismatch),
        (unit_rows(1, 4, 0), 0, UsageError),
        (np.full((1, 4), np.nan, np.float32), 3, UsageError),
        (np.ones((1, 4), np.float32), 3, UsageError),
    ],
    ids=["dimension", "not a matrix", "k", "not finite", "not unit"],
)
def test_queries_that_do_not_fit_are_refused(queries, k, error):
    with pytest.raises(error):
        build(np.arange(6), unit_rows(6, 4, 0)).search(queries, k)


def test_vectors_that_are_not_unit_are_refused():
    with pytest.raises(UsageError, match="normalised"):
        build(np.arange(3), np.ones((3, 4), np.float32))


def test_device_is_checked():
    vectors = unit_rows(6, 4, 0)
    with pytest.raises(UsageError, match="auto, cpu or cuda"):
        build(np.arange(6), vectors, "tpu")
    if import_faiss().get_num_gpus() == 0:
        with pytest.raises(UsageError, match="sees no GPU"):
            build(np.arange(6), vectors, "cuda")


def test_gpu_gives_the_same_results():
    if import_faiss().get_num_gpus() == 0:
        pytest.skip("FAISS sees no GPU")
    vectors = unit_rows(5_000, 64, 0, copies=100)
    ids = np.arange(5_000)
    queries = unit_rows(50, 64, 1)
    for k in (1, 10, 3_000):
        cpu = build(ids, vectors, "cpu").search(queries, k)
        gpu = build(ids, vectors, "cuda").search(queries, k)
        assert cpu[0].tobytes() == gpu[0].tobytes()
        assert cpu[1].tobytes() == gpu[1].tobytes()


def test_two_faiss_builds_in_one_environment_are_told(tmp_path):
    for name in ("faiss_cpu", "faiss_gpu"):
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n"
        )
    run = subprocess.run(
        [sys.executable, "-c", "from recommender.index import import_faiss; import_faiss()"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "pip uninstall -y faiss-cpu faiss-gpu" in run.stderr


def test_each_space_has_its_own_file_beside_the_database(tmp_path):
    database = tmp_path / "my music.db"
    here = index_file(SPACE, "uuid", database)
    assert here.parent == tmp_path
    assert here.name.startswith("my music.")
    assert here.suffix == ".index"
    other = index_file(SpaceId("toy", "w2", "h", "p"), "uuid", database)
    assert here != other
    server = index_file(SPACE, "uuid", None)
    assert server.name.startswith("uuid.")
    assert "recsys" in server.parts

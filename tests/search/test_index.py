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
from recommender.embedding.space import SpaceId
from recommender.errors import IndexDamaged, IndexOutdated, SpaceMismatch, UsageError
from recommender.evaluation.retrieval import neighbour_lists
from recommender.search import mapped_file
from recommender.search.faiss_backend import import_faiss
from recommender.search.index import TrackIndex
from recommender.search.index_file import index_file
from recommender.search.reranking import RerankingSettings, ranking

SPACE = SpaceId("toy", "w", "h", "p")
LEAST = RerankingSettings().min_tracks
STATE = CatalogState("a-catalogue", 7)


def unit_rows(n: int, d: int, seed: int, copies: int = 0) -> np.ndarray:
    """Random unit vectors, the last `copies` of them repeating the first ones."""
    rows = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    if copies:
        rows[-copies:] = rows[:copies]
    return rows


def build(
    ids: np.ndarray, vectors: np.ndarray, device: str = "cpu", path: Path | None = None
) -> TrackIndex:
    return TrackIndex.build(ids, vectors, SPACE, STATE, device, path=path)


def by_cosine(index: TrackIndex, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    found = index.rank(queries, k, "cosine")
    assert found.scores.tobytes() == found.similarities.tobytes()
    return found.ids, found.similarities


def clusters(n: int, d: int, seed: int, count: int = 12) -> np.ndarray:
    """Unit vectors about a few directions, some nearer to theirs than others."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((count, d))
    far = random.uniform(0.3, 1.5, (n, 1))
    rows = centres[random.integers(0, count, n)] + far * random.standard_normal((n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


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

    found, similarities = by_cosine(build(ids, vectors), queries, k)

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
    found, similarities = by_cosine(build(ids, same), same[:1], 10)
    assert found[0].tolist() == list(range(10))
    np.testing.assert_allclose(similarities, 1.0, atol=1e-6)


def test_a_batch_gives_bit_for_bit_what_single_queries_give():
    vectors = unit_rows(3_000, 32, 3)
    index = build(np.arange(3_000), vectors)
    for ask, all_queries in ((index.rank, vectors[:300]), (index.rank_tracks, index.ids[:300])):
        every = ask(all_queries, 10)
        for row in range(0, 300, 37):
            one = ask(all_queries[row : row + 1], 10)
            for name in ("ids", "scores", "similarities"):
                assert getattr(one, name)[0].tobytes() == getattr(every, name)[row].tobytes()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    n=st.one_of(st.integers(0, 40), st.integers(LEAST - 1, LEAST + 20)),
    d=st.integers(2, 16),
    seed=st.integers(0, 2**32 - 1),
)
def test_saved_and_loaded_is_the_same_index(tmp_path: Path, n, d, seed):
    path = tmp_path / "new folder" / "x.index"
    index = build(np.arange(n) * 3, unit_rows(n, d, seed))
    build(np.arange(n) * 3, unit_rows(n, d, seed), path=path)
    again = TrackIndex.open(path)
    assert (again.space, again.state, again.dropped, len(again)) == (SPACE, STATE, 0, n)
    assert again.ids.tolist() == index.ids.tolist()
    assert again.vectors.tobytes() == index.vectors.tobytes()
    assert again.database_vectors.tobytes() == index.database_vectors.tobytes()
    assert len(again.database_vectors) == (n if n >= LEAST else 0)
    queries = unit_rows(3, d, seed + 1)
    before, after = index.rank(queries, 5), again.rank(queries, 5)
    for name in ("ids", "scores", "similarities"):
        assert getattr(before, name).tobytes() == getattr(after, name).tobytes()


def test_saving_replaces_the_file_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "x.index"
    build(np.arange(5), unit_rows(5, 4, 0), path=path)
    first = TrackIndex.open(path)
    build(np.arange(9), unit_rows(9, 4, 0), path=path)
    assert len(TrackIndex.open(path)) == 9
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.index"]
    # Who has the old file open goes on with it.
    assert by_cosine(first, unit_rows(1, 4, 0), 9)[0].shape == (1, 5)


def test_every_truncation_and_every_flipped_bit_is_noticed(tmp_path):
    """At opening or, where only values differ, by the check that reads them all."""
    path = tmp_path / "x.index"
    build(np.arange(6), unit_rows(6, 4, 0), path=path)
    whole = path.read_bytes()
    for length in (*range(0, len(whole), 997), *range(len(whole) - 300, len(whole))):
        path.write_bytes(whole[:length])
        with pytest.raises(IndexDamaged, match="builds it again"):
            TrackIndex.open(path)
    used = [at for at in range(len(whole)) if whole[at]]
    for at in (*used[:: len(used) // 200], *range(len(whole) - 100, len(whole)), 5000, 9000):
        broken = bytearray(whole)
        broken[at] ^= 1 << (at % 8)
        path.write_bytes(broken)
        with pytest.raises(IndexDamaged):
            mapped_file.MappedFile.open(path).verify()


def test_a_missing_file_is_not_a_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        TrackIndex.open(tmp_path / "none.index")


def test_rows_that_are_not_finite_are_left_out_and_counted():
    vectors = unit_rows(6, 4, 0)
    vectors[1, 2] = np.nan
    vectors[4, 0] = np.inf
    index = build(np.arange(6), vectors)
    assert (index.dropped, index.ids.tolist()) == (2, [0, 2, 3, 5])
    ids, _ = by_cosine(index, vectors[:1], 6)
    assert sorted(ids[0].tolist()) == [0, 2, 3, 5]


def test_an_empty_index_answers_with_nothing():
    index = build(np.arange(0), np.empty((0, 4), np.float32))
    ids, similarities = by_cosine(index, unit_rows(2, 4, 0), 3)
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
        build(np.arange(6), unit_rows(6, 4, 0)).rank(queries, k)


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
        for by in ("cosine", "reranked"):
            cpu = build(ids, vectors, "cpu").rank(queries, k, by)
            gpu = build(ids, vectors, "cuda").rank(queries, k, by)
            for name in ("ids", "scores", "similarities"):
                assert getattr(cpu, name).tobytes() == getattr(gpu, name).tobytes()


VECTORS = clusters(400, 12, 5)
IDS = np.random.default_rng(6).permutation(4_000)[:400].astype(np.int64)


@pytest.fixture(scope="module")
def index() -> TrackIndex:
    return build(IDS, VECTORS)


class TestReranked:
    """Against `reranking.ranking` and the formula, by brute force in double precision."""

    @pytest.mark.parametrize("k", [1, 10, 400, 999])
    def test_a_track_finds_what_the_ranking_says(self, index, k):
        order = np.argsort(IDS)
        ids, exact = IDS[order], ranking(VECTORS[order])
        scores = exact.query_vectors.astype(np.float64) @ exact.database_vectors.T.astype(
            np.float64
        )
        found = index.rank_tracks(IDS, k)
        assert found.ids.shape == (400, min(k, 400))
        for query, track in enumerate(IDS):
            row = np.searchsorted(ids, track)
            rows = np.searchsorted(ids, found.ids[query])
            assert rows[0] == exact.pinned_first[row]
            assert found.scores[query, 0] == pytest.approx(scores[row].max(), abs=1e-5)
            np.testing.assert_allclose(found.scores[query, 1:], scores[row, rows[1:]], atol=1e-5)
            best = np.sort(np.delete(scores[row], rows[0]))[::-1][: min(k, 400) - 1]
            np.testing.assert_allclose(found.scores[query, 1:], best, atol=1e-5)
            cosines = VECTORS[order][rows] @ VECTORS[order][row]
            np.testing.assert_allclose(found.similarities[query], cosines, atol=1e-5)
        assert (np.diff(found.scores, axis=1) <= 0).all()

    def test_what_is_evaluated_is_what_is_recommended(self, index):
        compared = index.comparable()
        nearest = neighbour_lists(compared, 10)
        for row, track in enumerate(index.ids):
            found = index.rank_tracks(np.array([track]), 11).ids[0]
            assert index.ids[nearest[row]].tolist() == found[found != track][:10].tolist()
        assert index.comparable("cosine").tobytes() == index.vectors.tobytes()

    def test_a_vector_from_outside_is_expanded_among_the_tracks(self, index):
        query = clusters(1, 12, 5)[0] + 0.01
        query = (query / np.linalg.norm(query)).astype(np.float32)
        cosines = index.vectors.astype(np.float64) @ query
        nearest = np.argsort(-cosines)[:10]
        moved = query + 0.5 * np.maximum(cosines[nearest], 0) @ index.vectors[nearest]
        moved /= np.linalg.norm(moved)
        scores = index.database_vectors.astype(np.float64) @ np.r_[moved, 1]
        found = index.rank(query[None], 25)
        others = [row for row in np.argsort(-scores) if row != nearest[0]]
        order = np.array([nearest[0], *others[:24]])
        assert found.ids[0].tolist() == index.ids[order].tolist()
        np.testing.assert_allclose(found.scores[0, 1:], scores[order[1:]], atol=1e-6)
        assert found.scores[0, 0] == pytest.approx(scores.max(), abs=1e-6)
        np.testing.assert_allclose(found.similarities[0], cosines[order], atol=1e-6)

    @pytest.mark.parametrize("k", [1, 2, 30])
    def test_a_copy_from_outside_finds_its_track_first(self, index, k):
        """By score alone a track that is all others' neighbour would not lead its own list."""
        found = index.rank(index.vectors, k)
        assert found.ids[:, 0].tolist() == index.ids.tolist()
        np.testing.assert_allclose(found.similarities[:, 0], 1, atol=1e-6)
        assert (np.diff(found.scores, axis=1) <= 0).all()
        assert all(len(set(row)) == k for row in found.ids.tolist())

    def test_some_tracks_are_not_first_by_their_score(self, index):
        """Or else the test above would say nothing."""
        compared = index.comparable()
        scores = compared.query_vectors @ compared.database_vectors.T
        assert (scores.argmax(axis=1) != np.arange(len(scores))).any()

    def test_a_changed_copy_finds_its_track_first(self, index):
        """However well their common neighbours score."""
        noise = 0.02 * np.random.default_rng(3).standard_normal(index.vectors.shape)
        changed = index.vectors + noise
        changed = (changed / np.linalg.norm(changed, axis=1, keepdims=True)).astype(np.float32)
        nearest = index.rank(changed, 1, "cosine").ids[:, 0]
        assert (nearest == index.ids).mean() > 0.9
        found = index.rank(changed, len(index))
        assert found.ids[:, 0].tolist() == nearest.tolist()
        assert index.rank(changed, 5).ids[:, 0].tolist() == nearest.tolist()
        # By scores alone others would have been first: the first two count as equally good.
        tied = found.scores[:, 1] == found.scores[:, 0]
        assert (tied & (nearest == index.ids)).any()

    def test_a_list_is_the_head_of_a_longer_one(self, index):
        for ask, queries in ((index.rank, index.vectors), (index.rank_tracks, index.ids)):
            long = ask(queries, 64)
            for k in (1, 5, 32):
                assert ask(queries, k).ids.tolist() == long.ids[:, :k].tolist()

    def test_equal_tracks_come_by_rising_id(self):
        vectors = np.repeat(clusters(8, 6, 1), 30, axis=0)
        index = build(np.random.default_rng(2).permutation(240).astype(np.int64), vectors)
        for found in (index.rank_tracks(index.ids, 50), index.rank(index.vectors, 50)):
            falls = np.diff(found.scores, axis=1) < 0
            assert (falls | (np.diff(found.ids, axis=1) > 0))[:, 1:].all()

    def test_unusable_rows_change_nothing(self, index):
        spoilt = np.vstack([VECTORS, np.zeros((1, 12)), np.full((1, 12), np.nan)])
        other = build(np.r_[IDS, 5_000, 5_001], spoilt.astype(np.float32))
        assert other.dropped == 2
        assert other.database_vectors.tobytes() == index.database_vectors.tobytes()

    def test_small_catalogues_are_ranked_by_cosine(self):
        index = build(np.arange(LEAST - 1), VECTORS[: LEAST - 1])
        for found in (index.rank(VECTORS[:5], 9), index.rank_tracks(np.arange(5), 9)):
            exact = index.rank(VECTORS[:5], 9, "cosine")
            assert found.ids.tolist() == exact.ids.tolist()
            assert found.scores.tobytes() == exact.similarities.tobytes()

    def test_no_query_gives_no_result(self, index):
        for by in ("reranked", "cosine"):
            for found in (index.rank(VECTORS[:0], 5, by), index.rank_tracks(IDS[:0], 5, by)):
                assert found.ids.shape == found.scores.shape == found.similarities.shape == (0, 5)

    def test_queries_that_are_refused(self, index):
        with pytest.raises(UsageError, match="track 9999 is not in the index"):
            index.rank_tracks(np.array([IDS[0], 9_999]), 3)
        between = np.setdiff1d(np.arange(IDS.max()), IDS)[:1]
        with pytest.raises(UsageError, match=f"track {between[0]} is not in the index"):
            index.rank_tracks(between, 3)
        with pytest.raises(UsageError, match="at least 1"):
            index.rank_tracks(IDS[:1], 0)
        with pytest.raises(UsageError, match="reranked or cosine, not 'loudness'"):
            index.rank(VECTORS[:1], 3, "loudness")
        assert IDS[0] in index
        assert 9_999 not in index
        assert None not in index


def test_a_file_of_another_version_is_outdated_not_damaged(tmp_path, monkeypatch):
    path = tmp_path / "x.index"
    monkeypatch.setattr(mapped_file, "FORMAT", "recsys-index-1")
    build(np.arange(5), unit_rows(5, 4, 0), path=path)
    monkeypatch.undo()
    with pytest.raises(IndexOutdated, match="of another format"):
        TrackIndex.open(path)


def test_two_faiss_builds_in_one_environment_are_reported(tmp_path):
    for name in ("faiss_cpu", "faiss_gpu"):
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n"
        )
    code = "from recommender.search.faiss_backend import import_faiss; import_faiss()"
    run = subprocess.run(
        [sys.executable, "-c", code],
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

"""Reranking in toy worlds whose right answer is known, and against plain formulas."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from recommender.errors import UsageError
from recommender.evaluation.labelled_vectors import LabelledVectors
from recommender.evaluation.report import evaluate_retrieval
from recommender.evaluation.retrieval import hubness, neighbour_lists, score_queries
from recommender.search.reranking import (
    CosineStatistics,
    Ranking,
    RerankingSettings,
    augmented_database,
    database_vectors,
    effective_method,
    exact_nearest,
    expanded,
    query_vectors,
    query_vectors_of,
    ranking,
)

DEFAULT = RerankingSettings()
NEIGHBOURS, ALPHA, LEAST = DEFAULT.k, DEFAULT.alpha, DEFAULT.min_tracks


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def random_rows(n: int, d: int, seed: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((n, d)))


def clear_rows(n: int, d: int, seed: int) -> np.ndarray:
    """Random rows none of which has two neighbours so alike that rounding chooses the last."""
    vectors = random_rows(n, d, seed)
    cosines = np.sort(vectors @ vectors.T, axis=1)[:, ::-1]
    assume((cosines[:, NEIGHBOURS] - cosines[:, NEIGHBOURS + 1]).min() > 1e-6)
    return vectors


def scores_of(vectors: np.ndarray) -> np.ndarray:
    found = ranking(vectors)
    return found.query_vectors @ found.database_vectors.T


# Toy worlds.


def world_of_groups(noise: float, common: float = 0) -> np.ndarray:
    """Ten groups of twenty on axes of their own, with a share that is common to all."""
    random = np.random.default_rng(0)
    axes = np.repeat(np.eye(10, 64), 20, axis=0) + common * np.eye(64)[-1]
    return axes + noise * random.standard_normal(axes.shape)


GROUPS = np.arange(200) // 20


def test_a_hub_fills_lists_by_cosine_and_none_when_reranked() -> None:
    members = world_of_groups(0.2, common=1.5)
    between = np.eye(10, 64).mean(axis=0) + 1.5 * np.eye(64)[-1]
    vectors = unit(np.vstack([members, between]))
    by_cosine = hubness(vectors)
    assert by_cosine.largest_index == 200
    assert by_cosine.largest > 0.9 * 200
    lists = neighbour_lists(ranking(vectors))[
        :, 1:
    ]  # the nearest is pinned first, and may be the hub
    assert (lists == 200).sum() < 0.05 * 200
    assert (lists[:-1] // 20 == GROUPS[:, None]).mean() > 0.95


def test_expansion_finds_the_tracks_that_noise_hides() -> None:
    vectors = unit(world_of_groups(0.25))
    genres = [str(group) for group in GROUPS]

    def precision(compared: np.ndarray | Ranking) -> float:
        report = evaluate_retrieval(compared, genres, bootstrap=0)
        return report.without_filter.overall.precision.value

    assert precision(vectors) < 0.7
    assert precision(ranking(vectors)) > 0.8


def test_what_is_far_from_everything_is_in_no_list() -> None:
    """Its cosines with the rest have no spread at all: the least one would stand out endlessly."""
    music = np.hstack([random_rows(200, 15, 2), np.zeros((200, 1))])
    vectors = unit(np.vstack([music, np.eye(16)[-1:]]))
    database = database_vectors(augmented_database(vectors)[0])
    hint = unit(music[:50] + 0.1 * np.eye(16)[-1])
    best = (query_vectors(hint) @ database.T).argmax(axis=1)
    assert 200 not in best


# Formulas.


def naive_scores(vectors: np.ndarray) -> np.ndarray:
    """The description of the module, word for word, in double precision."""
    rows = vectors.astype(np.float64)
    moved = []
    for own, x in enumerate(rows):
        cosines = rows @ x
        cosines[own] = -np.inf
        nearest = np.argsort(-cosines)[:NEIGHBOURS]
        sum_ = x + ALPHA * sum(max(cosines[y], 0) * rows[y] for y in nearest)
        moved.append(sum_ / np.linalg.norm(sum_))
    cosines = np.array(moved) @ np.array(moved).T
    others = [np.delete(line, own) for own, line in enumerate(cosines)]
    mean, spread = np.array([o.mean() for o in others]), np.array([o.std() for o in others])
    reduced = mean.mean() + (cosines - mean) / spread * spread.mean()
    return (cosines + reduced) / 2


@settings(max_examples=20, deadline=None, derandomize=True)
@given(n=st.integers(LEAST, 200), d=st.integers(3, 24), seed=st.integers(0, 2**32 - 1))
def test_scores_are_what_the_description_says(n: int, d: int, seed: int) -> None:
    vectors = clear_rows(n, d, seed)
    np.testing.assert_allclose(scores_of(vectors), naive_scores(vectors), atol=2e-5)


def test_neighbours_of_negative_cosine_count_as_none() -> None:
    one, neighbours = np.eye(3, dtype=np.float32)[:1], -np.eye(3, dtype=np.float32)[None, :2]
    assert expanded(one, neighbours, np.array([[-1, 0.0]], np.float32)).tolist() == one.tolist()
    pulled = expanded(one, np.eye(3, dtype=np.float32)[None, 1:2], np.ones((1, 1), np.float32))
    np.testing.assert_allclose(pulled, unit(np.array([[1, ALPHA, 0]])), atol=1e-7)


def test_query_vectors_can_be_recovered_from_database_vectors() -> None:
    moved, _ = augmented_database(random_rows(150, 10, 3))
    np.testing.assert_allclose(
        query_vectors_of(database_vectors(moved)), query_vectors(moved), atol=1e-6
    )


# Invariants.


@settings(max_examples=20, deadline=None, derandomize=True)
@given(n=st.integers(LEAST, 250), d=st.integers(3, 24), seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_tracks_does_not_matter(n: int, d: int, seed: int) -> None:
    vectors = clear_rows(n, d, seed)
    order = np.random.default_rng(seed).permutation(n)
    shuffled = scores_of(vectors[order])
    np.testing.assert_allclose(shuffled, scores_of(vectors)[np.ix_(order, order)], atol=2e-5)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(n=st.integers(LEAST, 200), copies=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_copies_have_equal_vectors_and_expanded_vectors_are_unit(
    n: int, copies: int, seed: int
) -> None:
    vectors = random_rows(n, 12, seed)
    vectors = np.vstack([vectors, np.repeat(vectors[:1], copies, axis=0), vectors[1:3]])
    moved, pinned_first = augmented_database(vectors)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)
    database = database_vectors(moved)
    assert np.isfinite(database).all()
    assert (pinned_first != np.arange(len(vectors))).all()
    np.testing.assert_allclose(vectors[pinned_first[n:]], vectors[n:], atol=1e-6)  # a copy
    np.testing.assert_allclose(database[n:-2], np.repeat(database[:1], copies, axis=0), atol=1e-4)
    np.testing.assert_allclose(database[-2:], database[1:3], atol=1e-4)


def test_a_catalogue_of_nothing_but_copies() -> None:
    scores = scores_of(np.repeat(random_rows(1, 12, 0), 150, axis=0))
    np.testing.assert_allclose(scores, 1, atol=1e-4)


def test_a_track_is_no_neighbour_of_itself_and_its_copy_is() -> None:
    vectors = np.vstack([random_rows(40, 6, 4)] * 2)
    rows, cosines = exact_nearest(vectors, 3)
    for own in range(80):
        assert own not in rows[own]
        assert (own + 40) % 80 in rows[own]
    assert cosines.max() == pytest.approx(1)


def test_memory_bounds_change_no_result() -> None:
    vectors = random_rows(300, 20, 5)
    expected = ranking(vectors)
    found = ranking(vectors, RerankingSettings(chunk_cells=7 * 300))
    np.testing.assert_allclose(found.query_vectors, expected.query_vectors, atol=1e-6)
    np.testing.assert_allclose(found.database_vectors, expected.database_vectors, atol=1e-5)


def test_statistics_of_a_part_stand_for_the_whole() -> None:
    moved, _ = augmented_database(random_rows(1_000, 20, 6))
    every = database_vectors(moved)
    some = CosineStatistics.of(lambda: [moved[:250], moved[250:400]])
    assert some.count == 400
    estimated = database_vectors(moved, statistics=some)
    assert np.abs(estimated - every).max() > 0
    assert np.abs(query_vectors(moved) @ (estimated - every).T).mean() < 0.02


def test_below_the_least_number_of_tracks_plain_cosines_rank() -> None:
    vectors = random_rows(LEAST - 1, 8, 7)
    assert scores_of(vectors).tolist() == (vectors @ vectors.T).tolist()
    assert len(ranking(vectors)) == LEAST - 1
    assert effective_method("reranked", LEAST - 1) == effective_method("cosine", LEAST) == "cosine"
    assert effective_method("reranked", LEAST) == "reranked"


# As something to evaluate.


def test_a_ranking_is_evaluated_as_its_scores_say() -> None:
    vectors = random_rows(60, 8, 8)
    genres = [f"genre {number % 4}" for number in range(60)]
    plain = evaluate_retrieval(vectors, genres, bootstrap=0)
    ranked = evaluate_retrieval(Ranking(vectors, vectors), genres, bootstrap=0)
    assert ranked.as_dict() == plain.as_dict()
    # A database vector of greater length is a hub: the first track is in every other list.
    loud = vectors.copy()
    loud[0] = 0
    loud = np.hstack([loud, np.eye(60, 1)])
    queries = np.hstack([vectors, np.full((60, 1), 2.0)])
    hubs = hubness(Ranking(queries.astype(np.float32), loud.astype(np.float32)), 5)
    assert (hubs.largest, hubs.largest_index) == (59, 0)


def test_the_nearest_is_first_whatever_its_score() -> None:
    vectors = random_rows(150, 8, 10)
    found = ranking(vectors)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    assert found.pinned_first is not None
    assert found.pinned_first.tolist() == cosines.argmax(axis=1).tolist()
    lists = neighbour_lists(found)
    assert lists[:, 0].tolist() == found.pinned_first.tolist()
    scores = scores_of(vectors)
    np.fill_diagonal(scores, -1)
    assert (scores.argmax(axis=1) != found.pinned_first).any()  # or else this would say nothing
    for own, row in enumerate(lists):
        others = [y for y in np.argsort(-scores[own]) if y not in (own, found.pinned_first[own])]
        assert row[1:].tolist() == others[:9]


def test_what_is_pinned_first_can_be_left_out() -> None:
    """As the query itself, as of its artist, or as no candidate: then scores alone rank."""
    vectors = random_rows(6, 4, 11)
    led = Ranking(vectors, vectors, np.array([3, 3, 2, 0, 5, 0]))  # the third by itself
    plain = Ranking(vectors, vectors)
    assert neighbour_lists(led, 1)[[0, 1, 3, 4, 5], 0].tolist() == [3, 3, 0, 5, 0]
    assert neighbour_lists(led)[2].tolist() == neighbour_lists(plain)[2].tolist()
    candidates = np.array([True, True, True, False, True, True])
    some = neighbour_lists(led, gallery=candidates)
    assert some[:2].tolist() == neighbour_lists(plain, gallery=candidates)[:2].tolist()
    genres, artists = ["a", "b", "b", "a", "b", "b"], ["x", "y", "z", "x", "y", "z"]
    scored = [
        score_queries(LabelledVectors.of(compared, genres, artists), 1, artist_filter=True)
        for compared in (led, plain)
    ]
    assert [one.precision[0] for one in scored] == [0, 0]  # the only other "a" leads, and is by "x"


def test_rankings_that_are_none_are_refused() -> None:
    vectors = random_rows(4, 3, 9)
    broken = vectors.copy()
    broken[1, 1] = np.nan
    for queries, database in ((vectors, vectors[:3]), (vectors, broken), (broken, vectors)):
        with pytest.raises(UsageError, match=r"finite and of one shape \(n, e\)"):
            neighbour_lists(Ranking(queries, database), 2)
        with pytest.raises(UsageError):
            score_queries(
                LabelledVectors.of(Ranking(queries, database), ["a"] * 4), 2, artist_filter=False
            )
    for pinned_first in ([0, 1, 2], [0, 1, 2, 4], [0, 1, 2, -1]):
        with pytest.raises(UsageError, match="must be 4 rows"):
            neighbour_lists(Ranking(vectors, vectors, np.array(pinned_first)), 2)

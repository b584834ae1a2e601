"""Rankings against loops that follow the definitions word for word."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from retrieval_worlds import World, figures, random_world, worlds

from recommender.evaluation import retrieval
from recommender.evaluation.labelled_vectors import LabelledVectors
from recommender.evaluation.report import evaluate_retrieval
from recommender.evaluation.retrieval import (
    hubness,
    mean_precision,
    neighbour_lists,
    query_precision,
    score_queries,
)


def naive_query(
    vectors: np.ndarray, genres: list[str], artists: list[str], query: int, k: int, filtered: bool
) -> tuple[float, float, float, int, int]:
    """precision@k, hit, average precision, relevant, candidates of one query."""
    candidates = [
        other
        for other in range(len(vectors))
        if other != query
        and genres[other]
        and not (filtered and artists[query] and artists[other] == artists[query])
    ]
    candidates.sort(key=lambda other: (-float(vectors[query] @ vectors[other]), other))
    relevance = [genres[other] == genres[query] for other in candidates]
    top = relevance[:k]
    precisions = [
        sum(relevance[: index + 1]) / (index + 1) for index, is_in in enumerate(relevance) if is_in
    ]
    return (
        sum(top) / len(top) if top else math.nan,
        float(any(top)),
        sum(precisions) / len(precisions) if precisions else math.nan,
        sum(relevance),
        len(candidates),
    )


@settings(max_examples=150, deadline=None)
@given(worlds(), st.booleans())
def test_equals_a_naive_loop(world: World, filtered: bool) -> None:
    vectors, genres, artists, k = world
    scores = score_queries(LabelledVectors.of(vectors, genres, artists), k, artist_filter=filtered)
    assert scores.rows.tolist() == [row for row, genre in enumerate(genres) if genre]
    found = (
        scores.precision,
        scores.hit,
        scores.average_precision,
        scores.relevant,
        scores.candidates,
    )
    for index, query in enumerate(scores.rows):
        expected = naive_query(vectors, genres, artists, int(query), k, filtered)
        np.testing.assert_allclose([column[index] for column in found], expected)

    report = evaluate_retrieval(vectors, genres, artists, k=k, bootstrap=0)
    filtered_scores = report.with_filter if filtered else report.without_filter
    if filtered_scores is not None:
        judged = scores.relevant > 0
        assert filtered_scores.overall.queries == judged.sum()
        assert filtered_scores.overall.excluded == (~judged).sum()
        if judged.any():
            assert filtered_scores.overall.precision.value == pytest.approx(
                scores.precision[judged].mean()
            )


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_hubs_equal_a_naive_count(world: World) -> None:
    vectors, _, _, k = world
    occurrences = [0] * len(vectors)
    lists = neighbour_lists(vectors, k)
    assert lists.shape == (len(vectors), min(k, len(vectors)))
    for query in range(len(vectors)):
        others = [other for other in range(len(vectors)) if other != query]
        others.sort(key=lambda other: (-float(vectors[query] @ vectors[other]), other))
        assert [row for row in lists[query].tolist() if row >= 0] == others[:k]
        for other in others[:k]:
            occurrences[other] += 1
    hubs = hubness(vectors, k)
    assert hubs.largest == max(occurrences)
    assert hubs.largest_index == occurrences.index(max(occurrences))
    assert hubs.anti_hub_rate == pytest.approx(occurrences.count(0) / len(vectors))


@pytest.mark.parametrize("change", ["order", "rotation", "reflection", "chunks"])
def test_figures_do_not_depend_on(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, genres, artists = random_world(3)
    expected = evaluate_retrieval(vectors, genres, artists, k=5, bootstrap=0)
    if change == "order":
        order = np.random.default_rng(1).permutation(len(vectors))
        vectors = vectors[order]
        genres, artists = [genres[i] for i in order], [artists[i] for i in order]
    elif change == "rotation":
        rotation, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(8, 8)))
        vectors = (vectors @ rotation).astype(np.float32)
    elif change == "reflection":
        vectors = -vectors
    else:
        monkeypatch.setattr(retrieval, "CHUNK_CELLS", 7 * len(vectors))
    changed = evaluate_retrieval(vectors, genres, artists, k=5, bootstrap=0)
    np.testing.assert_allclose(figures(changed), figures(expected))


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_precision_alone_is_that_of_all_scores(world: World) -> None:
    vectors, genres, artists, k = world
    scores = score_queries(LabelledVectors.of(vectors, genres, artists), k, artist_filter=True)
    judged = scores.relevant > 0
    by_query = query_precision(vectors, genres, artists, k=k)
    assert np.array_equal(by_query[judged], scores.precision[judged])
    assert np.isnan(by_query[~judged]).all()
    mean = mean_precision(vectors, genres, artists, k=k)
    assert mean == scores.precision[judged].mean() if judged.any() else math.isnan(mean)

"""Models compared on toy vectors, against answers worked out by hand and by trying every sign."""

import json
import math
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from recommender.errors import UsageError
from recommender.evaluation.comparison import Comparison, compare_models, mean_difference
from recommender.evaluation.report import evaluate_retrieval


def on_circle(degrees: Sequence[float]) -> np.ndarray:
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


# The toy world of test_evaluation, and the same tracks as a model puts them that knows the genres.
#
#   track   0    1    2    3    4    5
#   genre   A    A    B    A    B    B
#   artist  x    x    y    z    y    w
#   first   precision@2: 1/2 1/2 0 0 1/2 1/2
#   other   precision@2: 1 for each
FIRST = on_circle([0, 10, 25, 45, 70, 100])
OTHER = on_circle([0, 1, 90, 2, 91, 92])
GENRES = ["A", "A", "B", "A", "B", "B"]
ARTISTS = ["x", "x", "y", "z", "y", "w"]


def toy(**options: object) -> Comparison:
    options = {"k": 2, **options}
    return compare_models({"first": FIRST, "other": OTHER}, GENRES, ARTISTS, **options)  # type: ignore[arg-type]


def test_toy_world() -> None:
    comparison = toy()
    first, other = comparison.without_filter
    assert (first.model, other.model) == ("first", "other")
    assert first.difference is None
    assert first.scores.precision.value == pytest.approx(1 / 3)
    assert other.scores.precision.value == pytest.approx(1)
    assert other.scores.hit.value == 1
    assert other.difference is not None
    assert other.difference.value == pytest.approx(2 / 3)
    # Every difference is positive: of 2^6 patterns of signs two reach as far, all + and all -.
    assert other.difference.p == pytest.approx(2 / 64)
    assert 1 / 2 <= other.difference.low < 2 / 3 < other.difference.high <= 1


def test_toy_world_with_artist_filter() -> None:
    # first: 1/2 1/2 0 0 1/2 1/2, as worked out in test_evaluation.
    # other: 0 and 1 find 3 and then a B: 1/2; 2 and 4 find 5 and then an A: 1/2;
    #        3 finds 1 and 0: 1; 5 finds 4 and 2: 1.
    # Differences: 0 0 1/2 1 0 1/2; of the signs of the three that are not 0, 2 of 8 reach 2/6.
    models = toy().with_filter
    assert models is not None
    assert models[1].scores.precision.value == pytest.approx((4 * 1 / 2 + 2) / 6)
    assert models[1].difference is not None
    assert models[1].difference.value == pytest.approx(2 / 6)
    assert models[1].difference.p == pytest.approx(2 / 8)


def test_each_model_scores_what_it_scores_alone() -> None:
    comparison = toy()
    for index, (model, vectors) in enumerate((("first", FIRST), ("other", OTHER))):
        alone = evaluate_retrieval(vectors, GENRES, ARTISTS, k=2)
        assert comparison.without_filter[index].scores == alone.without_filter.overall
        assert comparison.with_filter is not None
        assert alone.with_filter is not None
        assert comparison.with_filter[index].scores == alone.with_filter.overall
        assert comparison.hubness[model] == alone.hubness


def test_equal_models_do_not_differ() -> None:
    comparison = compare_models({"a": FIRST, "b": FIRST.copy(), "c": OTHER}, GENRES, k=2)
    assert comparison.with_filter is None
    same = comparison.without_filter[1].difference
    assert same is not None
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)
    assert comparison.without_filter[2].difference == toy().without_filter[1].difference


def test_p_equals_trying_every_sign() -> None:
    by_query = np.array([0.3, -0.1, 0.2, 0.2, -0.4, 0.5, 0.1, 0.0])
    means = [np.mean(by_query * signs) for signs in product([1, -1], repeat=len(by_query))]
    reached = np.mean(np.abs(means) >= abs(by_query.mean()) - 1e-12)
    assert mean_difference(by_query).p == pytest.approx(reached)


def test_p_of_many_queries_is_near_the_normal_one_and_reproducible() -> None:
    by_query = np.random.default_rng(0).normal(0.1, 1, 400)
    found = mean_difference(by_query, seed=1)
    z = by_query.mean() / (by_query.std() / math.sqrt(len(by_query)))
    assert found.p == pytest.approx(math.erfc(abs(z) / math.sqrt(2)), abs=0.015)
    assert found == mean_difference(by_query, seed=1)
    assert found.low < found.value < found.high


def test_too_few_queries_have_no_p() -> None:
    one = mean_difference(np.array([0.5]))
    assert one.value == 0.5
    assert all(math.isnan(value) for value in (one.low, one.high, one.p))
    assert math.isnan(mean_difference(np.empty(0)).value)
    comparison = compare_models({"a": FIRST, "b": OTHER}, list("ABCDEF"), ARTISTS)
    assert comparison.without_filter[0].scores.excluded == 6
    plain = json.loads(json.dumps(comparison.as_dict(), allow_nan=False))
    assert plain["without_filter"][1]["difference"]["p"] is None


def test_what_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="at least two models, not 1"):
        compare_models({"a": FIRST}, GENRES)
    with pytest.raises(UsageError, match="6 labels were given for 5 vectors"):
        compare_models({"a": FIRST, "b": OTHER[:5]}, GENRES)

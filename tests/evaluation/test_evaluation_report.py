"""Reports of retrieval by genre against answers worked out by hand."""

import json
import math

import numpy as np
import pytest
from retrieval_worlds import TOY_ARTISTS, TOY_GENRES, TOY_VECTORS, on_circle, toy

from recommender.errors import UsageError
from recommender.evaluation import metrics
from recommender.evaluation.report import evaluate_retrieval
from recommender.evaluation.retrieval import hubness
from recommender.utils.arrays import is_unit


def test_toy_world_without_artist_filter() -> None:
    # Relevance in rank order:  0: 1 0 1 0 0   1: 1 0 1 0 0   3: 0 0 1 1 0
    #                           2: 0 0 0 1 1   4: 0 1 1 0 0   5: 1 0 1 0 0
    # precision@2:  A: 1/2 1/2 0     B: 0 1/2 1/2
    # average precision: 0, 1 and 5: (1/1 + 2/3) / 2 = 5/6; 3: (1/3 + 2/4) / 2 = 5/12;
    #                    2: (1/4 + 2/5) / 2 = 13/40; 4: (1/2 + 2/3) / 2 = 7/12
    scores = toy().without_filter
    assert [row.genre for row in scores.genres] == ["A", "B"]
    a, b = scores.genres
    assert a.precision.value == pytest.approx(1 / 3)
    assert b.precision.value == pytest.approx(1 / 3)
    assert scores.overall.precision.value == pytest.approx(1 / 3)
    assert (a.hit.value, b.hit.value) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert a.average_precision.value == pytest.approx((5 / 6 + 5 / 6 + 5 / 12) / 3)
    assert b.average_precision.value == pytest.approx((13 / 40 + 7 / 12 + 5 / 6) / 3)
    # Everyone has 2 relevant among 5; two draws miss both with probability 3/5 * 2/4.
    assert scores.overall.precision.chance == pytest.approx(2 / 5)
    assert scores.overall.precision.ratio == pytest.approx((1 / 3) / (2 / 5))
    assert scores.overall.hit.chance == pytest.approx(1 - 3 / 10)
    # H_5 = 137/60, (R-1)/(N-1) = 1/4.
    assert scores.overall.average_precision.chance == pytest.approx(
        (137 / 60 + (5 - 137 / 60) / 4) / 5
    )
    assert (scores.overall.queries, scores.overall.excluded) == (6, 0)
    assert scores.overall.attainable == 1


def test_toy_world_with_artist_filter() -> None:
    # 0: 2 3 4 5 -> 0 1 0 0    1: 2 3 4 5 -> 0 1 0 0    3: 2 4 1 0 5 -> 0 0 1 1 0
    # 2: 1 3 0 5 -> 0 0 0 1    4: 3 5 1 0 -> 0 1 0 0    5: 4 3 2 1 0 -> 1 0 1 0 0
    scores = toy().with_filter
    assert scores is not None
    a, b = scores.genres
    assert a.precision.value == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    assert b.precision.value == pytest.approx((0 + 1 / 2 + 1 / 2) / 3)
    assert a.average_precision.value == pytest.approx((1 / 2 + 1 / 2 + 5 / 12) / 3)
    assert b.average_precision.value == pytest.approx((1 / 4 + 1 / 2 + 5 / 6) / 3)
    assert a.precision.chance == pytest.approx((1 / 4 + 1 / 4 + 2 / 5) / 3)
    assert a.hit.chance == pytest.approx((1 / 2 + 1 / 2 + 7 / 10) / 3)
    # A perfect order puts the one relevant track of 0 and 1 into lists of two.
    assert a.attainable == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)


def test_toy_world_hubs() -> None:
    # Lists of two: 0: 1 2   1: 0 2   2: 1 3   3: 2 4   4: 3 5   5: 4 3; occurrences 1 2 3 3 2 1.
    hubs = toy().hubness
    assert (hubs.largest, hubs.largest_index, hubs.lists) == (3, 2, 6)
    assert hubs.anti_hub_rate == 0
    assert hubs.skewness == pytest.approx(0)
    # Lists of one: 1 0 1 2 3 4; occurrences 1 2 1 1 1 0.
    hubs = hubness(TOY_VECTORS, 1)
    assert (hubs.largest, hubs.largest_index) == (2, 1)
    assert hubs.anti_hub_rate == pytest.approx(1 / 6)
    assert metrics.skewness(np.array([0, 0, 0, 4])) == pytest.approx(2 / math.sqrt(3))


def test_queries_without_relevant_track_are_counted_and_left_out() -> None:
    report = evaluate_retrieval(
        TOY_VECTORS, ["A", "A", "B", "B", "solo", ""], ["x", "x", "y", "z", "w", "w"], k=2
    )
    assert report.unlabelled == 1
    assert report.without_filter.overall.excluded == 1  # the solo track
    assert report.with_filter is not None
    by_genre = {row.genre: row for row in report.with_filter.genres}
    assert (by_genre["A"].queries, by_genre["A"].excluded) == (0, 2)  # all by x
    assert (by_genre["B"].queries, by_genre["B"].excluded) == (2, 0)
    assert math.isnan(by_genre["solo"].precision.value)
    assert report.with_filter.overall.precision.value == by_genre["B"].precision.value
    json.loads(json.dumps(report.as_dict(), allow_nan=False))


def test_unlabelled_tracks_are_no_candidates_but_may_be_hubs() -> None:
    report = evaluate_retrieval(on_circle([0, 1, 2]), ["A", None, "A"], k=1)
    assert report.without_filter.overall.precision.value == 1
    assert report.hubness.largest_index == 1


def test_a_blank_artist_equals_no_other() -> None:
    report = evaluate_retrieval(TOY_VECTORS, TOY_GENRES, ["", None, " ", "z", "", "w"], k=2)
    assert report.without_artist == 4
    assert report.with_filter is not None
    assert report.with_filter.overall == report.without_filter.overall


def test_no_artist_known_means_no_filtered_figures() -> None:
    assert evaluate_retrieval(TOY_VECTORS, TOY_GENRES).with_filter is None
    assert evaluate_retrieval(TOY_VECTORS, TOY_GENRES, [""] * 6).with_filter is None


def test_one_genre_is_always_hit_and_so_is_chance() -> None:
    overall = evaluate_retrieval(TOY_VECTORS, ["A"] * 6, k=3).without_filter.overall
    for rate in (overall.precision, overall.hit, overall.average_precision):
        assert (rate.value, rate.chance) == (pytest.approx(1), pytest.approx(1))


def test_k_beyond_the_gallery_judges_what_there_is() -> None:
    report = toy(k=100)
    overall = report.without_filter.overall
    assert overall.precision.value == pytest.approx(2 / 5)
    assert overall.precision.value == pytest.approx(overall.precision.chance)
    assert (overall.hit.value, overall.hit.chance) == (1, 1)
    assert (report.hubness.largest, report.hubness.anti_hub_rate) == (5, 0)


def test_separate_queries_and_gallery() -> None:
    queries = np.array([True, False, False, False, False, True])
    report = evaluate_retrieval(
        TOY_VECTORS, TOY_GENRES, TOY_ARTISTS, k=2, queries=queries, gallery=~queries
    )
    # 0: 1 2 3 4 -> 1 0 1 0    5: 4 3 2 1 -> 1 0 1 0
    overall = report.without_filter.overall
    assert overall.queries == 2
    assert overall.precision.value == pytest.approx(1 / 2)
    assert overall.average_precision.value == pytest.approx(5 / 6)
    assert (report.hubness.lists, report.hubness.largest) == (2, 1)


def test_random_vectors_score_chance() -> None:
    generator = np.random.default_rng(7)
    count = 600
    vectors = generator.normal(size=(count, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    genres = [f"g{number}" for number in generator.integers(0, 5, count)]
    artists = [f"a{number}" for number in generator.integers(0, 60, count)]
    report = evaluate_retrieval(vectors, genres, artists, k=10, bootstrap=200)
    for scores in (report.without_filter, report.with_filter):
        assert scores is not None
        for rate in (
            scores.overall.precision,
            scores.overall.hit,
            scores.overall.average_precision,
        ):
            assert rate.ratio == pytest.approx(1, abs=0.05)


def test_rows_are_all_then_each_genre_for_both_filters() -> None:
    rows = toy().rows()
    assert [(row["artist_filter"], row["genre"]) for row in rows] == [
        (side, genre) for side in ("off", "on") for genre in ("all", "A", "B")
    ]
    assert rows[0]["precision"] == pytest.approx(1 / 3)
    assert rows[0]["precision_chance"] == pytest.approx(2 / 5)
    assert len({tuple(row) for row in rows}) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_refused(value: float) -> None:
    vectors = TOY_VECTORS.copy()
    vectors[3, 1] = value
    with pytest.raises(UsageError, match="NaN or infinity, the first in row 3"):
        evaluate_retrieval(vectors, TOY_GENRES)
    with pytest.raises(UsageError, match="NaN"):
        hubness(vectors, 2)
    assert is_unit(vectors).tolist() == [True, True, True, False, True, True]


def test_vectors_of_another_length_are_refused() -> None:
    vectors = TOY_VECTORS.copy()
    vectors[2] = 0
    with pytest.raises(UsageError, match="not of length 1, the first in row 2"):
        evaluate_retrieval(vectors, TOY_GENRES)


def test_arguments_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="5 labels were given for 6 vectors"):
        evaluate_retrieval(TOY_VECTORS, TOY_GENRES[:5])
    with pytest.raises(UsageError, match="2 artists were given"):
        evaluate_retrieval(TOY_VECTORS, TOY_GENRES, ["x", "y"])
    with pytest.raises(UsageError, match="at least 1, not 0"):
        toy(k=0)
    with pytest.raises(UsageError, match="has a genre"):
        evaluate_retrieval(TOY_VECTORS, [""] * 6)
    with pytest.raises(UsageError, match="queries must be 6 booleans"):
        toy(queries=np.array([0, 1]))
    with pytest.raises(UsageError, match="shape"):
        evaluate_retrieval(TOY_VECTORS[0], TOY_GENRES)


@pytest.mark.parametrize("artists", [TOY_ARTISTS, None])
def test_plot_is_drawn(tmp_path, artists) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("matplotlib")
    from recommender.evaluation.plots import plot_report

    genres = ["A", "A", "B $", "A", "B $", "solo"]
    report = evaluate_retrieval(TOY_VECTORS, genres, artists, k=2)
    plot_report(report, tmp_path / "report.png")
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match="cannot be written"):
        plot_report(report, tmp_path / "report.xyz")

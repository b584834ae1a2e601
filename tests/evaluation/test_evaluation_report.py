"""The measures against answers worked out by hand, against loops, and against simulation."""

import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import UsageError
from recommender.evaluation import metrics, retrieval
from recommender.evaluation.report import RetrievalReport, bootstrap_interval, evaluate_retrieval
from recommender.evaluation.retrieval import (
    LabelledVectors,
    hubness,
    neighbour_lists,
    score_queries,
)
from recommender.utils.arrays import is_unit


def on_circle(degrees: Sequence[float]) -> np.ndarray:
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


# Six tracks on a circle. Each row below is the order in which the others are found.
#
#   track   0    1    2    3    4    5          0: 1 2 3 4 5     3: 2 4 1 0 5
#   angle   0   10   25   45   70  100          1: 0 2 3 4 5     4: 3 5 2 1 0
#   genre   A    A    B    A    B    B          2: 1 3 0 4 5     5: 4 3 2 1 0
#   artist  x    x    y    z    y    w
TOY_VECTORS = on_circle([0, 10, 25, 45, 70, 100])
TOY_GENRES = ["A", "A", "B", "A", "B", "B"]
TOY_ARTISTS = ["x", "x", "y", "z", "y", "w"]


def toy(k: int = 2, **options: object) -> RetrievalReport:
    return evaluate_retrieval(TOY_VECTORS, TOY_GENRES, TOY_ARTISTS, k=k, **options)  # type: ignore[arg-type]


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
    # A perfect order puts the one relevant track of 0 and 1 into two places.
    assert a.attainable == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)


def test_toy_world_hubs() -> None:
    # Lists of two: 0: 1 2   1: 0 2   2: 1 3   3: 2 4   4: 3 5   5: 4 3; occurrences 1 2 3 3 2 1.
    hubs = toy().hubness
    assert (hubs.largest, hubs.largest_index, hubs.lists) == (3, 2, 6)
    assert hubs.never == 0
    assert hubs.skewness == pytest.approx(0)
    # Lists of one: 1 0 1 2 3 4; occurrences 1 2 1 1 1 0.
    hubs = hubness(TOY_VECTORS, 1)
    assert (hubs.largest, hubs.largest_index) == (2, 1)
    assert hubs.never == pytest.approx(1 / 6)
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
    assert (report.hubness.largest, report.hubness.never) == (5, 0)


def test_equal_similarities_keep_the_order_of_the_rows() -> None:
    similarities = np.array([[0.0, 1.0, -0.0, 1.0, -1.0, -0.5]], dtype=np.float32)
    assert metrics.rank(similarities).tolist() == [[1, 3, 0, 2, 5, 4]]
    assert metrics.rank(similarities, k=3).tolist() == [[1, 3, 0]]
    excluded = np.array([[False, True, False, False, True, False]])
    assert metrics.rank(similarities, excluded).tolist() == [[3, 0, 2, 5, 1, 4]]


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


# Against loops that follow the definitions word for word.


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
        sum(relevance[: place + 1]) / (place + 1) for place, is_in in enumerate(relevance) if is_in
    ]
    return (
        sum(top) / len(top) if top else math.nan,
        float(any(top)),
        sum(precisions) / len(precisions) if precisions else math.nan,
        sum(relevance),
        len(candidates),
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[np.ndarray, list[str], list[str], int]:
    """Small worlds full of ties: unit vectors of +-1/2, whose inner products are exact."""
    count = draw(st.integers(1, 14))
    row = st.lists(st.sampled_from([-0.5, 0.5]), min_size=4, max_size=4)
    vectors = draw(st.lists(row, min_size=count, max_size=count))
    genres = draw(st.lists(st.sampled_from(["", "A", "B", "C"]), min_size=count, max_size=count))
    genres[0] = "A"
    artists = draw(st.lists(st.sampled_from(["", "x", "y"]), min_size=count, max_size=count))
    return np.array(vectors, dtype=np.float32), genres, artists, draw(st.integers(1, 16))


@settings(max_examples=150, deadline=None)
@given(worlds(), st.booleans())
def test_equals_a_naive_loop(
    world: tuple[np.ndarray, list[str], list[str], int], filtered: bool
) -> None:
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
    for place, query in enumerate(scores.rows):
        expected = naive_query(vectors, genres, artists, int(query), k, filtered)
        np.testing.assert_allclose([column[place] for column in found], expected)

    report = evaluate_retrieval(vectors, genres, artists, k=k, bootstrap=0)
    side = report.with_filter if filtered else report.without_filter
    if side is not None:
        kept = scores.relevant > 0
        assert side.overall.queries == kept.sum()
        assert side.overall.excluded == (~kept).sum()
        if kept.any():
            assert side.overall.precision.value == pytest.approx(scores.precision[kept].mean())


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_hubs_equal_a_naive_count(world: tuple[np.ndarray, list[str], list[str], int]) -> None:
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
    assert hubs.never == pytest.approx(occurrences.count(0) / len(vectors))


def random_world(seed: int, count: int = 60) -> tuple[np.ndarray, list[str], list[str]]:
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    genres = [f"genre {number}" for number in generator.integers(0, 4, count)]
    artists = [f"artist {number}" for number in generator.integers(0, 15, count)]
    return vectors, genres, artists


def figures(report: RetrievalReport) -> list[float]:
    values = [report.hubness.skewness, report.hubness.never, report.hubness.largest]
    for row in report.rows():
        values += [value for value in row.values() if isinstance(value, int | float)]
    return values


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


# Chance.


def test_chance_equals_simulation() -> None:
    generator = np.random.default_rng(0)
    relevant, candidates, k, rounds = 3, 11, 4, 20_000
    one = np.arange(candidates) < relevant
    hits = generator.permuted(np.tile(one, (rounds, 1)), axis=1)
    r, n = np.array([relevant]), np.array([candidates])
    for simulated, exact in (
        (metrics.precision_at_k(hits, k), metrics.chance_precision(r, n)),
        (metrics.hit_at_k(hits, k), metrics.chance_hit(r, n, k)),
        (metrics.average_precision(hits), metrics.chance_average_precision(r, n)),
    ):
        error = simulated.std() / math.sqrt(rounds)
        assert abs(simulated.mean() - exact[0]) < 4 * error


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


@pytest.mark.parametrize(
    ("relevant", "candidates", "k", "expected"),
    [(1, 1, 1, 1.0), (1, 4, 4, 1.0), (2, 4, 1, 0.5), (0, 4, 3, 0.0), (3, 4, 2, 1.0), (1, 4, 9, 1)],
)
def test_chance_of_a_hit(relevant: int, candidates: int, k: int, expected: float) -> None:
    chance = metrics.chance_hit(np.array([relevant]), np.array([candidates]), k)
    assert chance[0] == pytest.approx(expected)


# Intervals.


def test_interval_is_near_the_normal_one_and_reproducible() -> None:
    values = np.random.default_rng(1).random((400, 1))
    low, high = bootstrap_interval(values, 2000, seed=5)
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert low[0] == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high[0] == pytest.approx(values.mean() + half, abs=0.1 * half)
    again = bootstrap_interval(values, 2000, seed=5)
    assert (again[0][0], again[1][0]) == (low[0], high[0])
    assert bootstrap_interval(values, 2000, seed=6)[0][0] != low[0]


def test_one_query_has_no_interval() -> None:
    low, high = bootstrap_interval(np.ones((1, 2)), 100, seed=0)
    assert np.isnan([*low, *high]).all()


def test_report_is_the_same_each_time_and_intervals_hold_the_mean() -> None:
    vectors, genres, artists = random_world(4)
    report = evaluate_retrieval(vectors, genres, artists, k=5)
    assert report == evaluate_retrieval(vectors, genres, artists, k=5)
    for row in report.rows():
        assert row["precision_low"] <= row["precision"] <= row["precision_high"]


# Reports and errors.


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

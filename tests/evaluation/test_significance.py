"""Bootstrap intervals of means."""

import math

import numpy as np
import pytest
from retrieval_worlds import random_world

from recommender.evaluation.report import evaluate_retrieval
from recommender.evaluation.significance import bootstrap_interval


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

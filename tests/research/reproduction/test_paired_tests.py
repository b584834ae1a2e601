"""Paired tests of runs against outcomes made by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
from toy_outcomes import outcome

from recommender.evaluation.significance import holm, sign_flip_p
from recommender.research.reproduction.aggregation import results_of
from recommender.research.reproduction.paired_tests import (
    Difference,
    family_pairs,
    paired,
    representatives,
)


def test_identical_runs_do_not_differ() -> None:
    scores = np.tile([0.0, 1.0, 1 / 3], 20)
    difference = paired(scores, scores.copy())
    assert (difference.value, difference.p, difference.tracks) == (0, 1, 60)
    assert not difference.significant
    # Nor do those that are equal but for rounding.
    assert paired(np.mean([[0.2] * 60] * 3, axis=0), np.full(60, 0.2)).p == 1


def test_interval_and_p_agree() -> None:
    """One standard error gives both, so that one never excludes zero without the other."""
    # 10 tracks won, 2 lost, of 20: mean .4, standard error sqrt(.4632 / 20).
    first, second = np.repeat([1.0, 0, 0], [10, 2, 8]), np.repeat([0.0, 1, 0], [10, 2, 8])
    found = paired(first, second)
    assert found.value == pytest.approx(0.4)
    assert (found.low, found.high) == pytest.approx((0.4 - 0.2983, 0.4 + 0.2983), abs=1e-4)
    assert found.p == pytest.approx(0.00858, abs=1e-4)
    # Seeds that would change it by as much: the errors add as squares.
    wider = paired(first, second, 0.1522)
    assert wider.high - wider.value == pytest.approx(0.2983 * np.sqrt(2), abs=1e-4)
    for error in np.linspace(0, 0.3, 50):
        one = paired(first, second, float(error))
        assert one.significant == (one.low > 0)


def test_sign_flip_by_hand() -> None:
    # Of the 2^5 patterns of five equal differences only the two extremes are as far out.
    assert sign_flip_p(np.ones(5)) == pytest.approx(2 / 32)
    assert sign_flip_p(np.array([1.0, 1, 1, 1, 1, 0, 0])) == pytest.approx(2 / 32)
    # 1 1 1 -1 sums to 2, which 5 of 16 patterns reach.
    assert sign_flip_p(np.array([1.0, 1, 1, -1])) == pytest.approx(2 * 5 / 16)
    assert sign_flip_p(np.array([1.0])) == 1
    many = np.ones(290)
    assert sign_flip_p(many) == sign_flip_p(many) < 0.001


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm([]) == []


def test_tracks_without_precision_are_left_out() -> None:
    assert paired(np.array([1, np.nan, 1.0]), np.array([0, 0, np.nan])).tracks == 1


def test_seeds_that_differ_widen_the_interval() -> None:
    def accuracy(seeds: Sequence[int]) -> Difference:
        encoder = [outcome("conv1d-encoder", right, s) for s, right in enumerate(seeds)]
        results = results_of([outcome("lstm-128", 30), *encoder], "filtered")
        [pair] = family_pairs(results)
        assert pair.accuracy.value == pytest.approx(-0.2)
        assert pair.accuracy_holm == pair.accuracy.p
        return pair.accuracy

    assert accuracy([42, 42, 42]).p < 0.01
    assert accuracy([24, 42, 60]).high > 0  # other seeds might have turned it


def test_families_are_represented_by_their_last_main_run() -> None:
    names = ["lstm-10", "lstm-32", "resnet50v2", "conv1d-2-blocks", "conv1d-3-blocks"]
    results = results_of([outcome(name) for name in names], "filtered")
    standing = [row.run.name for row in representatives(results)]
    assert standing == ["lstm-32", "conv1d-2-blocks", "resnet50v2"]
    assert len(family_pairs(results)) == 3

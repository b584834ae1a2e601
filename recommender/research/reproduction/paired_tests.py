"""Paired tests of two runs on the same test tracks.

The difference of two runs, each averaged over its seeds, varies with the tracks that were drawn for
the test and with the seeds of the training. Both make one standard error (root of the sum of
squares): that of the mean of the tracks' differences, and that of the means over seeds, from the
standard deviation over seeds that the runs with several have in common. The interval and p both
follow from it, by the normal distribution, so that an interval excludes zero exactly where
p < .05.

Tracks are taken as independent, which those of one artist are not.
"""

import math
from dataclasses import dataclass

import numpy as np

from recommender.evaluation.significance import holm
from recommender.research.reproduction.aggregation import Results, RunResults
from recommender.research.reproduction.experiments import RUNS
from recommender.utils.arrays import Scores

LEVEL = 0.05
"""Differences with a smaller p are significant."""

_WIDTH = 1.959964
"""Half the width of a 95 % interval in standard errors."""


@dataclass(frozen=True)
class Difference:
    """First less second, mean over the tracks; in [-1, 1].

    Attributes:
        low, high: 95 % interval over tracks and seeds; NaN for fewer than two tracks.
        p: of the two-sided test that it is zero, from the same standard error.
        tracks: compared.
    """

    value: float
    low: float
    high: float
    p: float
    tracks: int

    @property
    def significant(self) -> bool:
        """Whether p is small enough, and so the interval excludes zero."""
        return self.p < LEVEL


@dataclass(frozen=True)
class Pair:
    """The runs that represent two families, compared.

    Attributes:
        accuracy, precision: differences by track and of precision@10; None without precisions.
        accuracy_holm, precision_holm: p after Holm's correction over all pairs.
    """

    first: RunResults
    second: RunResults
    accuracy: Difference
    accuracy_holm: float
    precision: Difference | None
    precision_holm: float | None


def compare_accuracy(first: RunResults, second: RunResults) -> Difference:
    """Compare the test accuracies of two runs.

    Args:
        first, second: of one protocol, each with outcomes.
    """
    return paired(first.correct(), second.correct(), _seed_error(first, second, "test_track"))


def compare_precision(first: RunResults, second: RunResults) -> Difference | None:
    """Compare precision@10; None where a run has none."""
    ours, theirs = first.precisions(), second.precisions()
    if ours is None or theirs is None:
        return None
    return paired(ours, theirs, _seed_error(first, second, "test_precision"))


def paired(first: Scores, second: Scores, seed_error: float = 0.0) -> Difference:
    """Compare two runs track by track.

    Args:
        first, second: np.ndarray [shape=(n,)]: a score of each track; tracks with NaN in either
            are ignored.
        seed_error: the standard error of the difference that the seeds alone give.
    """
    # Equal means of other numbers of seeds differ in their last bits, which is no difference.
    both = np.round(first - second, 9)
    both = both[np.isfinite(both)]
    value = float(both.mean()) if len(both) else 0.0
    if len(both) < 2:
        return Difference(value, math.nan, math.nan, 1.0, len(both))
    error = math.hypot(float(both.std(ddof=1)) / math.sqrt(len(both)), seed_error)
    p = math.erfc(abs(value) / error / math.sqrt(2)) if error else float(not value)
    return Difference(value, value - _WIDTH * error, value + _WIDTH * error, p, len(both))


def _seed_error(first: RunResults, second: RunResults, figure: str) -> float:
    deviation = first.seed_sd.get(figure, 0.0)
    seeds = (len(first.outcomes), len(second.outcomes))
    return float(deviation * np.sqrt(sum(1 / count for count in seeds)))


def representatives(results: Results) -> list[RunResults]:
    """The run that represents each family, of the families that were run.

    The family's last main run that has outcomes, or else its first run that has some.
    """
    selected = []
    for family in dict.fromkeys(run.family for run in RUNS):
        own = [results[r.name] for r in RUNS if r.family == family and results[r.name].outcomes]
        main = [row for row in own if row.run.main]
        selected += main[-1:] or own[:1]
    return selected


def family_pairs(results: Results) -> list[Pair]:
    """Every pair of families, each by the run that represents it."""
    selected = representatives(results)
    pairs = [(a, b) for i, a in enumerate(selected) for b in selected[i + 1 :]]
    accuracy = [compare_accuracy(a, b) for a, b in pairs]
    precision = [compare_precision(a, b) for a, b in pairs]
    accuracy_holm = holm([difference.p for difference in accuracy])
    corrected = iter(holm([difference.p for difference in precision if difference]))
    return [
        Pair(
            a,
            b,
            accuracy[i],
            accuracy_holm[i],
            own := precision[i],
            next(corrected) if own else None,
        )
        for i, (a, b) in enumerate(pairs)
    ]

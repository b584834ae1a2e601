"""Paired tests of two runs on the same test tracks.

Track by track the difference of two runs, averaged over the seeds of each, is tested by flipping
its sign at random (`evaluation.significance`). Tracks are taken as independent, which those of one
artist are not.

The test does not account for other seeds. So the interval of a difference is that
of the tracks and that of the seeds together (root of the sum of squares), the latter from the
standard deviation over seeds that the runs with several have in common; and a difference is
significant only where the test says so and the interval excludes zero.
"""

from dataclasses import dataclass

import numpy as np

from recommender.evaluation.significance import bootstrap_interval, holm, sign_flip_p
from recommender.research.reproduction.aggregation import Results, RunResults
from recommender.research.reproduction.experiments import RUNS
from recommender.utils.arrays import Scores

RESAMPLES = 9_999
SEED = 0
LEVEL = 0.05
"""Differences with a smaller p are significant."""


@dataclass(frozen=True)
class Difference:
    """First less second, mean over the tracks; in [-1, 1].

    Attributes:
        low, high: 95 % interval over tracks (bootstrap) and seeds.
        p: of the two-sided test over the tracks.
        tracks: compared.
    """

    value: float
    low: float
    high: float
    p: float
    tracks: int

    @property
    def significant(self) -> bool:
        """By the test and by the interval."""
        return self.p < LEVEL and self.beyond_zero

    @property
    def beyond_zero(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


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

    Raises:
        RecsysError: SciPy is not installed.
    """
    return paired(first.correct(), second.correct(), _seed_noise(first, second, "test_track"))


def compare_precision(first: RunResults, second: RunResults) -> Difference | None:
    """Compare precision@10; None where a run has none.

    Raises:
        RecsysError: SciPy is not installed.
    """
    ours, theirs = first.precisions(), second.precisions()
    if ours is None or theirs is None:
        return None
    return paired(ours, theirs, _seed_noise(first, second, "test_precision"))


def paired(first: Scores, second: Scores, seed_noise: float = 0.0) -> Difference:
    """Compare two runs track by track.

    Args:
        first, second: np.ndarray [shape=(n,)]: a score of each track; tracks with NaN in either
            are ignored.
        seed_noise: half the width of the interval that the seeds alone give.

    Raises:
        RecsysError: SciPy is not installed.
    """
    # Equal means of other numbers of seeds differ in their last bits, which is no difference.
    both = np.round(first - second, 9)
    both = both[np.isfinite(both)]
    ends = bootstrap_interval(both[:, None], 1000, SEED)
    value = float(both.mean()) if len(both) else 0.0
    below, above = (float(np.hypot(end[0] - value, seed_noise)) for end in ends)
    return Difference(
        value, value - below, value + above, sign_flip_p(both, RESAMPLES, SEED), len(both)
    )


def _seed_noise(first: RunResults, second: RunResults, figure: str) -> float:
    deviation = first.seed_sd.get(figure, 0.0)
    seeds = (len(first.outcomes), len(second.outcomes))
    return float(1.96 * deviation * np.sqrt(sum(1 / count for count in seeds)))


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
    """Every pair of families, each by the run that represents it.

    Raises:
        RecsysError: SciPy is not installed.
    """
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

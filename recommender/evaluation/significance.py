"""Intervals of means, paired permutation tests, and corrections for several tests."""

from collections.abc import Sequence

import numpy as np

from recommender.errors import RecsysError
from recommender.utils.arrays import Scores

CONFIDENCE = 0.95
"""Of every interval."""

CHUNK_CELLS = 2**21
"""Signs drawn at a time, whatever the number of queries: about 30 MB of work space."""


def bootstrap_interval(values: Scores, resamples: int, seed: int) -> tuple[Scores, Scores]:
    """Percentile bootstrap interval (95 %) of the mean of each column (Efron 1979).

    Args:
        values: np.ndarray [shape=(q, m)]: m measures of q queries, resampled together.
        resamples: how many; 0 gives NaN, as does a single query.
        seed: of the draws; they depend on nothing else.

    Returns:
        Lower and upper ends, np.ndarray [shape=(m,)] each.
    """
    count, columns = values.shape
    if count < 2 or resamples < 1:
        return np.full(columns, np.nan), np.full(columns, np.nan)
    generator = np.random.default_rng(seed)
    means = np.empty((resamples, columns))
    for resample in range(resamples):
        drawn = np.bincount(generator.integers(0, count, count), minlength=count)
        means[resample] = drawn @ values / count
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high


def sign_flip_p(differences: Scores, resamples: int = 9_999, seed: int = 0) -> float:
    """p of the two-sided paired permutation test that the mean difference is 0.

    Were two systems equal, the sign of each query's difference would be random. p is the share of
    random signs whose mean is as far from 0 as that found, on either side (Fisher, "The Design of
    Experiments", 1935, section 21; for retrieval: Smucker, Allan & Carterette, "A comparison of
    statistical significance tests for information retrieval evaluation", CIKM 2007).

    Args:
        differences: np.ndarray [shape=(n,)], finite.
        resamples: of the signs of all; all 2^n patterns are tried where that is no more.
        seed: of the signs.

    Raises:
        RecsysError: SciPy is not installed.
    """
    try:
        from scipy.stats import permutation_test
    except ImportError as error:
        raise RecsysError("this test needs SciPy: pip install 'recommender[study]'.") from error
    unequal = differences[differences != 0]  # flipping a zero changes nothing
    if len(unequal) < 2:
        return 1.0  # of one, either sign is as likely; SciPy wants two
    # With one sample, this kind of permutation flips the sign of each observation.
    outcome = permutation_test(
        (unequal,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, CHUNK_CELLS // len(unequal)),
        random_state=np.random.default_rng(seed),
    )
    return float(outcome.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction of the p of each of m tests: bounds the probability of any false alarm.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6(2), 1979.
    """
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    stepped = np.maximum.accumulate(np.asarray(p_values)[order] * factors)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in corrected]

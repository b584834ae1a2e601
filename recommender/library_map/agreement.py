"""Whether clusters are more than chance: stable under resampling, and alike to known labels.

Shapes: n points of m components.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from recommender.library_map.clustering import NOISE
from recommender.library_map.components import fitted_rows
from recommender.library_map.requirements import imported
from recommender.utils.arrays import FloatArray, IntArray, Scores
from recommender.utils.codes import NO_NAME

PAIRS = 10
SHARE = 0.8
"""Pairs of resamples, and the share of the points that each has."""

MOST_RESAMPLED = 2_000
"""Points that stability is judged on, evenly spaced."""

PERMUTATIONS = 199

Clusterer = Callable[[FloatArray], IntArray]
"""From components [n, m] to labels [n]."""


def stability(components: FloatArray, clusterer: Clusterer, seed: int = 0) -> dict[str, float]:
    """Adjusted Rand index of the clusters of pairs of resamples, beside that of a null.

    Each resample has `SHARE` of the points, drawn without replacement (Ben-Hur, Elisseeff & Guyon,
    "A stability based method for discovering structure in clustered data", PSB 2002); a pair is
    compared on the points that both have, noise being one more cluster (Hubert & Arabie, Journal of
    Classification 2, 1985). The null has no clusters: points drawn anew for each pair from the
    normal distribution with the variances of the components, which are uncorrelated. Two labellings
    of all points as one count as 0, not as the 1 that the index gives them.

    Returns:
        ``mean`` and ``least`` over the pairs, ``null_mean`` and ``null_most`` over as many pairs of
        the null, and ``points``.

    Raises `RecsysError` where scikit-learn is not installed.
    """
    rng = np.random.default_rng(seed)
    points = components[fitted_rows(len(components), MOST_RESAMPLED)]
    found = [_of_pair(points, clusterer, rng) for _ in range(PAIRS)]
    null = [_of_pair(_normal(points, rng), clusterer, rng) for _ in range(PAIRS)]
    return {
        "mean": float(np.mean(found)),
        "least": min(found),
        "null_mean": float(np.mean(null)),
        "null_most": max(null),
        "points": len(points),
    }


def _of_pair(points: FloatArray, clusterer: Clusterer, rng: np.random.Generator) -> float:
    metrics = imported("sklearn.metrics")
    size = max(2, round(SHARE * len(points)))
    one, other = (np.sort(rng.choice(len(points), size, replace=False)) for _ in range(2))
    labels = np.full((2, len(points)), NOISE - 1)
    labels[0, one], labels[1, other] = clusterer(points[one]), clusterer(points[other])
    both = labels[:, np.intersect1d(one, other)]
    if (both == both[:, :1]).all():
        return 0.0  # all in one: nothing was found twice, though both agree on that
    return float(metrics.adjusted_rand_score(*both))


def _normal(points: FloatArray, rng: np.random.Generator) -> FloatArray:
    """As many points of a normal distribution with the same variances."""
    drawn: FloatArray = rng.normal(scale=points.std(axis=0), size=points.shape).astype(np.float32)
    return drawn


def agreement(clusters: IntArray, labels: IntArray, seed: int = 0) -> dict[str, Any] | None:
    """Adjusted mutual information of clusters and labels, which chance leaves at 0.

    Vinh, Epps & Bailey, JMLR 11, 2010. Noise, and tracks without a label, are left out; None where
    fewer than two clusters or labels are left.

    Args:
        clusters: np.ndarray [shape=(n,)]; `NOISE` for none.
        labels: np.ndarray [shape=(n,)], codes (`utils.codes`).
        seed: of the permutations.

    Returns:
        ``ami``; ``p``, the share of random permutations of the labels that agree as well; and
        ``tracks``.

    Raises `RecsysError` where scikit-learn is not installed.
    """
    metrics = imported("sklearn.metrics")
    kept = (clusters != NOISE) & (labels != NO_NAME)
    _, rows = np.unique(clusters[kept], return_inverse=True)
    _, columns = np.unique(labels[kept], return_inverse=True)
    if not kept.any() or rows.max() < 1 or columns.max() < 1:
        return None
    rng = np.random.default_rng(seed)
    own = _information(rows, columns)
    # The sizes stay the same, and with them all that the index is adjusted by.
    above = sum(
        _information(rows, rng.permutation(columns)) >= own - 1e-12 for _ in range(PERMUTATIONS)
    )
    return {
        "ami": float(metrics.adjusted_mutual_info_score(columns, rows)),
        "p": (1 + above) / (1 + PERMUTATIONS),
        "tracks": int(kept.sum()),
    }


def _information(rows: IntArray, columns: IntArray) -> float:
    """Mutual information of two labellings from 0, in nats, less what their sizes alone give."""
    pairs = np.unique(rows * (int(columns.max()) + 1) + columns, return_counts=True)[1]
    counts: Scores = pairs.astype(np.float64)
    return float((counts * np.log(counts)).sum())

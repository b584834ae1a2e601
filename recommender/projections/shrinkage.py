"""Means and covariance of classes with far more values than members.

The covariance within classes is pooled over them and shrunk towards a multiple of the identity:
``(1 - s) S + s v I`` with v the mean variance. Whatever such a covariance is inverted for lies in
the span of the vectors it was measured on, so it is given in coordinates of that span: hundreds by
hundreds instead of thousands by thousands, with the same outcome (Hastie, Tibshirani & Friedman,
"The Elements of Statistical Learning", section 18.3.5). numpy only.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.utils.arrays import IntArray

Doubles = npt.NDArray[np.float64]

_NOTHING = 1e-6
"""Length of a direction, as a share of the longest, that only rounding gives the vectors."""


@dataclass(frozen=True, eq=False)
class ClassStatistics:
    """Statistics of c classes of vectors with d values.

    Attributes:
        axes: np.ndarray [shape=(d, r)], orthonormal, of the span of the centred vectors.
        means: np.ndarray [shape=(c, r)], of each class, from the mean over all vectors.
        shares: np.ndarray [shape=(c,)], of the vectors that are of each class.
        within: np.ndarray [shape=(r, r)], the shrunk covariance.
    """

    axes: Doubles
    means: Doubles
    shares: Doubles
    within: Doubles


def class_statistics(
    vectors: npt.NDArray[np.floating], labels: IntArray, shrinkage: float
) -> ClassStatistics:
    """Measure classes.

    Args:
        vectors: np.ndarray [shape=(n, d)]; the shrinkage counts every value alike, so bring them
            to one deviation.
        labels: np.ndarray [shape=(n,)], from 0 to c - 1, each at least once.
        shrinkage: share s of the identity, above 0, at most 1.
    """
    values = vectors.astype(np.float64)
    centre = values.mean(axis=0)
    classes = range(int(labels.max()) + 1)
    own_means = np.stack([values[labels == label].mean(axis=0) for label in classes])
    residuals = values - own_means[labels]
    _, lengths, directions = np.linalg.svd(values - centre, full_matrices=False)
    axes = directions[lengths > _NOTHING * lengths[0]].T
    inside = residuals @ axes
    within = (1 - shrinkage) * (inside.T @ inside) / len(values)
    within += shrinkage * np.square(residuals).mean() * np.eye(len(within))
    shares = np.bincount(labels) / len(labels)
    return ClassStatistics(axes, (own_means - centre) @ axes, shares, within)

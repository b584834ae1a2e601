"""Linear discriminant analysis, principal components and their concatenations, as projections.

Every candidate is affine, so each is a `Projection`. Plain cosine of raw activations has two known
weaknesses: some activations are large for every track, and directions that vary *within* a genre
count as much as those that vary between genres. Centring repairs the first. Linear discriminants
(Fisher 1936) with a shrunk covariance (Ledoit & Wolf 2004) repair the second, but discard what the
training genres do not need; concatenating discriminants with principal components keeps both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.embedding.projection import Projection
from recommender.errors import RecsysError
from recommender.utils.arrays import FloatArray, IntArray

Fit = Callable[[FloatArray, IntArray], Projection]
"""From activations [n, d] and labels [n] of the training tracks."""

Scaling = Callable[[FloatArray], FloatArray]
"""From activations [n, d] to the factors [d] by which they are multiplied, once centred."""

Doubles = npt.NDArray[np.float64]

SHRINKAGE = 0.5
"""Default weight of the identity in the within-class covariance of `fit_lda`."""

_MIN_RELATIVE_DEVIATION = 1e-3
"""An activation whose deviation is a smaller part of the largest deviation is left out."""

_MIN_RELATIVE_LENGTH = 1e-6
"""A direction whose singular value is a smaller part of the largest is rounding error."""


def fit_centring(activations: FloatArray, labels: IntArray) -> Projection:
    """Subtract the mean of the training tracks.

    Args:
        activations: np.ndarray [shape=(n, d)].
        labels: not used; candidates share one signature (`Fit`).
    """
    identity = np.eye(activations.shape[1], dtype=np.float32)
    return Projection(activations.mean(axis=0), identity)


def standard_scale(activations: FloatArray) -> FloatArray:
    """Factors [d] that give every activation deviation 1; nearly constant ones get 0.

    Scaled up, an activation that is almost constant over the training tracks would outweigh the
    others on the first piece of other music that moves it.

    Args:
        activations: np.ndarray [shape=(n, d)].
    """
    deviation = activations.std(axis=0)
    varies = deviation > _MIN_RELATIVE_DEVIATION * deviation.max(initial=0)
    factors: FloatArray = (varies / np.where(varies, deviation, 1)).astype(np.float32)
    return factors


def fit_standardisation(activations: FloatArray, labels: IntArray) -> Projection:
    """Scale every activation to mean 0 and deviation 1; see `standard_scale`.

    Args:
        activations: np.ndarray [shape=(n, d)].
        labels: not used.
    """
    return Projection(activations.mean(axis=0), np.diag(standard_scale(activations)))


def fit_pca(activations: FloatArray, labels: IntArray, components: int = 64) -> Projection:
    """Principal components of the standardised activations, not whitened.

    Args:
        activations: np.ndarray [shape=(n, d)].
        labels: not used.
        components: at most so many.
    """
    mean, scale = activations.mean(axis=0), standard_scale(activations)
    _, _, axes = np.linalg.svd((activations - mean) * scale, full_matrices=False)
    return Projection(mean, scale[:, None] * axes[:components].T)


def fit_ledoit_wolf_lda(activations: FloatArray, labels: IntArray) -> Projection:
    """Linear discriminants with Ledoit-Wolf shrinkage, scaled to unit within-class variance.

    Args:
        activations: np.ndarray [shape=(n, d)].
        labels: np.ndarray [shape=(n,)].

    Raises:
        RecsysError: scikit-learn is not installed.
    """
    try:
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    except ImportError as error:
        raise RecsysError("LDA needs scikit-learn: pip install 'recommender[study]'.") from error

    mean, scale = activations.mean(axis=0), standard_scale(activations)
    scaled = (activations - mean) * scale
    fitted = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(scaled, labels)
    axes = fitted.scalings_[:, : len(np.unique(labels)) - 1]
    return Projection(mean, (scale[:, None] * axes).astype(np.float32))


def fit_lda(
    activations: FloatArray,
    labels: IntArray,
    shrinkage: float = SHRINKAGE,
    scaling: Scaling = standard_scale,
) -> Projection:
    """Linear discriminants with fixed shrinkage, for many more values than tracks.

    Directions are scaled to unit within-class variance.

    Args:
        activations: np.ndarray [shape=(n, d)].
        labels: np.ndarray [shape=(n,)], from 0 to c - 1.
        shrinkage: weight of the identity in the within-class covariance, above 0, at most 1.
        scaling: of the centred activations.

    Raises:
        RecsysError: SciPy is not installed.
    """
    try:
        from scipy.linalg import eigh
    except ImportError as error:
        raise RecsysError("LDA needs SciPy: pip install 'recommender[study]'.") from error

    mean, scale = activations.mean(axis=0), scaling(activations)
    found = class_statistics((activations - mean) * scale, labels, shrinkage)
    between = (found.means.T * found.priors) @ found.means
    _, directions = eigh(between, found.within)  # ascending ratio of between to within
    axes = found.axes @ directions[:, : -len(found.priors) : -1]
    return Projection(mean, (scale[:, None] * axes).astype(np.float32))


def concatenate(
    projections: Sequence[Projection], weights: Sequence[float], vectors: FloatArray
) -> Projection:
    """One projection whose outputs are the weighted outputs of several.

    Args:
        projections: of vectors of d values; all subtract the mean of the first.
        weights: of each in the mean squared length over `vectors`.
        vectors: np.ndarray [shape=(n, d)], those that the projections were fitted on.
    """
    mean = projections[0].mean
    matrices = []
    for projection, weight in zip(projections, weights, strict=True):
        projected = (vectors - mean) @ projection.matrix
        length = float(np.sqrt((projected**2).sum(axis=1).mean()))
        matrices.append(projection.matrix * (np.sqrt(weight) / max(length, 1e-12)))
    return Projection(mean, np.concatenate(matrices, axis=1).astype(np.float32))


def lda_with_pca(weight: float) -> Fit:
    """Linear discriminants concatenated with principal components.

    Args:
        weight: of the discriminants in the mean squared length; the components get the rest.
    """

    def fit(activations: FloatArray, labels: IntArray) -> Projection:
        parts = (fit_ledoit_wolf_lda(activations, labels), fit_pca(activations, labels))
        return concatenate(parts, (weight, 1 - weight), activations)

    return fit


CANDIDATES: dict[str, Fit] = {
    "centred": fit_centring,
    "standardised": fit_standardisation,
    "principal components (64)": fit_pca,
    "shrinkage LDA": fit_ledoit_wolf_lda,
    "LDA 0.9 + principal components 0.1": lda_with_pca(0.9),
    "LDA 0.7 + principal components 0.3": lda_with_pca(0.7),
    "LDA 0.5 + principal components 0.5": lda_with_pca(0.5),
    "LDA 0.3 + principal components 0.7": lda_with_pca(0.3),
    "LDA 0.1 + principal components 0.9": lda_with_pca(0.1),
}
"""The candidates for a network's activations, by name; the choice is made on validation tracks."""


@dataclass(frozen=True, eq=False)
class ClassStatistics:
    """Means and shrunk covariance of c classes of vectors with d values.

    Attributes:
        axes: np.ndarray [shape=(d, r)], orthonormal, of the span of the centred vectors.
        means: np.ndarray [shape=(c, r)], of each class, relative to the mean of all vectors.
        priors: np.ndarray [shape=(c,)], share of the vectors in each class.
        within: np.ndarray [shape=(r, r)], the shrunk within-class covariance.
    """

    axes: Doubles
    means: Doubles
    priors: Doubles
    within: Doubles


def class_statistics(
    vectors: npt.NDArray[np.floating], labels: IntArray, shrinkage: float
) -> ClassStatistics:
    """Class statistics in the span of the vectors, for many more values than vectors.

    The pooled within-class covariance S is shrunk towards a multiple of the identity:
    ``(1 - s) S + s v I``, with v the mean variance. Whatever it is inverted for lies in the span of
    the vectors, so it is given in coordinates of that span: hundreds by hundreds instead of
    thousands by thousands, with the same outcome (Hastie, Tibshirani & Friedman, "The Elements of
    Statistical Learning", section 18.3.5).

    Args:
        vectors: np.ndarray [shape=(n, d)]; the shrinkage treats all values alike, so standardise.
        labels: np.ndarray [shape=(n,)], from 0 to c - 1, each at least once.
        shrinkage: weight s of the identity, above 0, at most 1.
    """
    values = vectors.astype(np.float64)
    centre = values.mean(axis=0)
    classes = range(int(labels.max()) + 1)
    own_means = np.stack([values[labels == label].mean(axis=0) for label in classes])
    residuals = values - own_means[labels]
    _, lengths, directions = np.linalg.svd(values - centre, full_matrices=False)
    axes = directions[lengths > _MIN_RELATIVE_LENGTH * lengths[0]].T
    inside = residuals @ axes
    within = (1 - shrinkage) * (inside.T @ inside) / len(values)
    within += shrinkage * np.square(residuals).mean() * np.eye(len(within))
    priors = np.bincount(labels) / len(labels)
    return ClassStatistics(axes, (own_means - centre) @ axes, priors, within)

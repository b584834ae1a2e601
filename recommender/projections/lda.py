"""Projections fitted on training activations, and the choice among them.

Each candidate is affine, so all are a `Projection`. What a plain cosine does badly is known: some
activations are large for every track, and directions that vary *within* a genre count as much as
those that vary between genres. Centring cures the first; linear discriminants (Fisher 1936) with a
shrunk covariance (Ledoit & Wolf 2004) the second, at the price of forgetting what the genres it
knows do not need. The mixtures keep both: discriminants beside principal components.
"""

from collections.abc import Callable, Sequence

import numpy as np

from recommender.embedding.projection import Projection
from recommender.errors import RecsysError
from recommender.projections.shrinkage import class_statistics
from recommender.utils.arrays import FloatArray, IntArray

Fit = Callable[[FloatArray, IntArray], Projection]

SHRINKAGE = 0.5
"""Share of the identity in the covariance that `shrunk_discriminants` divides by. With a share of
.15 beside whitened descriptors (`experiments/ablation.py`) it and Ledoit & Wolf's own estimate
(.11) give the same precision@10, .9 gives .006 less."""

_HARDLY = 1e-3
"""Deviation, as a share of the largest, below which an activation tells nothing."""


def centred(activations: FloatArray, labels: IntArray) -> Projection:
    """Subtract the mean of the training tracks; cosine of what remains."""
    identity = np.eye(activations.shape[1], dtype=np.float32)
    return Projection(activations.mean(axis=0), identity)


def standardising(activations: FloatArray, labels: IntArray) -> Projection:
    """Every activation to mean 0 and deviation 1; those that hardly vary are left out.

    Scaled up, an activation that is all but constant over the training tracks would outweigh the
    rest on the first piece of other music that moves it.
    """
    deviation = activations.std(axis=0)
    varies = deviation > _HARDLY * deviation.max()
    scale = varies / np.where(varies, deviation, 1)
    return Projection(activations.mean(axis=0), np.diag(scale).astype(np.float32))


def principal(activations: FloatArray, labels: IntArray, components: int = 64) -> Projection:
    """Principal components of the standardised activations, not whitened."""
    scale = standardising(activations, labels)
    scaled = (activations - scale.mean) @ scale.matrix
    _, _, axes = np.linalg.svd(scaled, full_matrices=False)
    return Projection(scale.mean, (scale.matrix @ axes[:components].T).astype(np.float32))


def discriminants(activations: FloatArray, labels: IntArray) -> Projection:
    """Linear discriminants with Ledoit-Wolf shrinkage, scaled to unit within-class variance.

    Raises:
        RecsysError: scikit-learn is not installed.
    """
    try:
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    except ImportError as error:
        raise RecsysError(
            "discriminants need scikit-learn: pip install 'recommender[study]'."
        ) from error

    scale = standardising(activations, labels)
    scaled = (activations - scale.mean) @ scale.matrix
    fitted = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(scaled, labels)
    axes = fitted.scalings_[:, : len(np.unique(labels)) - 1]
    return Projection(scale.mean, (scale.matrix @ axes).astype(np.float32))


def shrunk_discriminants(
    activations: FloatArray, labels: IntArray, shrinkage: float = SHRINKAGE
) -> Projection:
    """Linear discriminants of far more values than tracks, scaled to unit within-class variance.

    Raises:
        RecsysError: scipy is not installed.
    """
    try:
        from scipy.linalg import eigh
    except ImportError as error:
        raise RecsysError("discriminants need scipy: pip install 'recommender[study]'.") from error

    scale = standardising(activations, labels)
    found = class_statistics((activations - scale.mean) @ scale.matrix, labels, shrinkage)
    between = (found.means.T * found.shares) @ found.means
    _, directions = eigh(between, found.within)  # by rising ratio of between to within
    axes = found.axes @ directions[:, : -len(found.shares) : -1]
    return Projection(scale.mean, (scale.matrix @ axes).astype(np.float32))


def beside(
    projections: Sequence[Projection], shares: Sequence[float], vectors: FloatArray
) -> Projection:
    """Several projections of the same vectors beside each other.

    Args:
        projections: all subtract the mean of the first.
        shares: part of the mean squared length over `vectors` that each gets.
        vectors: np.ndarray [shape=(n, d)], those that the projections were fitted on.
    """
    mean = projections[0].mean
    matrices = []
    for projection, share in zip(projections, shares, strict=True):
        projected = (vectors - mean) @ projection.matrix
        length = float(np.sqrt((projected**2).sum(axis=1).mean()))
        matrices.append(projection.matrix * (np.sqrt(share) / max(length, 1e-12)))
    return Projection(mean, np.concatenate(matrices, axis=1).astype(np.float32))


def mixture(share: float) -> Fit:
    """Discriminants beside principal components.

    Args:
        share: part of the mean squared length that the discriminants get.
    """

    def fit(activations: FloatArray, labels: IntArray) -> Projection:
        parts = (discriminants(activations, labels), principal(activations, labels))
        return beside(parts, (share, 1 - share), activations)

    return fit


CANDIDATES: dict[str, Fit] = {
    "centred": centred,
    "standardised": standardising,
    "principal components (64)": principal,
    "shrinkage LDA": discriminants,
    "LDA 0.9 + principal components 0.1": mixture(0.9),
    "LDA 0.7 + principal components 0.3": mixture(0.7),
    "LDA 0.5 + principal components 0.5": mixture(0.5),
    "LDA 0.3 + principal components 0.7": mixture(0.3),
    "LDA 0.1 + principal components 0.9": mixture(0.1),
}
"""What is tried on the validation split, by name."""

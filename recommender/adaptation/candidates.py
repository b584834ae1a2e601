"""The candidate projections of an adaptation, on top of the model's own.

All are affine, and work on the outputs of the model's projection before they are normalised:

*as shipped*: the model's own.
*centred*: the mean of the catalogue's tracks is subtracted, not that of the training tracks. A
    component that all tracks share distinguishes none, and makes hubs (Suzuki, Hara, Shimbo,
    Saerens & Fukumizu, "Centering similarity measures to reduce hubs", EMNLP 2013).
*whitened*: centred, then whitened by a covariance shrunk towards a multiple of the identity (Ledoit
    & Wolf 2004), so that directions in which the tracks differ little count for more.
*+ genres*: each of these concatenated with LDA of the catalogue's genres, Ledoit-Wolf shrinkage.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.adaptation.settings import DEFAULT_SETTINGS, AdaptationSettings
from recommender.adaptation.training_data import UNLABELLED, TrainingData
from recommender.embedding.projection import Projection
from recommender.projections.lda import concatenate, fit_ledoit_wolf_lda
from recommender.utils.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class Candidate:
    """A way to adapt the model's own projection.

    Attributes:
        centred: whether the mean of the tracks is subtracted.
        shrinkage: of the covariance that whitens them, above 0 to 1; None: not whitened.
        genre_weight: of LDA of the genres in the mean squared length.
    """

    centred: bool = False
    shrinkage: float | None = None
    genre_weight: float = 0.0

    @property
    def name(self) -> str:
        """Its name in tables."""
        base = "centred" if self.centred else "as shipped"
        base = base if self.shrinkage is None else f"whitened {self.shrinkage:g}"
        return f"{base} + genres {self.genre_weight:g}" if self.genre_weight else base


AS_SHIPPED = Candidate()


def candidates(
    with_genres: bool, settings: AdaptationSettings = DEFAULT_SETTINGS
) -> tuple[Candidate, ...]:
    """All that are tried, `AS_SHIPPED` first."""
    whitened = (Candidate(True, shrinkage) for shrinkage in settings.shrinkages)
    bases = [Candidate(), Candidate(True), *whitened]
    weights = (0.0, *(settings.genre_weights if with_genres else ()))
    return tuple(Candidate(b.centred, b.shrinkage, weight) for weight in weights for b in bases)


def fit_all(
    tried: Sequence[Candidate], projected: FloatArray, codes: IntArray, min_genres: int = 2
) -> dict[Candidate, Projection]:
    """Every candidate as a projection of `projected`.

    Args:
        tried: in any order.
        projected: np.ndarray [shape=(n, p)], float32: see `TrainingData`.
        codes: np.ndarray [shape=(n,)]: genres; `UNLABELLED` tracks are left out of LDA.
        min_genres: genres with at least two tracks that LDA needs.

    Returns:
        By candidate; without LDA where there are too few genres.

    Raises:
        RecsysError: scikit-learn is not installed, and a candidate has LDA.
    """
    lda = None
    if any(candidate.genre_weight for candidate in tried):
        lda = _fit_lda(projected, codes, min_genres)
    fitted = {}
    for candidate in tried:
        base = _fit_base(candidate, projected)
        if candidate.genre_weight and lda is not None:
            weights = (1 - candidate.genre_weight, candidate.genre_weight)
            base = concatenate((base, lda), weights, projected)
        fitted[candidate] = base
    return fitted


def in_full(own: Projection, candidate: Candidate, data: TrainingData) -> Projection:
    """The candidate fitted on all of `data`, as a projection of the activations themselves.

    Args:
        own: the model's projection, with which `data` was projected.
        candidate: any.
        data: all tracks.
    """
    tracks, codes, min_genres = data.projected, data.codes, data.settings.min_genres
    fitted = fit_all([candidate], tracks, codes, min_genres)[candidate]
    matrix = own.matrix.astype(np.float64) @ fitted.matrix
    return Projection(data.mean if candidate.centred else own.mean, matrix.astype(np.float32))


def _fit_base(candidate: Candidate, projected: FloatArray) -> Projection:
    dimensions = projected.shape[1]
    if not candidate.centred:
        zeros, identity = np.zeros(dimensions), np.eye(dimensions)
        return Projection(zeros.astype(np.float32), identity.astype(np.float32))
    mean = projected.mean(axis=0, dtype=np.float64)
    shrinkage = candidate.shrinkage
    matrix = np.eye(dimensions) if shrinkage is None else _whitening(projected - mean, shrinkage)
    return Projection(mean.astype(np.float32), matrix.astype(np.float32))


def _whitening(differences: FloatArray, shrinkage: float) -> FloatArray:
    """The inverse root of the shrunk covariance, scaled to keep lengths about as they are.

    Args:
        differences: np.ndarray [shape=(n, p)] from the mean.
        shrinkage: weight of the multiple of the identity.
    """
    dimensions = differences.shape[1]
    covariance = differences.T @ differences / len(differences)
    level = float(np.trace(covariance)) / dimensions
    if level <= 0:  # all tracks are equal
        return np.eye(dimensions, dtype=np.float32)
    shrunk = (1 - shrinkage) * covariance + shrinkage * level * np.eye(dimensions)
    variances, axes = np.linalg.eigh(shrunk)
    matrix: FloatArray = (axes * np.sqrt(level / variances)) @ axes.T
    return matrix


def _fit_lda(projected: FloatArray, codes: IntArray, min_genres: int) -> Projection | None:
    genres, counts = np.unique(codes[codes != UNLABELLED], return_counts=True)
    usable = genres[counts > 1]
    if len(usable) < min_genres:
        return None
    train = np.isin(codes, usable)
    return fit_ledoit_wolf_lda(projected[train], codes[train])

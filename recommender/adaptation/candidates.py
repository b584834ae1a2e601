"""The projections that are tried for one's own music, on top of the model's own.

All are affine, and work on what the model's projection gives before it brings vectors to length 1:

*as shipped*: that itself.
*centred*: the mean of one's own tracks is subtracted in place of the training tracks'. What all of
    one's music has in common tells no two tracks apart, and makes hubs (Suzuki, Hara, Shimbo,
    Saerens & Fukumizu, "Centering similarity measures to reduce hubs", EMNLP 2013).
*evened*: centred, then whitened by a covariance shrunk towards a multiple of the identity (Ledoit &
    Wolf 2004), so that directions in which one's tracks differ little count for more.
*+ genres*: each of these beside shrinkage-LDA discriminants of one's own genres.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.adaptation.training_data import LEAST_GENRES, UNTAUGHT, Music
from recommender.embedding.projection import Projection
from recommender.projections.lda import concatenate, fit_ledoit_wolf_lda
from recommender.utils.arrays import FloatArray, IntArray

SHRINKAGES = (0.3, 0.6)
SHARES = (0.2, 0.4)


@dataclass(frozen=True)
class Candidate:
    """A way to adapt the model's own projection.

    Attributes:
        centred: whether the mean of the tracks is subtracted.
        shrinkage: of the covariance that evens them, above 0 to 1; None to leave them as they are.
        share: part of the mean squared length that discriminants of the genres get.
    """

    centred: bool = False
    shrinkage: float | None = None
    share: float = 0.0

    @property
    def name(self) -> str:
        """What tables call it."""
        base = "centred" if self.centred else "as shipped"
        base = base if self.shrinkage is None else f"evened {self.shrinkage:g}"
        return f"{base} + genres {self.share:g}" if self.share else base


AS_SHIPPED = Candidate()


def candidates(with_genres: bool) -> tuple[Candidate, ...]:
    """Those that are tried, `AS_SHIPPED` first."""
    bases = [Candidate(), Candidate(True), *(Candidate(True, shrunk) for shrunk in SHRINKAGES)]
    shares = (0.0, *(SHARES if with_genres else ()))
    return tuple(Candidate(b.centred, b.shrinkage, share) for share in shares for b in bases)


def fit_all(
    tried: Sequence[Candidate], projected: FloatArray, codes: IntArray
) -> dict[Candidate, Projection]:
    """Every candidate as a projection of `projected`.

    Args:
        tried: in any order.
        projected: np.ndarray [shape=(n, p)], float32: see `Music`.
        codes: np.ndarray [shape=(n,)]: genres; `UNTAUGHT` are not learned from.

    Returns:
        By candidate; without its discriminants where fewer than two genres have two tracks.
    """
    learned = None
    if any(candidate.share for candidate in tried):
        learned = _discriminants(projected, codes)
    fitted = {}
    for candidate in tried:
        base = _base(candidate, projected)
        if candidate.share and learned is not None:
            shares = (1 - candidate.share, candidate.share)
            base = concatenate((base, learned), shares, projected)
        fitted[candidate] = base
    return fitted


def in_full(own: Projection, candidate: Candidate, music: Music) -> Projection:
    """The candidate fitted on all of `music`, as a projection of the activations themselves.

    Args:
        own: the model's projection, with which `music` was made.
    """
    fitted = fit_all([candidate], music.projected, music.codes)[candidate]
    matrix = own.matrix.astype(np.float64) @ fitted.matrix
    return Projection(music.mean if candidate.centred else own.mean, matrix.astype(np.float32))


def _base(candidate: Candidate, projected: FloatArray) -> Projection:
    dimensions = projected.shape[1]
    if not candidate.centred:
        zeros, identity = np.zeros(dimensions), np.eye(dimensions)
        return Projection(zeros.astype(np.float32), identity.astype(np.float32))
    mean = projected.mean(axis=0, dtype=np.float64)
    shrinkage = candidate.shrinkage
    matrix = np.eye(dimensions) if shrinkage is None else _evening(projected - mean, shrinkage)
    return Projection(mean.astype(np.float32), matrix.astype(np.float32))


def _evening(differences: FloatArray, shrinkage: float) -> FloatArray:
    """The inverse root of the shrunk covariance, scaled to keep lengths about as they are.

    Args:
        differences: np.ndarray [shape=(n, p)] from the mean.
    """
    dimensions = differences.shape[1]
    covariance = differences.T @ differences / len(differences)
    level = float(np.trace(covariance)) / dimensions
    if level <= 0:  # all tracks are alike
        return np.eye(dimensions, dtype=np.float32)
    shrunk = (1 - shrinkage) * covariance + shrinkage * level * np.eye(dimensions)
    variances, axes = np.linalg.eigh(shrunk)
    matrix: FloatArray = (axes * np.sqrt(level / variances)) @ axes.T
    return matrix


def _discriminants(projected: FloatArray, codes: IntArray) -> Projection | None:
    genres, counts = np.unique(codes[codes != UNTAUGHT], return_counts=True)
    learnable = genres[counts > 1]
    if len(learnable) < LEAST_GENRES:
        return None
    known = np.isin(codes, learnable)
    return fit_ledoit_wolf_lda(projected[known], codes[known])

"""Neighbourhood components analysis (NCA): a projection refined by its nearest neighbours.

LDA separates the means of genres. What is recommended are neighbours, so here the loss is of those:
every track should find tracks of its genre by other artists, in a softmax over its cosines with all
training tracks (Goldberger, Roweis, Hinton & Salakhutdinov, NIPS 2004, who have distances in place
of cosines). Clips of a track and its low-pass filtered copy should find the same, so what differs
between them does not help. The outputs x of a fitted projection become ``x (I + D)`` with the
penalty ``penalty * |D|²``: some hundred tracks say little about thousands of directions, and where
they say nothing the projection remains as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.embedding.projection import Projection
from recommender.errors import RecsysError
from recommender.projections.lda import Doubles
from recommender.utils.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class NcaSettings:
    """Chosen by cross-validation over artists (`tests/experiments/joint_whitening.py`).

    Attributes:
        temperature: of the cosines in the softmax; at a low one only the nearest count.
        penalty: of the squared change D.
        iterations: of L-BFGS, at most; more change little.
    """

    temperature: float = 0.03
    penalty: float = 0.03
    iterations: int = 20


DEFAULT_SETTINGS = NcaSettings()


def fit_nca(
    projection: Projection,
    tracks: FloatArray,
    views: Sequence[FloatArray],
    labels: IntArray,
    artists: Sequence[str] = (),
    settings: NcaSettings = DEFAULT_SETTINGS,
) -> Projection:
    """Refine a projection; it stays as it is where no query could find anything.

    Args:
        projection: of vectors of d values.
        tracks: np.ndarray [shape=(n, d)], the training tracks, which are searched.
        views: np.ndarrays [shape=(n, d)], other views of the same, which are queries as well.
        labels: np.ndarray [shape=(n,)], what a query's neighbours should share with it.
        artists: n names, blank where unknown, or none at all.
        settings: temperature and penalty.

    Raises:
        RecsysError: SciPy is not installed.
    """
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise RecsysError("NCA needs SciPy: pip install 'recommender[study]'.") from error

    loss = NcaLoss.of(
        projection.affine(tracks),
        [projection.affine(view) for view in (tracks, *views)],
        labels,
        artists,
        settings.temperature,
    )
    size = projection.matrix.shape[1]
    identity = np.eye(size)

    def penalised(values: Doubles) -> tuple[float, Doubles]:
        change = values.reshape(size, size)
        value, gradient = loss(identity + change)
        value += settings.penalty * float((change**2).sum())
        return value, (gradient + 2 * settings.penalty * change).ravel()

    options = {"maxiter": settings.iterations}
    start = np.zeros(size * size)
    found = minimize(penalised, start, jac=True, method="L-BFGS-B", options=options)
    matrix = projection.matrix @ (identity + found.x.reshape(size, size))
    return Projection(projection.mean, matrix.astype(np.float32))


@dataclass(frozen=True, eq=False)
class NcaLoss:
    """The mean negative log-probability that a query's neighbour is one that it should find.

    Attributes:
        tracks: np.ndarray [shape=(n, p)], what is searched.
        queries: np.ndarray [shape=(q, p)].
        allowed: np.ndarray [shape=(q, n)], which of the tracks a query may find.
        wanted: np.ndarray [shape=(q, n)], which of those it should find, at least one each.
        temperature: of the cosines.
    """

    tracks: FloatArray
    queries: FloatArray
    allowed: BoolArray
    wanted: BoolArray
    temperature: float

    @classmethod
    def of(
        cls,
        tracks: FloatArray,
        views: Sequence[FloatArray],
        labels: IntArray,
        artists: Sequence[str],
        temperature: float,
    ) -> "NcaLoss":
        """Every view of every track as a query, but for those with nothing to find."""
        names = list(artists) or [""] * len(tracks)
        own = np.array([name or f"track {row}" for row, name in enumerate(names)])
        allowed = own[:, None] != own
        wanted = allowed & (labels[:, None] == labels)
        usable = wanted.any(axis=1)
        return cls(
            tracks,
            np.concatenate([view[usable] for view in views]),
            np.tile(allowed[usable], (len(views), 1)),
            np.tile(wanted[usable], (len(views), 1)),
            temperature,
        )

    def __call__(self, matrix: Doubles) -> tuple[float, Doubles]:
        """The loss of vectors multiplied by a matrix [p, p], and its gradient by the matrix."""
        factor = matrix.astype(self.tracks.dtype)
        found, lengths = _normalised(self.queries @ factor)
        searched, searched_lengths = _normalised(self.tracks @ factor)
        scores = np.where(self.allowed, found @ searched.T / self.temperature, -np.inf)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-1e30))
        weights /= weights.sum(axis=1, keepdims=True)
        right = weights * self.wanted
        share = np.maximum(right.sum(axis=1, keepdims=True), 1e-12)
        count = max(len(self.queries), 1)
        by_score = (weights - right / share) / (self.temperature * count)
        gradient = self.queries.T @ _before_normalising(by_score @ searched, found, lengths)
        gradient += self.tracks.T @ _before_normalising(
            by_score.T @ found, searched, searched_lengths
        )
        return float(-np.log(share).sum() / count), gradient.astype(np.float64)


def _normalised(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rows of length 1, and the lengths [n, 1] that they had."""
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return vectors / lengths, lengths


def _before_normalising(gradient: FloatArray, units: FloatArray, lengths: FloatArray) -> FloatArray:
    """The gradient by vectors of some lengths, from that by their unit vectors."""
    along = (gradient * units).sum(axis=1, keepdims=True)
    found: FloatArray = (gradient - along * units) / lengths
    return found

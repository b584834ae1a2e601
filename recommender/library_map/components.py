"""Vectors of tracks, and their principal components. numpy only.

Shapes: n tracks, vectors of d dimensions, m components.
"""

from dataclasses import dataclass

import numpy as np

from recommender.search.index import TrackIndex
from recommender.search.score_space import ScoreSpace
from recommender.utils.arrays import FloatArray, IntArray, row_parts

MOST_FITTED = 20_000
"""Tracks that a map or clusters are computed from; the others are placed among them."""


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """An affine map onto the directions in which vectors differ most.

    Attributes:
        mean: np.ndarray [shape=(d,)].
        axes: np.ndarray [shape=(d, m)], orthonormal, by falling variance; of each, the largest
            entry is positive.
    """

    mean: FloatArray
    axes: FloatArray

    @classmethod
    def fit(cls, vectors: FloatArray, most: int) -> "PrincipalComponents":
        """Of vectors [n, d], at most `most` components."""
        mean = vectors.mean(axis=0, dtype=np.float64)
        centred = vectors - mean
        _, axes = np.linalg.eigh(centred.T @ centred)
        axes = axes[:, ::-1][:, :most]
        largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
        return cls(mean.astype(np.float32), (axes * np.sign(largest)).astype(np.float32))

    def __call__(self, vectors: FloatArray) -> FloatArray:
        """Components of vectors [n, d]: np.ndarray [shape=(n, m)], float32."""
        return np.asarray((vectors - self.mean) @ self.axes, dtype=np.float32)


def fitted_rows(count: int, most: int = MOST_FITTED) -> IntArray:
    """At most `most` of `count` rows, evenly spaced: np.ndarray [shape=(m,)], ascending."""
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).astype(np.int64)


def vectors_of(index: TrackIndex, rows: IntArray) -> FloatArray:
    """Unit vectors of tracks in the embedding space: np.ndarray [shape=(m, d)], float32."""
    units = ScoreSpace(index).units(rows)
    return np.ascontiguousarray(index.tracks.base.turned_back(units))


def components_of(index: TrackIndex, rows: IntArray, components: PrincipalComponents) -> FloatArray:
    """Components of tracks, read a part at a time: np.ndarray [shape=(len(rows), m)]."""
    found = np.empty((len(rows), components.axes.shape[1]), dtype=np.float32)
    for part in row_parts(len(rows), index.dimension):
        found[part] = components(vectors_of(index, rows[part]))
    return found

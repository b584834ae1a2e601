"""The vectors of tracks as a search reads them: the leading components apart from the rest.

Vectors are rotated to their principal axes, which changes no inner product. Most of a product is in
the leading components then: these are scanned, and the rest is read of the best candidates only.
Where every component is leading (p = d), a scan is exact.

Shapes: m tracks, vectors of d dimensions of which p are leading, k neighbours of each.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from recommender.utils.arrays import FloatArray, IntArray

NO_NEIGHBOUR = -1
"""In the place of an id, where a catalogue is too small for k neighbours."""


@dataclass(frozen=True, eq=False)
class VectorRows:
    """Tracks with their unit vectors, their database vectors and their nearest others.

    Attributes:
        ids: np.ndarray [shape=(m,)], int64.
        cosine_head: np.ndarray [shape=(m, p)], float32: leading components of the unit vectors.
        score_head: np.ndarray [shape=(m, p + 1)], float32: leading components of the database
            vectors, and their last one, the offset; [shape=(m, 0)] where nothing is reranked.
        rest: np.ndarray [shape=(m, 2, d - p)], float32: the other components of the unit vector,
            then those of the database vector; [shape=(m, 1, d - p)] where nothing is reranked.
        neighbours: np.ndarray [shape=(m, k)], int64: ids of the nearest others by cosine, nearest
            first; [shape=(m, 0)] where nothing is reranked.
        neighbour_cosines: np.ndarray [shape=(m, k)], float32.
    """

    ids: IntArray
    cosine_head: FloatArray
    score_head: FloatArray
    rest: FloatArray
    neighbours: IntArray
    neighbour_cosines: FloatArray

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.ids)

    @property
    def reranked(self) -> bool:
        """Whether there are database vectors."""
        return bool(self.score_head.shape[1] > 0)

    def take(self, rows: IntArray | slice) -> "VectorRows":
        """Some of the tracks."""
        return VectorRows(*(getattr(self, field.name)[rows] for field in fields(self)))

    def unit(self, rows: IntArray | slice) -> FloatArray:
        """Unit vectors of `rows`: np.ndarray [shape=(..., d)]."""
        return joined_unit(self.cosine_head[rows], self.rest[rows])

    def database(self, rows: IntArray | slice) -> FloatArray:
        """Database vectors of `rows`: np.ndarray [shape=(..., d + 1)], the offset last."""
        return joined_database(self.score_head[rows], self.rest[rows])


def joined_unit(head: FloatArray, rest: FloatArray) -> FloatArray:
    """Unit vectors [m, d] of `VectorRows.cosine_head` and `VectorRows.rest`."""
    return np.concatenate([head, rest[:, 0]], axis=1)


def joined_database(head: FloatArray, rest: FloatArray) -> FloatArray:
    """Database vectors [m, d + 1] of `VectorRows.score_head` and `VectorRows.rest`."""
    return np.concatenate([head[:, :-1], rest[:, 1], head[:, -1:]], axis=1)


def stacked(parts: Iterable[VectorRows]) -> VectorRows:
    """The tracks of all parts, in this order."""
    every = list(parts)
    return VectorRows(
        *(
            np.concatenate([getattr(part, field.name) for part in every])
            for field in fields(VectorRows)
        )
    )


def vector_rows(
    ids: IntArray,
    units: FloatArray,
    database: FloatArray | None,
    neighbours: IntArray,
    cosines: FloatArray,
    leading: int,
) -> VectorRows:
    """Rows of unit vectors [m, d] and database vectors [m, d + 1], both rotated."""
    count = len(ids)
    rests = [units[:, leading:]]
    head = np.empty((count, 0), dtype=np.float32)
    if database is not None:
        head = np.concatenate([database[:, :leading], database[:, -1:]], axis=1)
        rests.append(database[:, leading:-1])
    return VectorRows(
        ids,
        np.ascontiguousarray(units[:, :leading]),
        head,
        np.ascontiguousarray(np.stack(rests, axis=1)),
        neighbours,
        cosines,
    )

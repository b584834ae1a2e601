"""Reranking with database-side augmentation and hubness reduction. numpy only.

The vector of one track carries accidental detail along with what is essential, and a cosine of two
vectors adds up the accidents of both. A catalogue holds more than two vectors:

*Expansion.* A track's nearest neighbours mostly share what is essential to it and not what is
accidental, so each vector is moved towards them: ``x + alpha * Σ cos(x, y) y`` over its k nearest,
brought to length 1. For a query this is query expansion (Chum et al., ICCV 2007; with similarities
as weights: Radenović, Tolias & Chum, PAMI 2019), for the rows of a catalogue database-side
augmentation (Turcot & Lowe, ICCV workshops 2009; Arandjelović & Zisserman, CVPR 2012).

*Hubness reduction.* Some tracks are near to everything (hubs) and enter every list, others enter
none. Half of a score is the cosine of the expanded vectors; the other half is what that cosine
would be if the database track had average cosines, of average spread, with the rest of the
catalogue. That is mutual proximity with normal distributions (Schnitzer, Flexer, Schedl & Widmer,
JMLR 13, 2012) with its logarithms of probabilities replaced by their arguments, and the query
taken for an average one: linear, so that scores are inner products, which an index can search.
Mean and spread of a track's cosines with all others follow from the mean and the second moment of
the expanded vectors (`CosineStatistics`), so that no sample of tracks has to stand for them.

*Pinned first.* The neighbours of a track say nothing of the track itself, and other tracks have the
same neighbours: by its score, another master or bit rate of a recording could stand anywhere among
them. So the first rank belongs to the nearest by plain cosine.

Nothing here uses a genre or an artist. Shapes: n tracks of d dimensions, k neighbours of each.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from recommender.utils.arrays import FloatArray, IntArray, Scores, row_parts, unit_rows

RankingMethod = Literal["reranked", "cosine"]
"""What orders a list: the scores of this module, or plain cosines."""


@dataclass(frozen=True)
class RerankingSettings:
    """How a catalogue is reranked; an index is built, and stored, with one of these.

    Attributes:
        k: neighbours towards which a vector is moved.
        alpha: weight of those neighbours.
        min_tracks: with fewer tracks neighbours are not alike and averages mean little: lists are
            then ordered by plain cosine.
        min_spread_ratio: least spread of a track's cosines, as a ratio to the mean spread. Without
            it, what is equally far from everything (noise among music) would get a high score for
            the smallest similarity.
        chunk_cells: float32 values held at once while cosines are computed, whatever the number of
            tracks; 2**22 take 16 MB.
    """

    k: int = 10
    alpha: float = 0.5
    min_tracks: int = 100
    min_spread_ratio: float = 0.25
    chunk_cells: int = 2**22


DEFAULT_SETTINGS = RerankingSettings()


@dataclass(frozen=True, eq=False)
class Ranking:
    """Scores of n tracks as inner products of rows of `query_vectors` and `database_vectors`.

    Attributes:
        query_vectors: np.ndarray [shape=(n, e)], float32.
        database_vectors: np.ndarray [shape=(n, e)], float32.
        pinned_first: np.ndarray [shape=(n,)], for each track the row that comes first, whatever its
            score; None where scores alone rank.
    """

    query_vectors: FloatArray
    database_vectors: FloatArray
    pinned_first: IntArray | None = None

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.query_vectors)


def exact_nearest(
    vectors: FloatArray, k: int, chunk_cells: int = DEFAULT_SETTINGS.chunk_cells
) -> tuple[IntArray, FloatArray]:
    """The k nearest others of every unit row [n, d] by cosine, in any order.

    Returns:
        rows and cosines (np.ndarray [shape=(n, k)]).
    """
    rows, cosines = [], []
    for chunk in row_parts(len(vectors), len(vectors), chunk_cells):
        part = vectors[chunk] @ vectors.T
        part[np.arange(len(part)), chunk.start + np.arange(len(part))] = -np.inf
        best = np.argpartition(part, -k, axis=1)[:, -k:]
        rows.append(best)
        cosines.append(np.take_along_axis(part, best, axis=1))
    return np.concatenate(rows), np.concatenate(cosines)


def expanded(
    vectors: FloatArray,
    neighbours: FloatArray,
    cosines: FloatArray,
    alpha: float = DEFAULT_SETTINGS.alpha,
) -> FloatArray:
    """Unit vectors moved towards their neighbours (query expansion).

    Args:
        vectors: np.ndarray [shape=(n, d)], of length 1.
        neighbours: np.ndarray [shape=(n, k, d)], of length 1.
        cosines: np.ndarray [shape=(n, k)], of each with its neighbours; below 0 counts as 0.
        alpha: weight of the neighbours.

    Returns:
        np.ndarray [shape=(n, d)], float32, rows of length 1.
    """
    shift = np.einsum("nk,nkd->nd", alpha * np.maximum(cosines, 0), neighbours)
    return unit_rows(vectors + shift)


def augmented_database(
    vectors: FloatArray, settings: RerankingSettings = DEFAULT_SETTINGS
) -> tuple[FloatArray, IntArray]:
    """Every track of a catalogue moved towards its nearest others (database-side augmentation).

    Args:
        vectors: np.ndarray [shape=(n, d)], of length 1, n above `settings.k`.
        settings: k and alpha.

    Returns:
        the moved vectors (np.ndarray [shape=(n, d)], float32), and the row of the nearest other of
        each (np.ndarray [shape=(n,)], int64).
    """
    rows, cosines = exact_nearest(vectors, settings.k, settings.chunk_cells)
    found = [
        expanded(vectors[part], vectors[rows[part]], cosines[part], settings.alpha)
        for part in row_parts(len(vectors), settings.k * vectors.shape[1], settings.chunk_cells)
    ]
    closest = cosines == cosines.max(axis=1, keepdims=True)
    pinned_first = np.where(closest, rows, len(vectors)).min(axis=1)  # of equals, the first row
    return np.concatenate(found), pinned_first


@dataclass(frozen=True, eq=False)
class CosineStatistics:
    """What the mean and the spread of a track's cosines with a catalogue are computed from.

    Attributes:
        count: tracks that it was computed of.
        mean_vector: np.ndarray [shape=(d,)], float64, of their expanded vectors.
        second_moment: np.ndarray [shape=(d, d)], float64, of the same.
        mean: average of the tracks' mean cosines.
        spread: average of the spreads of their cosines, each of which is at least `least_spread`.
        least_spread: see `RerankingSettings.min_spread_ratio`.
    """

    count: int
    mean_vector: Scores
    second_moment: Scores
    mean: float = 0.0
    spread: float = 0.0
    least_spread: float = 0.0

    @classmethod
    def of(
        cls,
        batches: Callable[[], Iterable[FloatArray]],
        settings: RerankingSettings = DEFAULT_SETTINGS,
    ) -> "CosineStatistics":
        """Of expanded vectors that `batches` gives twice, a part [m, d] at a time."""
        count = 0
        total: Scores | float = 0.0
        squares: Scores | float = 0.0
        for moved in batches():
            part = moved.astype(np.float64)
            count += len(part)
            total = total + part.sum(axis=0)
            squares = squares + part.T @ part
        found = cls(count, np.asarray(total) / count, np.asarray(squares) / count)
        both = [found.moments(moved) for moved in batches()]
        means, spreads = (np.concatenate(column) for column in zip(*both, strict=True))
        least = max(settings.min_spread_ratio * float(spreads.mean()), 1e-6)
        return replace(
            found,
            mean=float(means.mean()),
            spread=float(np.maximum(spreads, least).mean()),
            least_spread=least,
        )

    def moments(self, moved: FloatArray) -> tuple[Scores, Scores]:
        """Mean and spread of the cosines of expanded tracks [m, d] with all others: [m] each.

        A track's cosine with itself, which is 1, does not count; a spread is `least_spread` at
        least.
        """
        rows = moved.astype(np.float64)
        others = max(1, self.count - 1)
        mean = (self.count * (rows @ self.mean_vector) - 1) / others
        of_squares = np.einsum("nd,nd->n", rows @ self.second_moment, rows)
        squares = (self.count * of_squares - 1) / others
        return mean, np.sqrt(np.maximum(squares - mean**2, self.least_spread**2))


def database_vectors(
    moved: FloatArray,
    settings: RerankingSettings = DEFAULT_SETTINGS,
    statistics: CosineStatistics | None = None,
) -> FloatArray:
    """Database vectors of expanded tracks: their inner products with `query_vectors` are scores.

    Args:
        moved: np.ndarray [shape=(n, d)], what `augmented_database` gave.
        settings: of hubness reduction.
        statistics: of the catalogue that the tracks belong to; None where they are all of it.

    Returns:
        np.ndarray [shape=(n, d + 1)], float32.
    """
    if statistics is None:
        parts = list(row_parts(len(moved), moved.shape[1], settings.chunk_cells))
        statistics = CosineStatistics.of(lambda: (moved[part] for part in parts), settings)
    mean, spread = statistics.moments(moved)
    # score = (cos + reduced) / 2 with reduced = mean of means + (cos - mean) * scale
    scale = statistics.spread / spread
    weight = (1 + scale) / 2
    offset = (statistics.mean - mean * scale) / 2
    rows: FloatArray = np.column_stack([moved * weight[:, None], offset]).astype(np.float32)
    return rows


def query_vectors(moved: FloatArray) -> FloatArray:
    """Query vectors of expanded queries [n, d]: np.ndarray [shape=(n, d + 1)], float32."""
    return np.column_stack([moved, np.ones(len(moved))]).astype(np.float32)


def query_vectors_of(database: FloatArray) -> FloatArray:
    """Query vectors [n, d + 1] of tracks, recovered from their database vectors [n, d + 1]."""
    return query_vectors(unit_rows(database[:, :-1]))


def effective_method(
    method: RankingMethod, count: int, settings: RerankingSettings = DEFAULT_SETTINGS
) -> RankingMethod:
    """The ranking that a catalogue of `count` tracks gets where `method` is requested."""
    return method if count >= settings.min_tracks else "cosine"


def ranking(vectors: FloatArray, settings: RerankingSettings = DEFAULT_SETTINGS) -> Ranking:
    """How the tracks of a catalogue rank for each other.

    Args:
        vectors: np.ndarray [shape=(n, d)], of length 1.
        settings: below `settings.min_tracks` tracks plain cosines rank.
    """
    if effective_method("reranked", len(vectors), settings) == "cosine":
        return Ranking(vectors, vectors)
    moved, pinned_first = augmented_database(vectors, settings)
    return Ranking(query_vectors(moved), database_vectors(moved, settings), pinned_first)

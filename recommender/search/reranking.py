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

*Pinned first.* The neighbours of a track say nothing of the track itself, and other tracks have the
same neighbours: by its score, another master or bit rate of a recording could stand anywhere among
them. So the first rank belongs to the nearest by plain cosine.

Nothing here uses a genre or an artist. Shapes: n tracks of d dimensions, k neighbours of each.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recommender.utils.arrays import FloatArray, IntArray, unit_rows

RankingMethod = Literal["reranked", "cosine"]
"""What orders a list: the scores of this module, or plain cosines."""

Nearest = Callable[[FloatArray, int], tuple[IntArray, FloatArray]]
"""From unit vectors [n, d] and k to each one's k nearest others: rows and cosines, [n, k]."""


@dataclass(frozen=True)
class RerankingSettings:
    """How a catalogue is reranked; an index is built, and stored, with one of these.

    Attributes:
        k: neighbours towards which a vector is moved.
        alpha: weight of those neighbours.
        min_tracks: with fewer tracks neighbours are not alike and averages mean little: lists are
            then ordered by plain cosine.
        references: tracks, at most, that stand for the catalogue where the mean and spread of a
            track's cosines are estimated.
        min_spread_ratio: least spread of a track's cosines, as a ratio to the mean spread. Without
            it, what is equally far from everything (noise among music) would get a high score for
            the smallest similarity.
        chunk_cells: float32 values held at once while cosines are computed, whatever the number of
            tracks; 2**22 take 16 MB.
    """

    k: int = 10
    alpha: float = 0.5
    min_tracks: int = 100
    references: int = 2048
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
    """The k nearest others of every row by cosine, in any order; see `Nearest`."""
    rows, cosines = [], []
    for chunk in _chunks(len(vectors), len(vectors), chunk_cells):
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
    vectors: FloatArray,
    nearest: Nearest | None = None,
    settings: RerankingSettings = DEFAULT_SETTINGS,
) -> tuple[FloatArray, IntArray]:
    """Every track of a catalogue moved towards its nearest others (database-side augmentation).

    Args:
        vectors: np.ndarray [shape=(n, d)], of length 1, n above `settings.k`.
        nearest: finds the neighbours; None for `exact_nearest`.
        settings: k and alpha.

    Returns:
        the moved vectors (np.ndarray [shape=(n, d)], float32), and the row of the nearest other of
        each (np.ndarray [shape=(n,)], int64).
    """
    if nearest is None:
        rows, cosines = exact_nearest(vectors, settings.k, settings.chunk_cells)
    else:
        rows, cosines = nearest(vectors, settings.k)
    found = [
        expanded(vectors[part], vectors[rows[part]], cosines[part], settings.alpha)
        for part in _chunks(len(vectors), settings.k * vectors.shape[1], settings.chunk_cells)
    ]
    closest = cosines == cosines.max(axis=1, keepdims=True)
    pinned_first = np.where(closest, rows, len(vectors)).min(axis=1)  # of equals, the first row
    return np.concatenate(found), pinned_first


def database_vectors(
    moved: FloatArray, settings: RerankingSettings = DEFAULT_SETTINGS
) -> FloatArray:
    """Database vectors of expanded tracks: their inner products with `query_vectors` are scores.

    Args:
        moved: np.ndarray [shape=(n, d)], what `augmented_database` gave.
        settings: of hubness reduction.

    Returns:
        np.ndarray [shape=(n, d + 1)], float32.
    """
    mean, spread = _similarity_moments(moved, settings)
    spread = np.maximum(spread, max(settings.min_spread_ratio * spread.mean(), 1e-6))
    # score = (cos + reduced) / 2 with reduced = mean of means + (cos - mean) * scale
    scale = spread.mean() / spread
    weight = (1 + scale) / 2
    offset = (mean.mean() - mean * scale) / 2
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
    moved, pinned_first = augmented_database(vectors, settings=settings)
    return Ranking(query_vectors(moved), database_vectors(moved, settings), pinned_first)


def _similarity_moments(
    moved: FloatArray, settings: RerankingSettings
) -> tuple[FloatArray, FloatArray]:
    """Mean and spread of each track's cosines with up to `references` others: [n] each."""
    count = len(moved)
    chosen = np.random.default_rng(0).permutation(count)[: settings.references]
    column = np.full(count, -1)
    column[chosen] = np.arange(len(chosen))
    means, spreads = [], []
    for part in _chunks(count, len(chosen), settings.chunk_cells):
        cosines = moved[part] @ moved[chosen].T
        own = np.flatnonzero(column[part] >= 0)
        cosines[own, column[part][own]] = np.nan  # a track's cosine with itself does not count
        means.append(np.nanmean(cosines, axis=1))
        spreads.append(np.nanstd(cosines, axis=1))
    return np.concatenate(means), np.concatenate(spreads)


def _chunks(count: int, width: int, cells: int) -> Iterator[slice]:
    """`count` rows in parts of at most `cells` values, each row taking `width` of them."""
    height = max(1, cells // max(1, width))
    for start in range(0, count, height):
        yield slice(start, min(start + height, count))

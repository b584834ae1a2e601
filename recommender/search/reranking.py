"""Ranking by what a catalogue says of itself: neighbourhoods expanded, hubs evened. numpy only.

One vector analyses one track, with all that is accidental to it; a cosine of two adds up two
accidents. A catalogue knows more than two vectors:

*Gathering.* A track's nearest neighbours mostly share what is essential to it and not what is
accidental, so each vector is moved towards them: ``x + ALPHA * Σ cos(x, y) y`` over its
`NEIGHBOURS` nearest, brought to length 1. For what is asked this is query expansion (Chum et al.,
ICCV 2007; with similarities as weights: Radenović, Tolias & Chum, PAMI 2019), for what answers,
database-side augmentation (Turcot & Lowe, ICCV workshops 2009; Arandjelović & Zisserman, CVPR
2012).

*Evening.* Some tracks are near to everything (hubs) and fill every list, others are in none. Half
of a score is the cosine of the expanded vectors; the other half is what it would be if the track
that answers had average cosines, of average spread, with the rest of the catalogue. That is mutual
proximity with normal distributions (Schnitzer, Flexer, Schedl & Widmer, JMLR 13, 2012) with its
logarithms of probabilities replaced by their arguments, and what asks by an average one: linear, so
that scores are inner products, which an index can search.

*The nearest leads.* What surrounds a track says nothing of the track itself, and others have the
same surroundings: another master or bit rate of a recording would stand anywhere among them. So the
first place belongs to the nearest by bare cosine.

None of it knows a genre or an artist. Chosen on GTZAN's validation tracks; in cross-validation a
`ALPHA` from 0.25 to 1 and from 5 to 20 `NEIGHBOURS` give the same within .02 of precision@10
(`tests/experiments/ablation.py`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recommender.utils.arrays import FloatArray, IntArray, unit_rows

NEIGHBOURS = 10
ALPHA = 0.5

REFERENCES = 2048
"""Tracks, at most, that stand for the catalogue where a track's cosines with it are measured."""

LEAST = 100
"""Fewer tracks have neighbours that are not alike, and no averages: their cosines stay bare."""

MIN_SPREAD_RATIO = 0.25
"""A track's spread counts as at least so much of the mean one: else what is equally far from
everything, such as noise among music, would answer to the smallest likeness. On GTZAN none is
below 0.46."""

CHUNK_CELLS = 2**22
"""Numbers held at once while cosines are taken, whatever the number of tracks: 16 MB of float32."""

RankingMethod = Literal["reranked", "cosine"]
"""What orders a list: the scores of this module, or bare cosines."""

Nearest = Callable[[FloatArray, int], tuple[IntArray, FloatArray]]
"""From unit vectors [n, d] and k to each one's k nearest others: rows and cosines, [n, k]."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """Scores of n tracks as inner products: row i of `query_vectors` with row j of `database_vectors`.

    Attributes:
        asking: np.ndarray [shape=(n, e)], float32.
        answering: np.ndarray [shape=(n, e)], float32.
        leading: np.ndarray [shape=(n,)], for each track the row that comes first, whatever its
            score; None where scores alone rank.
    """

    query_vectors: FloatArray
    database_vectors: FloatArray
    pinned_first: IntArray | None = None

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.query_vectors)


def exact_nearest(vectors: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """The k nearest others of every row by cosine, in any order; see `Nearest`."""
    rows, cosines = [], []
    for chunk in _chunks(len(vectors), len(vectors)):
        part = vectors[chunk] @ vectors.T
        part[np.arange(len(part)), chunk.start + np.arange(len(part))] = -np.inf
        best = np.argpartition(part, -k, axis=1)[:, -k:]
        rows.append(best)
        cosines.append(np.take_along_axis(part, best, axis=1))
    return np.concatenate(rows), np.concatenate(cosines)


def expanded(vectors: FloatArray, neighbours: FloatArray, cosines: FloatArray) -> FloatArray:
    """Unit vectors moved towards their neighbours, np.ndarray [shape=(n, d)], float32.

    Args:
        vectors: np.ndarray [shape=(n, d)], of length 1.
        neighbours: np.ndarray [shape=(n, k, d)], of length 1.
        cosines: np.ndarray [shape=(n, k)], of each with its neighbours; below 0 counts as 0.
    """
    pull = np.einsum("nk,nkd->nd", ALPHA * np.maximum(cosines, 0), neighbours)
    return unit_rows(vectors + pull)


def augmented_database(
    vectors: FloatArray, nearest: Nearest = exact_nearest
) -> tuple[FloatArray, IntArray]:
    """Every track of a catalogue moved towards its nearest others.

    Args:
        vectors: np.ndarray [shape=(n, d)], of length 1, more than `NEIGHBOURS`.
        nearest: finds them.

    Returns:
        the moved vectors (np.ndarray [shape=(n, d)], float32), and the row of the nearest other of
        each (np.ndarray [shape=(n,)]).
    """
    rows, cosines = nearest(vectors, NEIGHBOURS)
    found = [
        expanded(vectors[part], vectors[rows[part]], cosines[part])
        for part in _chunks(len(vectors), NEIGHBOURS * vectors.shape[1])
    ]
    closest = cosines == cosines.max(axis=1, keepdims=True)
    pinned_first = np.where(closest, rows, len(vectors)).min(axis=1)  # of equals, the first row
    return np.concatenate(found), pinned_first


def database_vectors(moved: FloatArray) -> FloatArray:
    """What expanded tracks answer with: np.ndarray [shape=(n, d + 1)], float32.

    Its inner product with `query_vectors` of a expanded query is the score.

    Args:
        moved: np.ndarray [shape=(n, d)], what `augmented_database` gave.
    """
    mean, spread = _similarity_moments(moved)
    spread = np.maximum(spread, max(MIN_SPREAD_RATIO * spread.mean(), 1e-6))
    # The score: (cos + evened) / 2 with evened = typical + (cos - mean) * scale.
    scale = spread.mean() / spread
    weight = (1 + scale) / 2
    offset = (mean.mean() - mean * scale) / 2
    rows: FloatArray = np.column_stack([moved * weight[:, None], offset]).astype(np.float32)
    return rows


def query_vectors(moved: FloatArray) -> FloatArray:
    """What expanded queries [n, d] ask with: np.ndarray [shape=(n, d + 1)], float32."""
    return np.column_stack([moved, np.ones(len(moved))]).astype(np.float32)


def query_vectors_again(answers: FloatArray) -> FloatArray:
    """What tracks ask with, [n, d + 1], from what they answer with, [n, d + 1]."""
    return query_vectors(unit_rows(answers[:, :-1]))


def effective_method(by: RankingMethod, count: int) -> RankingMethod:
    """What orders the lists of a catalogue of `count` tracks where `by` is asked for."""
    return by if count >= LEAST else "cosine"


def ranking(vectors: FloatArray) -> Ranking:
    """How every track of a catalogue is answered by the others; bare cosines below `LEAST` tracks.

    Args:
        vectors: np.ndarray [shape=(n, d)], of length 1.
    """
    if effective_method("reranked", len(vectors)) == "cosine":
        return Ranking(vectors, vectors)
    moved, pinned_first = augmented_database(vectors)
    return Ranking(query_vectors(moved), database_vectors(moved), pinned_first)


def _similarity_moments(moved: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and spread of each track's cosines with up to `REFERENCES` others: [n] each."""
    count = len(moved)
    chosen = np.random.default_rng(0).permutation(count)[:REFERENCES]
    place = np.full(count, -1)
    place[chosen] = np.arange(len(chosen))
    means, spreads = [], []
    for part in _chunks(count, len(chosen)):
        cosines = moved[part] @ moved[chosen].T
        own = np.flatnonzero(place[part] >= 0)
        cosines[own, place[part][own]] = np.nan  # no track is company to itself
        means.append(np.nanmean(cosines, axis=1))
        spreads.append(np.nanstd(cosines, axis=1))
    return np.concatenate(means), np.concatenate(spreads)


def _chunks(count: int, width: int) -> Iterator[slice]:
    """`count` rows in parts, of each row `width` numbers being held."""
    height = max(1, CHUNK_CELLS // max(1, width))
    for start in range(0, count, height):
        yield slice(start, min(start + height, count))

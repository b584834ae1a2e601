"""Scores of tracks for any query, as inner products: what lists are composed with.

`TrackIndex.rank` makes one list for one query. A list that is composed step by step compares its
candidates with several queries, or with one that moves: it takes the best candidates of a query
once, and then works on their vectors alone.

Vectors are in the axes of the index (`Base.rotated`). Shapes: n tracks of d dimensions.
"""

from dataclasses import dataclass

import numpy as np

from recommender.search.index import TrackIndex
from recommender.search.ranker import Ranker
from recommender.search.reranking import expanded
from recommender.utils.arrays import BoolArray, FloatArray, IntArray, unit_rows


@dataclass(frozen=True, eq=False)
class ScoreQuery:
    """What tracks are scored for.

    Attributes:
        unit: np.ndarray [shape=(d,)], of length 1: similarities are cosines with it.
        moved: np.ndarray [shape=(d,)], of length 1: `unit` after query expansion, or `unit` itself
            where nothing is reranked; scores are inner products with it.
    """

    unit: FloatArray
    moved: FloatArray


@dataclass(frozen=True, eq=False)
class Scored:
    """Tracks with their scores for one query, best first; of equals, the first row.

    Attributes:
        rows: np.ndarray [shape=(k,)], int64: of the tracks.
        scores: np.ndarray [shape=(k,)], float32.
    """

    rows: IntArray
    scores: FloatArray


class ScoreSpace:
    """The tracks of an index, as what they score is computed from."""

    def __init__(self, index: TrackIndex) -> None:
        """Of `index`, which is not copied."""
        self._index = index
        self._tracks = index.tracks
        self._ranker = Ranker(index.tracks, index.settings, index.effort)
        self.is_reranked = self._ranker.is_reranked("reranked")

    def rotated(self, vectors: FloatArray) -> FloatArray:
        """Vectors [..., d] of the embedding space in the axes of the index."""
        return self._tracks.base.rotated(vectors)

    def units(self, rows: IntArray) -> FloatArray:
        """Unit vectors of tracks: np.ndarray [shape=(m, d)]."""
        return self._tracks.unit(self._slots(rows))

    def database(self, rows: IntArray) -> FloatArray:
        """What tracks are scored by: np.ndarray [shape=(m, d + 1)]; see `scores`."""
        if self.is_reranked:
            return self._tracks.database(self._slots(rows))
        units = self.units(rows)
        return np.column_stack([units, np.zeros(len(units), dtype=np.float32)])

    def moved(self, rows: IntArray) -> FloatArray:
        """`ScoreQuery.moved` of tracks: np.ndarray [shape=(m, d)]."""
        if not self.is_reranked:
            return self.units(rows)
        return unit_rows(self._tracks.database(self._slots(rows))[:, :-1])

    def query_of_row(self, row: int) -> ScoreQuery:
        """What `TrackIndex.rank_tracks` searches with for a track."""
        rows = np.array([row])
        return ScoreQuery(self.units(rows)[0], self.moved(rows)[0])

    def query_of(self, unit: FloatArray) -> ScoreQuery:
        """What `TrackIndex.rank` searches with for a vector [d] of length 1."""
        if not self.is_reranked:
            return ScoreQuery(unit, unit)
        settings = self._index.settings
        slots, cosines = self._ranker.nearest_by_cosine(unit, settings.k)
        neighbours = self._tracks.unit(slots)[None]
        moved = expanded(unit[None], neighbours, cosines[None], settings.alpha)[0]
        return ScoreQuery(unit, moved)

    def best(self, query: ScoreQuery, k: int, allowed: BoolArray | None) -> Scored:
        """The k best tracks for a query; fewer only where there are no more.

        Args:
            allowed: np.ndarray [shape=(n,)], bool: the tracks that are candidates; None for all.
        """
        found = self._ranker.best_of(query.unit, query.moved, k, allowed)
        return Scored(found.rows, found.scores)

    def nearest(self, unit: FloatArray, k: int, allowed: BoolArray | None) -> IntArray:
        """Rows of the k nearest tracks to a unit vector [d] by plain cosine, nearest first."""
        return self._ranker.best_by_cosine(unit, k, allowed).rows

    def _slots(self, rows: IntArray) -> IntArray:
        return self._tracks.slot_of[rows].astype(np.int64)


def scores(database: FloatArray, moved: FloatArray) -> FloatArray:
    """Scores of tracks, `ScoreSpace.database` [m, d + 1], for queries `moved` [..., d]: [m, ...].

    In single precision: they order candidates of one list, and are not compared elsewhere.
    """
    found: FloatArray = database[:, :-1] @ moved.T + (
        database[:, -1] if moved.ndim == 1 else database[:, -1:]
    )
    return found

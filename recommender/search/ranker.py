"""Rows ranked for a query by `neighbourhood` or by cosine, through exact searches. numpy only.

Shapes: n rows of d dimensions, q queries, k results for each.
"""

from dataclasses import dataclass
from typing import get_args

import numpy as np

from recommender.errors import UsageError
from recommender.search import reranking
from recommender.search.exact_search import ExactSearch
from recommender.search.reranking import Nearest, Ranking, RankingMethod
from recommender.utils.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class RankedRows:
    """What q queries found, best first.

    Attributes:
        rows: np.ndarray [shape=(q, k)], int64, by falling score, then by rising row; where they are
            ranked by neighbourhood, after the nearest by cosine.
        scores: np.ndarray [shape=(q, k)], float32: what the lists are ordered by.
        similarities: np.ndarray [shape=(q, k)], float32: plain cosines with the query.
    """

    rows: IntArray
    scores: FloatArray
    similarities: FloatArray


class RowRanker:
    """Unit vectors, and what they answer with; every list is the head of any longer one.

    Methods raise `UsageError` for an order that is neither of `RankingMethod`.

    Attributes:
        bare: searches the unit vectors [n, d].
        answers: searches what `reranking.answering` gave for them [n, d + 1]; None where
            cosines are taken bare.
    """

    def __init__(self, bare: ExactSearch, answers: ExactSearch | None) -> None:
        """Rank the rows of `bare`, which are those of `answers`."""
        self.bare = bare
        self.answers = answers

    def comparable(self, by: RankingMethod) -> FloatArray | Ranking:
        """What `of_rows` ranks by, for all rows, as `retrieval` takes it."""
        answers = self._searched(by)
        if answers is None:
            return self.bare.rows.copy()
        nearest, _ = all_nearest(self.bare)(self.bare.rows, 1)
        query_vectors = reranking.query_vectors_again(answers.rows)
        return Ranking(query_vectors, answers.rows.copy(), nearest[:, 0])

    def of_vectors(self, queries: FloatArray, k: int, by: RankingMethod) -> RankedRows:
        """The k best rows for vectors from outside [q, d], of length 1."""
        answers = self._searched(by)
        if answers is None:
            return self._by_cosine(queries, k)
        nearest, cosines = self.bare.search(queries, reranking.NEIGHBOURS)
        moved = reranking.expanded(queries, self.bare.rows[nearest], cosines)
        found = answers.search(reranking.query_vectors(moved), k)
        return self._led(queries, nearest[:, 0], *found)

    def of_rows(self, asked: IntArray, k: int, by: RankingMethod) -> RankedRows:
        """The k best rows for rows [q], themselves among them, as they were expanded."""
        queries = self.bare.rows[asked]
        answers = self._searched(by)
        if answers is None:
            return self._by_cosine(queries, k)
        query_vectors = reranking.query_vectors_again(answers.rows[asked])
        nearest, _ = others(*self.bare.search(queries, 2), asked)
        return self._led(queries, nearest[:, 0], *answers.search(query_vectors, k))

    def _searched(self, by: RankingMethod) -> ExactSearch | None:
        """What is searched but for bare cosines, which are None."""
        if by not in get_args(RankingMethod):
            raise UsageError(
                f"tracks are ranked by {' or '.join(get_args(RankingMethod))}, not {by!r}."
            )
        return None if by == "cosine" else self.answers

    def _by_cosine(self, queries: FloatArray, k: int) -> RankedRows:
        rows, similarities = self.bare.search(queries, k)
        similarities = np.clip(similarities, -1.0, 1.0)
        return RankedRows(rows, similarities, similarities)

    def _led(
        self, queries: FloatArray, first: IntArray, rows: IntArray, scores: FloatArray
    ) -> RankedRows:
        """Lists [q, k] headed by the rows `first` [q], which count as good as the best."""
        for query, row in enumerate(first):
            kept = rows[query] != row
            rows[query] = np.r_[row, rows[query][kept]][: rows.shape[1]]
            scores[query] = np.r_[scores[query].max(), scores[query][kept]][: rows.shape[1]]
        similarities = np.clip(self.bare.scores(queries, rows), -1.0, 1.0)
        return RankedRows(rows, scores, similarities)


def all_nearest(search: ExactSearch) -> Nearest:
    """Finds the nearest others of the rows that `search` searches."""

    def nearest(vectors: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
        return others(*search.search(vectors, k + 1), np.arange(len(vectors)))

    return nearest


def others(rows: IntArray, cosines: FloatArray, asked: IntArray) -> tuple[IntArray, FloatArray]:
    """Lists [n, k + 1] of the rows `asked` [n] without the row itself, or without the last: [n, k].

    A row can be absent from its own list where more than k copies of it come before it.
    """
    own = rows == asked[:, None]
    own[~own.any(axis=1), -1] = True
    shape = len(rows), rows.shape[1] - 1
    return rows[~own].reshape(shape), cosines[~own].reshape(shape)

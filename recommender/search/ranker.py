"""Rows ranked for queries by plain cosine or reranked, through exact searches. numpy only.

Shapes: n rows of d dimensions, q queries, k results for each.
"""

from dataclasses import dataclass
from typing import get_args

import numpy as np

from recommender.errors import UsageError
from recommender.search.exact_search import ExactSearch
from recommender.search.reranking import (
    DEFAULT_SETTINGS,
    Nearest,
    Ranking,
    RankingMethod,
    RerankingSettings,
    expanded,
    query_vectors,
    query_vectors_of,
)
from recommender.utils.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Ranked:
    """The results of q queries, best first.

    Attributes:
        ids: np.ndarray [shape=(q, k)], int64: rows from a `RowRanker`, track ids from an index. By
            falling score, then by rising id; in a reranked list after the one that is pinned first.
        scores: np.ndarray [shape=(q, k)], float32: what the lists are ordered by.
        similarities: np.ndarray [shape=(q, k)], float32: plain cosines with the query.
    """

    ids: IntArray
    scores: FloatArray
    similarities: FloatArray


class RowRanker:
    """Ranks unit vectors by cosine or reranked; every list is the head of any longer one.

    Methods raise `UsageError` for a method that is none of `RankingMethod`.

    Attributes:
        cosine_search: searches the unit vectors [n, d].
        reranked_search: searches their database vectors [n, d + 1] (`reranking.database_vectors`);
            None where the catalogue is too small to be reranked.
        settings: with which the database vectors were computed.
    """

    def __init__(
        self,
        cosine_search: ExactSearch,
        reranked_search: ExactSearch | None,
        settings: RerankingSettings = DEFAULT_SETTINGS,
    ) -> None:
        """Rank the rows of `cosine_search`; row i of both searches is the same track."""
        self.cosine_search = cosine_search
        self.reranked_search = reranked_search
        self.settings = settings

    def comparable(self, method: RankingMethod) -> FloatArray | Ranking:
        """What `rank_rows` ranks by, for all rows, as `evaluation.retrieval` takes it."""
        search = self._reranked_search(method)
        if search is None:
            return self.cosine_search.rows.copy()
        nearest, _ = all_nearest(self.cosine_search)(self.cosine_search.rows, 1)
        return Ranking(query_vectors_of(search.rows), search.rows.copy(), nearest[:, 0])

    def rank_vectors(self, queries: FloatArray, k: int, method: RankingMethod) -> Ranked:
        """The k best rows for vectors from outside [q, d], of length 1."""
        search = self._reranked_search(method)
        if search is None:
            return self._by_cosine(queries, k)
        nearest, cosines = self.cosine_search.search(queries, self.settings.k)
        neighbours = self.cosine_search.rows[nearest]
        moved = expanded(queries, neighbours, cosines, self.settings.alpha)
        found = search.search(query_vectors(moved), k)
        return self._with_pinned(queries, nearest[:, 0], *found)

    def rank_rows(self, query_rows: IntArray, k: int, method: RankingMethod) -> Ranked:
        """The k best rows for rows [q], themselves among them."""
        queries = self.cosine_search.rows[query_rows]
        search = self._reranked_search(method)
        if search is None:
            return self._by_cosine(queries, k)
        nearest, _ = without_self(*self.cosine_search.search(queries, 2), query_rows)
        found = search.search(query_vectors_of(search.rows[query_rows]), k)
        return self._with_pinned(queries, nearest[:, 0], *found)

    def _reranked_search(self, method: RankingMethod) -> ExactSearch | None:
        """The search for `method`; None for plain cosines."""
        if method not in get_args(RankingMethod):
            raise UsageError(
                f"tracks are ranked by {' or '.join(get_args(RankingMethod))}, not {method!r}."
            )
        return None if method == "cosine" else self.reranked_search

    def _by_cosine(self, queries: FloatArray, k: int) -> Ranked:
        rows, similarities = self.cosine_search.search(queries, k)
        similarities = np.clip(similarities, -1.0, 1.0)
        return Ranked(rows, similarities, similarities)

    def _with_pinned(
        self, queries: FloatArray, pinned: IntArray, rows: IntArray, scores: FloatArray
    ) -> Ranked:
        """Lists [q, k] that begin with the rows `pinned` [q], whose score counts as the best."""
        for query, row in enumerate(pinned):
            others = rows[query] != row
            rows[query] = np.r_[row, rows[query][others]][: rows.shape[1]]
            scores[query] = np.r_[scores[query].max(), scores[query][others]][: rows.shape[1]]
        similarities = np.clip(self.cosine_search.scores(queries, rows), -1.0, 1.0)
        return Ranked(rows, scores, similarities)


def all_nearest(search: ExactSearch) -> Nearest:
    """Finds the nearest others of the rows that `search` searches, exactly."""

    def nearest(vectors: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
        return without_self(*search.search(vectors, k + 1), np.arange(len(vectors)))

    return nearest


def without_self(
    rows: IntArray, cosines: FloatArray, query_rows: IntArray
) -> tuple[IntArray, FloatArray]:
    """Lists [n, k + 1] for `query_rows` [n] without the query itself, or without the last: [n, k].

    A row is absent from its own list where more than k copies of it come before it.
    """
    own = rows == query_rows[:, None]
    own[~own.any(axis=1), -1] = True
    shape = len(rows), rows.shape[1] - 1
    return rows[~own].reshape(shape), cosines[~own].reshape(shape)

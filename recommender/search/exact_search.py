"""Coarse float32 search, rescored in float64 so that results do not depend on device or batch size.

A fast search adds up in single precision and in an order of its own. So a few more results are
fetched than requested, scored again in double precision, and sorted; equal scores come by rising
row. numpy only.

Shapes: n rows of d dimensions, q queries, k results for each.
"""

from collections.abc import Callable, Iterator

import numpy as np

from recommender.utils.arrays import FloatArray, IntArray

CoarseSearch = Callable[[FloatArray, int], tuple[FloatArray, IntArray]]
"""From queries [q, d] and k to float32 scores and rows [q, k], by falling score."""

ROUNDING = 1e-5
"""Bound of the difference of float32 inner products between CPU, GPU and batch sizes."""

OVERFETCH = 16
"""Results fetched beyond k, so that ties at rank k rarely need a second search."""

CELLS_AT_ONCE = 2**24
"""Queries x results x dimensions that are rescored at once, which take 64 MB."""


class ExactSearch:
    """Rows that are searched by inner product.

    Attributes:
        rows: np.ndarray [shape=(n, d)], float32; read-only by convention, and valid only as long as
            the search.
    """

    def __init__(self, rows: FloatArray, coarse: CoarseSearch) -> None:
        """Search `rows` with `coarse`, which must search the same rows."""
        self.rows = rows
        self._coarse = coarse
        longest = np.linalg.norm(rows, axis=1).max(initial=1.0)
        self._rounding = ROUNDING * float(longest)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def search(self, queries: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
        """The k best rows for each query, by falling score, then by rising row.

        Args:
            queries: np.ndarray [shape=(q, d)], float32, finite, about of length 1.
            k: results for each query; fewer come back only when there are fewer rows.

        Returns:
            rows (np.ndarray [shape=(q, min(k, n))], int64) and scores (same shape, float32).
        """
        k = min(k, len(self))
        rows = np.empty((len(queries), k), dtype=np.int64)
        scores = np.empty((len(queries), k), dtype=np.float32)
        for part in self._parts(len(queries) if k else 0, k + OVERFETCH):
            rows[part], scores[part] = self._search_part(queries[part], k)
        return rows, scores

    def scores(self, queries: FloatArray, rows: IntArray) -> FloatArray:
        """Inner products of each query [q, d] with its `rows` [q, k]: np.ndarray [shape=(q, k)]."""
        found = np.empty(rows.shape, dtype=np.float32)
        for part in self._parts(len(queries), rows.shape[1]):
            found[part] = self._rescored(queries[part], rows[part])
        return found

    def _parts(self, queries: int, results: int) -> Iterator[slice]:
        height = max(1, CELLS_AT_ONCE // max(1, results * self.rows.shape[1]))
        for start in range(0, queries, height):
            yield slice(start, start + height)

    def _search_part(self, queries: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
        fetch = min(k + OVERFETCH, len(self))
        while True:
            coarse, rows = self._coarse(queries, fetch)
            # Nothing that was not fetched belongs to the k best once the last fetched is clearly
            # below the k-th; otherwise a tie was cut in two.
            clear = coarse[:, -1] < coarse[:, k - 1] - self._rounding
            if fetch == len(self) or clear.all():
                break
            fetch = min(2 * fetch, len(self))
        rows.sort(axis=1)  # the stable sort below keeps that order among equals
        scores = self._rescored(queries, rows)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(rows, best, axis=1), np.take_along_axis(scores, best, axis=1)

    def _rescored(self, queries: FloatArray, rows: IntArray) -> FloatArray:
        exact = np.einsum("qd,qkd->qk", queries.astype(np.float64), self.rows[rows], optimize=False)
        scores: FloatArray = exact.astype(np.float32)
        return scores

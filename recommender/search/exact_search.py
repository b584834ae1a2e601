"""The best rows for a query by inner product, the same ones on every device. numpy only.

Whatever finds them fast adds up in single precision, and in an order of its own. So a little more
is fetched than was asked for, scored again in double precision, and sorted; equal scores come by
rising row. Neither the device nor the number of queries changes a result.

Shapes: n rows of d dimensions, q queries, k results for each.
"""

from collections.abc import Callable, Iterator

import numpy as np

from recommender.utils.arrays import FloatArray, IntArray

Rough = Callable[[FloatArray, int], tuple[FloatArray, IntArray]]
"""From queries [q, d] and k to scores and rows [q, k], by falling score, about right."""

ROUNDING = 1e-5
"""More than float32 inner products of unit vectors differ between CPU, GPU and batch sizes."""

SPARE = 16
"""Results fetched beyond k, so that ties at the k-th place rarely need a second search."""

CELLS_AT_ONCE = 2**24
"""Queries x results x dimensions that are scored again at once, which take 64 MB."""


class ExactSearch:
    """Rows that are searched by inner product.

    Attributes:
        rows: np.ndarray [shape=(n, d)], float32; not to be changed, nor kept without the search.
    """

    def __init__(self, rows: FloatArray, rough: Rough) -> None:
        """Search `rows` with `rough`, which must find among the same rows."""
        self.rows = rows
        self._rough = rough
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
        for part in self._parts(len(queries) if k else 0, k + SPARE):
            rows[part], scores[part] = self._search_part(queries[part], k)
        return rows, scores

    def scores(self, queries: FloatArray, rows: IntArray) -> FloatArray:
        """Inner products of each query [q, d] with its `rows` [q, k]: np.ndarray [shape=(q, k)]."""
        found = np.empty(rows.shape, dtype=np.float32)
        for part in self._parts(len(queries), rows.shape[1]):
            found[part] = self._scores(queries[part], rows[part])
        return found

    def _parts(self, queries: int, results: int) -> Iterator[slice]:
        height = max(1, CELLS_AT_ONCE // max(1, results * self.rows.shape[1]))
        for start in range(0, queries, height):
            yield slice(start, start + height)

    def _search_part(self, queries: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
        fetch = min(k + SPARE, len(self))
        while True:
            rough, rows = self._rough(queries, fetch)
            # What was not fetched cannot belong to the k best once the last fetched is clearly
            # below the k-th; otherwise a tie was cut in two.
            clear = rough[:, -1] < rough[:, k - 1] - self._rounding
            if fetch == len(self) or clear.all():
                break
            fetch = min(2 * fetch, len(self))
        rows.sort(axis=1)  # the stable sort below keeps that order among equals
        scores = self._scores(queries, rows)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(rows, best, axis=1), np.take_along_axis(scores, best, axis=1)

    def _scores(self, queries: FloatArray, rows: IntArray) -> FloatArray:
        exact = np.einsum("qd,qkd->qk", queries.astype(np.float64), self.rows[rows], optimize=False)
        scores: FloatArray = exact.astype(np.float32)
        return scores

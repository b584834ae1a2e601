"""The nearest others of every track of an index by cosine.

In an index of many cells they are looked for in those cells whose centres are most alike to the
track itself, not to the centre of its own cell: a track at the edge of its cell has its nearest
others on all sides. Tracks of one cell share most of these cells, so that they are compared
together.

Shapes: n tracks of d dimensions, p leading components, c cells, k neighbours of each.
"""

from collections.abc import Iterator

import numpy as np

from recommender.search.cells import cell_means
from recommender.search.vector_rows import NO_NEIGHBOUR
from recommender.utils.arrays import FloatArray, IntArray, row_parts

_COMPARED_FIRST = 1024
"""Candidates of which the k best are sorted out; of all others only what is better is."""

_AT_ONCE = 2**22
"""Cosines that are held at once."""

_Found = tuple[IntArray, IntArray, FloatArray]
"""Pairs: rows of queries, positions of candidates, and their cosines."""


def nearest_others(
    units: FloatArray, ids: IntArray, starts: IntArray, leading: int, k: int, probed: int
) -> tuple[IntArray, FloatArray]:
    """The k nearest others of every track by cosine, nearest first; of equals, by rising id.

    Every one is found where there are no more than `probed` cells, and nearly all otherwise.

    Args:
        units: np.ndarray [shape=(n, d)], rotated, by position.
        ids: np.ndarray [shape=(n,)], by position.
        starts: np.ndarray [shape=(c + 1,)], of the cells.
        leading: p.
        k: neighbours of each.
        probed: cells that are searched for each track.

    Returns:
        ids (np.ndarray [shape=(n, k)], int64; `NO_NEIGHBOUR` where there are too few) and cosines.
    """
    neighbours = np.full((len(units), k), NO_NEIGHBOUR, dtype=np.int64)
    cosines = np.full((len(units), k), -1.0, dtype=np.float32)
    centroids = cell_means(units[:, :leading], starts)
    exact = probed >= len(centroids)
    parts = row_parts(len(units), len(units)) if exact else _within_cells(starts)
    for queries in parts:
        own = units[queries]
        if exact:
            chosen = np.zeros((len(own), 0), dtype=np.int64)
            first = np.arange(len(units))
        else:
            chosen = nearest_cells(own[:, :leading], centroids, probed)
            first, chosen = _first(chosen, starts, queries.start)
        found = _compared(units, own, queries.start, first, chosen, starts, k)
        rows, places, near, values = _best(found, ids, k)
        neighbours[queries.start + rows, places] = near
        cosines[queries.start + rows, places] = values
    return neighbours, cosines


def nearest_cells(heads: FloatArray, centroids: FloatArray, count: int) -> IntArray:
    """The cells that are most alike to leading components [m, p]: [m, count], in no order."""
    cells: IntArray = np.argpartition(heads @ centroids.T, -count, axis=1)[:, -count:]
    return cells


def _within_cells(starts: IntArray) -> Iterator[slice]:
    """Positions of one cell at a time, so few that their cosines with any cell can be held."""
    most = max(1, _AT_ONCE // (_COMPARED_FIRST + int(np.diff(starts).max())))
    for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        for begin in range(start, end, most):
            yield slice(begin, min(begin + most, end))


def _first(chosen: IntArray, starts: IntArray, position: int) -> tuple[IntArray, IntArray]:
    """Positions that all tracks of a part are compared with first, and cells of the others.

    They are those of the tracks' own cell and of cells that most of them have chosen. In `chosen`,
    these cells become -1.
    """
    votes = np.bincount(chosen.ravel(), minlength=len(starts) - 1)
    votes[np.searchsorted(starts, position, side="right") - 1] = len(chosen) + 1
    order = np.argsort(-votes, kind="stable")
    held = np.cumsum(starts[order + 1] - starts[order])
    taken = np.sort(order[: int(np.searchsorted(held, _COMPARED_FIRST)) + 1])
    first = np.concatenate([np.arange(starts[cell], starts[cell + 1]) for cell in taken.tolist()])
    return first, np.where(np.isin(chosen, taken), -1, chosen)


def _compared(
    units: FloatArray,
    own: FloatArray,
    start: int,
    first: IntArray,
    chosen: IntArray,
    starts: IntArray,
    k: int,
) -> _Found:
    """All that may be among the k nearest of the tracks `own` [m, d], which begin at `start`.

    Every track is compared with the positions `first`, and with those of the cells `chosen`
    [m, p] but -1.
    """
    contiguous = len(first) == len(units)
    cosines = own @ (units if contiguous else units[first]).T
    places = np.searchsorted(first, start + np.arange(len(own)))
    cosines[np.arange(len(own)), places] = -np.inf
    k = min(k, len(first) - 1)
    if not k:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
    least = np.partition(cosines, -k, axis=1)[:, -k]
    rows, columns = _not_below(cosines, least)
    found = [(rows, first[columns], cosines[rows, columns])]
    members = np.repeat(np.arange(len(own)), chosen.shape[1])
    order = np.argsort(chosen, axis=None, kind="stable")
    cells, begins = np.unique(chosen.ravel()[order], return_index=True)
    ends = np.append(begins, len(order))[1:]
    for cell, begin, end in zip(cells.tolist(), begins.tolist(), ends.tolist(), strict=True):
        if cell >= 0:
            asking = members[order[begin:end]]
            cosines = own[asking] @ units[starts[cell] : starts[cell + 1]].T
            rows, columns = _not_below(cosines, least[asking])
            if len(rows):
                found.append((asking[rows], starts[cell] + columns, cosines[rows, columns]))
    rows, positions, values = (np.concatenate(column) for column in zip(*found, strict=True))
    return rows, positions, values


def _not_below(cosines: FloatArray, least: FloatArray) -> tuple[IntArray, IntArray]:
    """Rows and columns of the values that are as high as the least of their row [m], or higher."""
    # Flat, because numpy looks through one dimension several times as fast as through two.
    found = np.flatnonzero(cosines >= least[:, None])
    rows, columns = np.divmod(found, cosines.shape[1])
    return rows, columns


def _best(found: _Found, ids: IntArray, k: int) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Of each row its k best pairs: rows, places from 0 to k - 1, ids and cosines."""
    rows, positions, cosines = found
    names = ids[positions]
    order = np.lexsort((names, -cosines, rows))
    rows, names, cosines = rows[order], names[order], cosines[order]
    places = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = places < k
    return rows[kept], places[kept], names[kept], cosines[kept]


def k_best(cosines: FloatArray, ids: IntArray, k: int) -> tuple[IntArray, FloatArray]:
    """Ids and cosines of the k best columns of each row [m, c], best first; of equals, by id."""
    k = min(k, cosines.shape[1])
    near = np.argpartition(cosines, -k, axis=1)[:, -k:] if k else np.empty((len(cosines), 0), "q")
    names, found = ids[near], np.take_along_axis(cosines, near, axis=1)
    by_id = np.argsort(names, axis=1)
    names = np.take_along_axis(names, by_id, axis=1)
    found = np.take_along_axis(found, by_id, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    return np.take_along_axis(names, order, axis=1), np.take_along_axis(found, order, axis=1)

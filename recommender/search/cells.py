"""How an index is divided into cells, and the nearest others of every track, found by cells.

Shapes: n tracks of d dimensions, p leading components, c cells.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recommender.search.faiss_backend import cell_centroids
from recommender.search.vector_rows import NO_NEIGHBOUR
from recommender.utils.arrays import FloatArray, IntArray, row_parts


@dataclass(frozen=True)
class CellSettings:
    """How an index is laid out, and how much a query looks at.

    Attributes:
        exact_up_to: tracks up to which every component of every track is scanned.
        cells_from: tracks from which on they are divided into cells; a smaller catalogue is
            scanned whole, by leading components.
        cells_per_root: with n tracks, ``cells_per_root * sqrt(n)`` cells.
        energy: share of the squared lengths of all vectors that is in the leading components.
        neighbouring: cells in which the nearest others of a track are looked for, at most.
        compared: tracks that these hold: of a large catalogue they are fewer, but 16 at least.
        recall: of the 10 best tracks, the share that a query is to find at least.
        queries: tracks of the catalogue that this is measured with.
    """

    exact_up_to: int = 4096
    cells_from: int = 16_384
    cells_per_root: float = 4
    energy: float = 0.9
    neighbouring: int = 64
    compared: int = 6000
    recall: float = 0.995
    queries: int = 200

    def searched(self, cells: int, count: int) -> int:
        """Cells in which neighbours are looked for, of `cells` with `count` tracks."""
        return min(self.neighbouring, max(16, self.compared * cells // max(1, count)))


DEFAULT_CELLS = CellSettings()


@dataclass(frozen=True, eq=False)
class Axes:
    """The directions in which a catalogue's vectors differ most.

    Attributes:
        rotation: np.ndarray [shape=(d, d)], float32, orthogonal, by falling variance;
            [shape=(0, 0)] for none.
        leading: how many components are scanned.
    """

    rotation: FloatArray
    leading: int


def principal_axes(units: FloatArray, settings: CellSettings) -> Axes:
    """The axes of unit vectors [n, d], and how many of them hold their energy."""
    count, dimension = units.shape
    if count <= settings.exact_up_to:
        return Axes(np.empty((0, 0), dtype=np.float32), dimension)
    moment = np.zeros((dimension, dimension))
    for part in row_parts(count, dimension):
        rows = units[part]
        moment += rows.T @ rows
    energies, axes = np.linalg.eigh(moment)
    energies, axes = energies[::-1], axes[:, ::-1]
    enough = int(np.searchsorted(np.cumsum(energies), settings.energy * energies.sum())) + 1
    leading = min(dimension, -(-enough // 16) * 16)
    if leading == dimension:
        return Axes(np.empty((0, 0), dtype=np.float32), dimension)
    return Axes(np.ascontiguousarray(axes, dtype=np.float32), leading)


def trained_centroids(heads: FloatArray, settings: CellSettings) -> FloatArray:
    """Centroids [c, p] of the cells of leading components [n, p]; one of them for a few tracks."""
    count = len(heads)
    if count < settings.cells_from:
        return heads.mean(axis=0, keepdims=True) if count else np.zeros((1, heads.shape[1]), "f4")
    cells = int(settings.cells_per_root * np.sqrt(count))
    # Every so manieth track, so that the same catalogue always gives the same cells.
    sample = np.ascontiguousarray(heads[:: max(1, count // (48 * cells))])
    return cell_centroids(sample, cells)


def cells_of(heads: FloatArray, centroids: FloatArray) -> IntArray:
    """The nearest cell of each track [n]."""
    found = np.empty(len(heads), dtype=np.int64)
    half = (centroids**2).sum(axis=1) / 2
    for part in row_parts(len(heads), len(centroids)):
        found[part] = (heads[part] @ centroids.T - half).argmax(axis=1)
    return found


def cell_means(rows: FloatArray, starts: IntArray) -> FloatArray:
    """Mean of the rows [n, w] of each cell, [c, w]; zero for an empty one."""
    means = np.zeros((len(starts) - 1, rows.shape[1]), dtype=np.float32)
    for cell, (start, end) in enumerate(
        zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
    ):
        if end > start:
            means[cell] = rows[start:end].mean(axis=0)
    return means


def nearest_others(
    units: FloatArray, ids: IntArray, starts: IntArray, leading: int, k: int, probed: int
) -> tuple[IntArray, FloatArray]:
    """The k nearest others of every track by cosine, nearest first; of equals, by rising id.

    Every one is found where there is one cell, and nearly all in `probed` of many.

    Args:
        units: np.ndarray [shape=(n, d)], rotated, by position.
        ids: np.ndarray [shape=(n,)], by position.
        starts: np.ndarray [shape=(c + 1,)], of the cells.
        leading: p.
        k: neighbours of each.
        probed: cells that are searched for the tracks of a cell.

    Returns:
        ids (np.ndarray [shape=(n, k)], int64; `NO_NEIGHBOUR` where there are too few) and cosines.
    """
    neighbours = np.full((len(units), k), NO_NEIGHBOUR, dtype=np.int64)
    cosines = np.full((len(units), k), -1.0, dtype=np.float32)
    for queries, candidates in _searches(units, starts, leading, k, probed):
        others = units[candidates]
        for part in row_parts(queries.stop - queries.start, len(candidates)):
            rows = np.arange(queries.start + part.start, queries.start + part.stop)
            found = units[rows[0] : rows[-1] + 1] @ others.T
            found[np.arange(len(rows)), np.searchsorted(candidates, rows)] = -np.inf
            near, near_cosines = k_best(found, ids[candidates], k)
            neighbours[rows, : near.shape[1]] = near
            cosines[rows, : near.shape[1]] = near_cosines
    absent = ~np.isfinite(cosines)
    neighbours[absent], cosines[absent] = NO_NEIGHBOUR, -1.0
    return neighbours, cosines


def _searches(
    units: FloatArray, starts: IntArray, leading: int, k: int, probed: int
) -> Iterator[tuple[slice, IntArray]]:
    """For each cell its positions, and those among which its tracks' nearest are looked for."""
    cells = len(starts) - 1
    sizes = np.diff(starts)
    if probed >= cells:
        yield slice(0, len(units)), np.arange(len(units))
        return
    centroids = cell_means(units[:, :leading], starts)
    for cell in np.flatnonzero(sizes).tolist():
        order = by_distance(centroids, cell)
        enough = int(np.searchsorted(np.cumsum(sizes[order]), 4 * k)) + 1
        chosen = np.sort(order[: max(probed, enough)])
        yield (
            slice(int(starts[cell]), int(starts[cell + 1])),
            np.concatenate([np.arange(starts[c], starts[c + 1]) for c in chosen.tolist()]),
        )


def by_distance(centroids: FloatArray, cell: int) -> IntArray:
    """All cells, the nearest to one of them first, which is that itself."""
    distances = ((centroids - centroids[cell]) ** 2).sum(axis=1)
    distances[cell] = -1
    return np.argsort(distances, kind="stable")


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

"""How an index is divided into cells.

Shapes: n tracks of d dimensions, p leading components, c cells.
"""

from dataclasses import dataclass

import numpy as np

from recommender.search.faiss_backend import cell_centroids
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
        neighbouring: cells in which the nearest others of a track are looked for.
        recall: of the 10 best tracks, the share that a query is to find at least.
        queries: tracks of the catalogue that this is measured with.
    """

    exact_up_to: int = 4096
    cells_from: int = 16_384
    cells_per_root: float = 4
    energy: float = 0.9
    neighbouring: int = 96
    recall: float = 0.998
    queries: int = 200


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
    return _side_by_side(cell_centroids(sample, cells))


def _side_by_side(centroids: FloatArray) -> FloatArray:
    """Centroids [c, p] in an order in which neighbours are mostly alike, by halving the space.

    A query looks at cells that are alike: their places in the file are read together then.
    """
    waiting, found = [np.arange(len(centroids))], []
    while waiting:
        part = waiting.pop()
        if len(part) < 3:
            found.append(part)
            continue
        rows = centroids[part] - centroids[part].mean(axis=0)
        _, axes = np.linalg.eigh(rows.T @ rows)
        order = np.argsort(rows @ axes[:, -1], kind="stable")
        half = len(part) // 2
        waiting += [part[order[half:]], part[order[:half]]]
    return np.ascontiguousarray(centroids[np.concatenate(found)])


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

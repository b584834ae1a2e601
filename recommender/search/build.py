"""Building the base of an index: from a stream of tracks, or of an index that has grown.

Shapes: n tracks of d dimensions, p leading components, c cells, k neighbours of each.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from recommender.search.base import COLUMN, Base, BaseFacts, base_shapes, of_file
from recommender.search.cells import (
    DEFAULT_CELLS,
    CellSettings,
    cell_means,
    cells_of,
    principal_axes,
    trained_centroids,
)
from recommender.search.live_tracks import Column, LiveTracks
from recommender.search.mapped_file import Array, ArrayWriter, MappedFile
from recommender.search.neighbours import nearest_others
from recommender.search.recall import measured_effort
from recommender.search.reranking import (
    CosineStatistics,
    RerankingSettings,
    database_vectors,
    effective_method,
    expanded,
)
from recommender.search.staging import Staged, scratch
from recommender.utils.arrays import FloatArray, IntArray, places_in, row_parts, unit_rows


@dataclass(frozen=True, eq=False)
class Prepared:
    """The tracks of a base in their places, before they are written.

    Attributes:
        ids: np.ndarray [shape=(n,)], int64, by position.
        units: np.ndarray [shape=(n, d)], float32, rotated, by position.
        moved: np.ndarray [shape=(n, d)], expanded, by position; [shape=(0, d)] where nothing is
            reranked.
        neighbours: np.ndarray [shape=(n, k)], int64, by position; [shape=(n, 0)] likewise.
        cosines: np.ndarray [shape=(n, k)].
        starts: np.ndarray [shape=(c + 1,)], int64.
        rotation: np.ndarray [shape=(d, d)] or [shape=(0, 0)].
        leading: p.
    """

    ids: IntArray
    units: FloatArray
    moved: FloatArray
    neighbours: IntArray
    cosines: FloatArray
    starts: IntArray
    rotation: FloatArray
    leading: int


def prepared(
    tracks: Staged, settings: RerankingSettings, cells: CellSettings = DEFAULT_CELLS
) -> Prepared:
    """Lay out new tracks: axes, cells, neighbours and expanded vectors are all computed."""
    axes = principal_axes(tracks.units, cells)
    dimension = tracks.units.shape[1]
    rotated = tracks.units
    if len(axes.rotation):
        rotated = scratch(len(tracks.ids), dimension)
        for part in row_parts(len(rotated), dimension):
            rotated[part] = tracks.units[part] @ axes.rotation
    heads = rotated[:, : axes.leading]
    centroids = trained_centroids(heads, cells)
    cell = cells_of(heads, centroids) if len(centroids) > 1 else np.zeros(len(heads), np.int64)
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(len(centroids) + 1)).astype(np.int64)
    units = rotated
    if len(centroids) > 1:
        units = scratch(len(rotated), dimension)
        for part in row_parts(len(rotated), dimension):
            units[part] = rotated[order[part]]
    ids = tracks.ids[order]
    moved = np.empty((0, dimension), dtype=np.float32)
    neighbours, cosines = np.empty((len(ids), 0), np.int64), np.empty((len(ids), 0), np.float32)
    if effective_method("reranked", len(ids), settings) == "reranked":
        neighbours, cosines = nearest_others(
            units, ids, starts, axes.leading, settings.k, cells.neighbouring
        )
        moved = _moved(units, tracks.ids, order, neighbours, cosines, settings)
    return Prepared(ids, units, moved, neighbours, cosines, starts, axes.rotation, axes.leading)


def _moved(
    units: FloatArray,
    ascending: IntArray,
    order: IntArray,
    neighbours: IntArray,
    cosines: FloatArray,
    settings: RerankingSettings,
) -> FloatArray:
    """Unit vectors [n, d] moved towards their neighbours, which are given by id."""
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    moved = scratch(*units.shape)
    for part in row_parts(len(units), settings.k * units.shape[1]):
        # Where there is no neighbour, any row does: it has no weight.
        places = position[places_in(ascending, neighbours[part])]
        moved[part] = expanded(units[part], units[places], cosines[part], settings.alpha)
    return moved


def merged(tracks: LiveTracks) -> Prepared:
    """Lay out the tracks of an index anew, in the axes and cells that it has.

    Nothing is computed of the vectors but what new tracks need.
    """
    base = tracks.base
    slots = tracks.slot_of.astype(np.int64)
    cells = len(base.starts) - 1
    cell = np.zeros(len(slots), dtype=np.int64)
    if cells > 1:
        old = slots < len(base)
        cell[old] = np.searchsorted(base.starts, slots[old], side="right") - 1
        new = slots[~old] - len(base)
        cell[~old] = cells_of(tracks.segment.rows.cosine_head[new], base.cosine_centroids)
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(cells + 1)).astype(np.int64)
    placed = slots[order]
    reranked = base.rows.reranked
    units = scratch(len(placed), base.dimension)
    moved = scratch(len(placed) if reranked else 0, base.dimension)
    for part in row_parts(len(placed), base.dimension):
        units[part] = tracks.unit(placed[part])
        if reranked:
            moved[part] = unit_rows(tracks.database(placed[part])[:, :-1])
    return Prepared(
        tracks.ids[order],
        units,
        moved,
        tracks.values_at("neighbours", placed),
        tracks.values_at("neighbour_cosines", placed),
        starts,
        base.rotation,
        base.leading,
    )


Columns = Mapping[str, Array] | Mapping[str, Column]
"""Name → values by rising id, which are read in parts."""


def written(
    path: Path | None,
    tracks: Prepared,
    columns: Columns,
    facts: BaseFacts,
    cells: CellSettings = DEFAULT_CELLS,
    *,
    measure: bool = True,
) -> Base:
    """Write a base and return it, open.

    Args:
        path: of the file; None for one without a name.
        tracks: what it holds.
        columns: name → np.ndarray [shape=(n, ...)], by rising id.
        facts: `effort` is measured here, unless `measure` is False; `generation` is a new one.
        cells: the recall that is wanted.
        measure: False for an index whose effort was measured of nearly the same tracks.

    Raises:
        OSError: it cannot be written.
    """
    count, dimension = tracks.units.shape
    kinds = {name: (values.dtype.str, values.shape[1:]) for name, values in columns.items()}
    shapes = base_shapes(
        count,
        dimension,
        tracks.leading,
        len(tracks.starts) - 1,
        tracks.neighbours.shape[1],
        kinds,
    )
    with ArrayWriter(path, shapes) as writer:
        _fill(writer.arrays, tracks, columns, facts.settings)
        facts = replace(facts, generation=secrets.token_hex(8))
        if measure:
            drawn = of_file(MappedFile(None, writer.arrays, facts.as_json()))
            facts = replace(facts, effort=measured_effort(drawn, cells))
        return of_file(writer.publish(facts.as_json()))


def _fill(
    arrays: dict[str, Array], tracks: Prepared, columns: Columns, settings: RerankingSettings
) -> None:
    """Fill the arrays of a file."""
    row = np.argsort(np.argsort(tracks.ids, kind="stable"), kind="stable")
    arrays["ids"][:] = np.sort(tracks.ids)
    arrays["row_ids"][:] = tracks.ids
    arrays["row"][:] = row
    arrays["position"][row] = np.arange(len(row))
    arrays["starts"][:] = tracks.starts
    arrays["rotation"][:] = tracks.rotation
    arrays["neighbours"][:] = tracks.neighbours
    arrays["neighbour_cosines"][:] = tracks.cosines
    for name, values in columns.items():
        for part in row_parts(len(row), int(np.prod(values.shape[1:]))):
            arrays[COLUMN + name][part] = values[part]
    leading, dimension = tracks.leading, tracks.units.shape[1]
    for part in row_parts(len(row), dimension):
        arrays["cosine_head"][part] = tracks.units[part, :leading]
        arrays["rest"][part, 0] = tracks.units[part, leading:]
    arrays["cosine_centroids"][:] = cell_means(arrays["cosine_head"], tracks.starts)
    if not len(tracks.moved):
        return
    statistics = CosineStatistics.of(partial(_in_parts, tracks.moved), settings)
    arrays["mean_vector"][:] = statistics.mean_vector
    arrays["second_moment"][:] = statistics.second_moment
    arrays["moments"][:] = (
        statistics.count,
        statistics.mean,
        statistics.spread,
        statistics.least_spread,
    )
    for part in row_parts(len(row), dimension):
        rows = database_vectors(tracks.moved[part], settings, statistics)
        arrays["score_head"][part, :leading] = rows[:, :leading]
        arrays["score_head"][part, leading] = rows[:, -1]
        arrays["rest"][part, 1] = rows[:, leading:-1]
    arrays["score_centroids"][:] = cell_means(arrays["score_head"], tracks.starts)


def _in_parts(rows: FloatArray) -> Iterator[FloatArray]:
    for part in row_parts(len(rows), rows.shape[1]):
        yield rows[part]

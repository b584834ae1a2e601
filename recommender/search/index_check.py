"""Is an index what would be built from its catalogue now? Everything in its files is read."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.projector import CatalogProjector
from recommender.errors import IndexDamaged, IndexOutdated
from recommender.search.base import Base, of_file
from recommender.search.columns import ColumnSource
from recommender.search.index import TrackIndex
from recommender.search.index_file import segment_file
from recommender.search.live_tracks import LiveTracks
from recommender.search.mapped_file import MappedFile
from recommender.search.recall import exact_lists
from recommender.search.reranking import CosineStatistics, database_vectors, expanded
from recommender.search.segment_file import read_segment
from recommender.search.vector_rows import NO_NEIGHBOUR
from recommender.utils.arrays import FloatArray, IntArray, row_parts, unit_rows

TOLERATED_FRACTION = 1 / 1000
"""Of the tracks, whose reranking vectors may differ from those of an index built now: where two
neighbours are almost equally near, rounding may select the other one."""

SAMPLED = 200
"""Tracks whose neighbours are compared with those of an exact search."""

LEAST_FOUND = 0.95
"""Share of these that an index must have; cells find nearly all."""

_CHUNK = 1000


def index_error(
    catalog: Catalog, projector: CatalogProjector, columns: ColumnSource, path: Path
) -> str | None:
    """What is wrong with the index files; None where missing or outdated: these are rebuilt."""
    try:
        file = MappedFile.open(path)
        base = of_file(file)
        file.verify()
    except (FileNotFoundError, IndexOutdated):
        return None
    except IndexDamaged as error:
        return str(error)
    stored = read_segment(segment_file(path), base)
    if stored.broken is not None:
        return f"the end of {segment_file(path)} cannot be read: {stored.broken}"
    if (base.facts.space, stored.state) != (projector.space, catalog.state()):
        return None  # outdated by its own label
    if base.facts.columns != columns.digest:
        return None  # likewise
    if not _is_in_order(base):
        return "its tracks are not in their places"
    index = TrackIndex(base, stored.segment, stored.state)
    with base.read_ahead.everything():
        return _of_vectors(catalog, projector, columns, index) or _of_reranking(index)


def _is_in_order(base: Base) -> bool:
    """Whether rows and positions are those of each other, and ids rise."""
    ids, row, position = base.ids, base.row, base.position
    if len(ids) and (ids[0] < 0 or (np.diff(ids) <= 0).any()):
        return False
    for numbers in (row, position):
        if len(numbers) and (numbers.min() < 0 or numbers.max() >= len(ids)):
            return False
    return bool((row[position] == np.arange(len(ids))).all() and (base.rows.ids == ids[row]).all())


def _of_vectors(
    catalog: Catalog, projector: CatalogProjector, columns: ColumnSource, index: TrackIndex
) -> str | None:
    """Whether every track has the vector and the columns that its activations give."""
    tracks, seen = index.tracks, 0
    for ids, activations in catalog.activation_batches(index.space):
        units = projector.project(activations)
        usable = np.isfinite(units).all(axis=1) & (units != 0).any(axis=1)
        rows = index.rows(ids[usable])
        if (rows < 0).any():
            return "its tracks are not those of the catalogue"
        seen += len(rows)
        stored = tracks.base.turned_back(tracks.unit(tracks.slot_of[rows].astype(np.int64)))
        if not np.allclose(stored, units[usable], atol=1e-4):
            return "its vectors are not those of the catalogue"
        for name, values in columns.columns(ids, activations).items():
            if not _alike(index.columns[name][rows], values[usable]):
                return f"its column {name} is not that of the catalogue"
    return None if seen == len(index) else "its tracks are not those of the catalogue"


def _alike(found: Any, expected: Any) -> bool:
    if np.issubdtype(found.dtype, np.floating):
        return bool(np.allclose(found, expected, atol=1e-4, equal_nan=True))
    return bool(np.array_equal(found, expected))


def _of_reranking(index: TrackIndex) -> str | None:
    """Whether the vectors for reranking follow from the neighbours, and these are the nearest."""
    tracks, base = index.tracks, index.tracks.base
    if base.statistics is None or not len(index):
        return None
    wrong = "its vectors for reranking are not those of the catalogue"
    fresh = CosineStatistics.of(partial(_moved, base), index.settings)
    if not _equal_statistics(base.statistics, fresh):
        return wrong
    differing = 0
    slots = tracks.slot_of.astype(np.int64)
    for start in range(0, len(slots), _CHUNK):
        part = slots[start : start + _CHUNK]
        expected = _database(tracks, part)
        if expected is None:
            return wrong
        found = tracks.database(part)
        differing += int((~np.isclose(found, expected, rtol=1e-3, atol=1e-4).all(axis=1)).sum())
    if differing > len(slots) * TOLERATED_FRACTION or _found_share(base) < LEAST_FOUND:
        return wrong
    return None


def _moved(base: Base) -> Any:
    for part in row_parts(len(base), base.dimension):
        yield unit_rows(base.rows.database(part)[:, :-1])


def _equal_statistics(found: CosineStatistics, expected: CosineStatistics) -> bool:
    averages = [
        (one.mean, one.spread, one.least_spread, float(one.count)) for one in (found, expected)
    ]
    return bool(
        np.allclose(averages[0], averages[1], rtol=1e-4)
        and np.allclose(found.mean_vector, expected.mean_vector, atol=1e-5)
        and np.allclose(found.second_moment, expected.second_moment, atol=1e-5)
    )


def _database(tracks: LiveTracks, slots: IntArray) -> FloatArray | None:
    """Database vectors as they follow from the neighbours; None where one of these is unknown."""
    near = tracks.values_at("neighbours", slots)
    places = tracks.slots(np.where(near == NO_NEIGHBOUR, tracks.ids[0], near))
    statistics = tracks.base.statistics
    if (places < 0).any() or statistics is None:
        return None
    units = tracks.unit(slots)
    neighbours = tracks.unit(places.reshape(-1)).reshape(*places.shape, -1)
    cosines = np.einsum("nd,nkd->nk", units, neighbours)
    cosines[near == NO_NEIGHBOUR] = 0
    settings = tracks.base.facts.settings
    return database_vectors(
        expanded(units, neighbours, cosines, settings.alpha), settings, statistics
    )


def _found_share(base: Base) -> float:
    """Of the nearest others of some tracks, the share that is stored; ties count as found."""
    rows = np.linspace(0, len(base) - 1, min(SAMPLED, len(base))).astype(np.int64)
    exact = exact_lists(base, rows, "cosine")
    units = base.rows.unit(base.position[rows].astype(np.int64))
    others = exact != rows[:, None]
    last = []
    for unit, nearest, other in zip(units, exact, others, strict=True):
        near = base.rows.unit(base.position[nearest[other]].astype(np.int64))
        last.append(near @ unit)
    stored = base.rows.neighbour_cosines[base.position[rows].astype(np.int64)]
    shares = [
        np.mean(np.sort(own)[::-1][: len(best)] >= np.sort(best)[::-1] - 1e-4)
        for own, best in zip(stored, last, strict=True)
    ]
    return float(np.mean(shares))

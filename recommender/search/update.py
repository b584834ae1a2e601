"""Bringing an index up to date with a few changed tracks, without reading the others.

A new track joins the lists of nearest others of those that it is nearer to than the last of theirs;
a track that is gone leaves gaps, which are filled by a search. The expanded vectors and database
vectors of all these tracks are computed again, so that they are what an index built anew would
have, but for the statistics of the whole catalogue (`reranking.CosineStatistics`): these stay those
of the base until it is written again. So a track that has nothing to do with the change keeps its
vectors bit for bit, and lists of such tracks keep their order.

Shapes: m changed tracks of d dimensions, k neighbours of each.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from recommender.search.cells import DEFAULT_CELLS, CellSettings, cells_of
from recommender.search.live_tracks import LiveTracks, Segment
from recommender.search.mapped_file import Array
from recommender.search.neighbours import k_best, nearest_cells
from recommender.search.reranking import RerankingSettings, database_vectors, expanded
from recommender.search.vector_rows import NO_NEIGHBOUR, vector_rows
from recommender.utils.arrays import BoolArray, FloatArray, IntArray, places_in, row_parts

SAME = 1e-5
"""Largest difference of a component up to which a vector counts as unchanged."""


@dataclass(frozen=True, eq=False)
class Changed:
    """Tracks that are new or may have changed, and tracks that are gone.

    Attributes:
        ids: np.ndarray [shape=(m,)], int64, ascending.
        units: np.ndarray [shape=(m, d)], float32, unit vectors, not rotated.
        columns: name → np.ndarray [shape=(m, ...)].
        removed: np.ndarray [shape=(r,)], int64; some may be unknown.
    """

    ids: IntArray
    units: FloatArray
    columns: Mapping[str, Array]
    removed: IntArray


def changes(tracks: LiveTracks, changed: Changed, cells: CellSettings = DEFAULT_CELLS) -> Segment:
    """What follows from some changes, to be appended to the segment of `tracks`."""
    units = np.asarray(tracks.base.rotated(changed.units), dtype=np.float32)
    slots = tracks.slots(changed.ids)
    same = slots >= 0
    same[same] = (np.abs(tracks.unit(slots[same]) - units[same]) <= SAME).all(axis=1)
    removed = changed.removed[tracks.slots(changed.removed) >= 0]
    replaced = changed.ids[~same & (slots >= 0)]
    lists = _Lists(tracks, changed.ids[~same], units[~same], np.union1d(removed, replaced), cells)
    ids, near, cosines = lists.affected()
    retagged = np.setdiff1d(changed.ids[same], ids)
    kept = tracks.take(tracks.slots(retagged))
    every = np.concatenate([ids, retagged])
    own = lists.units_of(ids)
    database = lists.database(own, near, cosines)
    rows = vector_rows(
        every,
        np.concatenate([own, tracks.unit(tracks.slots(retagged))]),
        None
        if database is None
        else np.concatenate([database, tracks.database(tracks.slots(retagged))]),
        np.concatenate([near, kept.neighbours]),
        np.concatenate([cosines, kept.neighbour_cosines]),
        tracks.base.leading,
    )
    added = int((slots < 0).sum()) + len(removed)
    return Segment(rows, _columns(tracks, every, changed), removed, added)


def _columns(tracks: LiveTracks, ids: IntArray, changed: Changed) -> dict[str, Array]:
    """The columns of `ids`: those that have changed, or else those that they had."""
    places = places_in(changed.ids, ids)
    new = places >= 0
    found = {}
    for name, column in tracks.columns.items():
        values = np.empty((len(ids), *column.shape[1:]), dtype=column[:0].dtype)
        values[new] = changed.columns[name][places[new]]
        values[~new] = column[tracks.rows(ids[~new])]
        found[name] = values
    return found


class _Lists:
    """The lists of nearest others that a change of an index affects."""

    def __init__(
        self,
        tracks: LiveTracks,
        inserted: IntArray,
        units: FloatArray,
        gone: IntArray,
        cells: CellSettings,
    ) -> None:
        """Insert tracks `inserted` [m] with rotated `units` [m, d] where those of `gone` were."""
        self._tracks = tracks
        self._inserted = inserted
        self._units = units
        self._gone = gone
        self._probed = cells.neighbouring
        self._settings: RerankingSettings = tracks.base.facts.settings
        self._left = np.ones(len(tracks.row_of), dtype=np.bool_)
        self._left[tracks.row_of < 0] = False
        self._left[tracks.slots(gone)] = False

    def affected(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Ids [a] of tracks whose lists change, and the new lists: neighbours, cosines [a, k]."""
        if not self._tracks.base.rows.reranked:
            return (
                self._inserted,
                np.empty((len(self._inserted), 0), np.int64),
                np.empty((len(self._inserted), 0), np.float32),
            )
        bereft = self._bereft()
        queries = np.concatenate([self._inserted, bereft])
        vectors = np.concatenate([self._units, self.units_of(bereft)])
        near, cosines, joined = self._searched(queries, vectors, set(bereft.tolist()))
        others = self._joined(joined)
        return (
            np.concatenate([queries, others[0]]),
            np.concatenate([near, others[1]]),
            np.concatenate([cosines, others[2]]),
        )

    def _bereft(self) -> IntArray:
        """Tracks that have one of `gone` among their neighbours."""
        if not len(self._gone):
            return np.empty(0, dtype=np.int64)
        slots = np.flatnonzero(self._left)
        found = [
            slots[part][self._lacks_neighbours(slots[part])]
            for part in row_parts(len(slots), 1, 2**18)
        ]
        return self._ids_of(np.concatenate(found) if found else slots)

    def _lacks_neighbours(self, slots: IntArray) -> BoolArray:
        near = self._tracks.values_at("neighbours", slots)
        return np.asarray(np.isin(near, self._gone).any(axis=1))

    def _ids_of(self, slots: IntArray) -> IntArray:
        return self._tracks.ids[self._tracks.row_of[slots]]

    def units_of(self, ids: IntArray) -> FloatArray:
        """Rotated unit vectors of tracks, inserted ones among them."""
        places = places_in(self._inserted, ids)
        new = places >= 0
        units = np.empty((len(ids), self._tracks.base.dimension), dtype=np.float32)
        units[new] = self._units[places[new]]
        units[~new] = self._tracks.unit(self._tracks.slots(ids[~new]))
        return units

    def _searched(
        self, ids: IntArray, units: FloatArray, bereft: set[int]
    ) -> tuple[IntArray, FloatArray, dict[int, list[tuple[float, int]]]]:
        """Lists of `ids`, and which inserted tracks join the lists of which other tracks."""
        k = self._settings.k
        near = np.full((len(ids), k), NO_NEIGHBOUR, dtype=np.int64)
        cosines = np.full((len(ids), k), -1.0, dtype=np.float32)
        joined: dict[int, list[tuple[float, int]]] = defaultdict(list)
        for members, slots in self._groups(units):
            old = self._ids_of(slots)
            found = units[members] @ self._tracks.unit(slots).T
            last = self._tracks.values_at("neighbour_cosines", slots)[:, -1]
            new = np.flatnonzero(members < len(self._inserted))
            for query, place in zip(*np.nonzero(found[new] > last), strict=True):
                if int(old[place]) not in bereft:
                    pair = float(found[new[query], place]), int(ids[members[new[query]]])
                    joined[int(old[place])].append(pair)
            names = np.concatenate([old, self._inserted])
            every = np.concatenate([found, units[members] @ self._units.T], axis=1)
            every[names[None, :] == ids[members][:, None]] = -np.inf
            best, best_cosines = k_best(every, names, k)
            near[members, : best.shape[1]] = best
            cosines[members, : best.shape[1]] = best_cosines
        absent = ~np.isfinite(cosines)
        near[absent], cosines[absent] = NO_NEIGHBOUR, -1.0
        return near, cosines, joined

    def _groups(self, units: FloatArray) -> Iterator[tuple[IntArray, IntArray]]:
        """Queries that search together, and the slots of the tracks that they are compared with."""
        base, count = self._tracks.base, len(self._tracks.base)
        segment = np.arange(count, len(self._left))
        if self._probed >= len(base.starts) - 1:
            for start in range(0, len(units), 256):
                members = np.arange(start, min(start + 256, len(units)))
                yield members, np.flatnonzero(self._left)
            return
        heads = units[:, : base.leading]
        own = cells_of(heads, base.cosine_centroids)
        chosen = nearest_cells(heads, base.cosine_centroids, self._probed)
        for cell in np.unique(own).tolist():
            members = np.flatnonzero(own == cell)
            near = np.unique(np.append(chosen[members], cell))
            ranges = [np.arange(base.starts[c], base.starts[c + 1]) for c in near.tolist()]
            slots = np.concatenate([*ranges, segment])
            yield members, slots[self._left[slots]]

    def _joined(
        self, joined: dict[int, list[tuple[float, int]]]
    ) -> tuple[IntArray, IntArray, FloatArray]:
        """The lists of other tracks, with the tracks that have joined them."""
        k = self._settings.k
        ids = np.array(sorted(joined), dtype=np.int64)
        near = np.empty((len(ids), k), dtype=np.int64)
        cosines = np.empty((len(ids), k), dtype=np.float32)
        slots = self._tracks.slots(ids)
        old, old_cosines = (
            self._tracks.values_at(name, slots) for name in ("neighbours", "neighbour_cosines")
        )
        for row, id in enumerate(ids.tolist()):
            pairs = joined[id]
            names = np.concatenate([old[row], [name for _, name in pairs]]).astype(np.int64)
            values = np.concatenate([old_cosines[row], np.array([c for c, _ in pairs], np.float32)])
            best = np.lexsort((names, -values))[:k]
            near[row], cosines[row] = names[best], values[best]
        return ids, near, cosines

    def database(self, units: FloatArray, near: IntArray, cosines: FloatArray) -> FloatArray | None:
        """Database vectors [a, d + 1] of tracks with these neighbours; None without reranking."""
        statistics = self._tracks.base.statistics
        if statistics is None:
            return None
        moved = np.empty_like(units)
        for start in range(0, len(units), 256):
            part = slice(start, start + 256)
            there = near[part] != NO_NEIGHBOUR
            known = np.where(
                there, near[part], self._inserted[0] if len(self._inserted) else self._tracks.ids[0]
            )
            neighbours = self.units_of(known.reshape(-1)).reshape(*known.shape, -1)
            moved[part] = expanded(units[part], neighbours, cosines[part], self._settings.alpha)
        return database_vectors(moved, self._settings, statistics)

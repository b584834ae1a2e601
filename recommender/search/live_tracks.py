"""The tracks of an index now: those of its immutable base, and what has changed since.

A *slot* says where the vectors of a track are: a position in the base or, above these, a row of the
segment. A *row* is the place of a track among all by rising id, which is how queries name tracks.

Shapes: n tracks, s of them in the segment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.search.base import Base
from recommender.search.mapped_file import Array
from recommender.search.vector_rows import VectorRows, joined_database, joined_unit, stacked
from recommender.utils.arrays import FloatArray, IntArray, places_in

Rows = npt.NDArray[np.int32] | IntArray


@dataclass(frozen=True, eq=False)
class Segment:
    """What has changed since the base was written; never changed itself.

    Attributes:
        rows: tracks that are new, or have other vectors, neighbours or columns than in the base.
        columns: name → np.ndarray [shape=(s, ...)], of these tracks.
        removed: np.ndarray [shape=(r,)], int64: tracks of the base that are gone.
        added: tracks that are in no base and tracks that are gone, counted since the base was made;
            says how far the statistics may be off.
    """

    rows: VectorRows
    columns: Mapping[str, Array] = field(default_factory=dict)
    removed: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    added: int = 0

    @classmethod
    def empty(cls, base: Base) -> "Segment":
        """Of an index that is its base alone."""
        return cls(
            base.rows.take(slice(0)), {name: values[:0] for name, values in base.columns.items()}
        )

    def followed_by(self, later: "Segment") -> "Segment":
        """Both as one; where a track is in both, the later one counts."""
        known = np.union1d(later.rows.ids, later.removed)
        kept = np.flatnonzero(~np.isin(self.rows.ids, known))
        removed = np.setdiff1d(np.union1d(self.removed, later.removed), later.rows.ids)
        return Segment(
            stacked([self.rows.take(kept), later.rows]),
            {
                name: np.concatenate([values[kept], later.columns[name]])
                for name, values in self.columns.items()
            },
            removed,
            self.added + later.added,
        )


class Column:
    """One value for each track of an index, in the order of its ids.

    Attributes:
        shape: of the whole column, (n, ...).
    """

    def __init__(self, tracks: "LiveTracks", base: Array, segment: Array) -> None:
        """Of `tracks`; `base` is by row of the base, `segment` by row of the segment."""
        self._tracks = tracks
        self._base = base
        self._segment = segment
        self._whole: Array | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of `whole`."""
        return (len(self._tracks), *self._base.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values."""
        return self._base.dtype

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self._tracks)

    def __getitem__(self, rows: Any) -> Any:
        """The values of some rows, or of one; only these are read."""
        places = rows if self._tracks.is_base else self._tracks.column_places[rows]
        if isinstance(places, np.ndarray) and places.dtype.kind == "i":
            there = places[places < len(self._base)]
            self._tracks.base.read_ahead.rows(self._base, there)
        if self._tracks.is_base:
            return self._base[rows]
        return _from_both(self._base, self._segment, places)

    def whole(self) -> Array:
        """All values, np.ndarray [shape=(n, ...)]: the mapped array itself where nothing changed.

        Copied once otherwise, so this is for small columns.
        """
        if self._tracks.is_base:
            return self._base
        if self._whole is None:
            self._whole = self[slice(None)]
        return self._whole

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """`whole`, for `numpy.asarray`."""
        return np.array(self.whole(), dtype=dtype, copy=copy)


class LiveTracks:
    """Base and segment as one; never changed, so that any number of threads may read it.

    Attributes:
        base: the immutable part.
        segment: what has changed since.
        is_base: whether nothing has.
        ids: np.ndarray [shape=(n,)], int64, ascending.
        slot_of: np.ndarray [shape=(n,)]: slot of each row.
        row_of: np.ndarray [shape=(slots,)]: row of each slot; -1 for what is not there any more.
        column_places: np.ndarray [shape=(n,)]: for each row its row in the base, or above these
            its row in the segment.
    """

    def __init__(self, base: Base, segment: Segment) -> None:
        """See the attributes."""
        self.base = base
        self.segment = segment
        self.is_base = not len(segment.rows) and not len(segment.removed)
        self.ids, self.slot_of, self.row_of = base.ids, base.position, base.row
        self.column_places: Any = None
        if not self.is_base:
            self._combine()

    def _combine(self) -> None:
        base, added = self.base, self.segment.rows.ids
        count = len(base)
        gone = np.isin(base.ids, np.concatenate([added, self.segment.removed]))
        kept = np.flatnonzero(~gone)
        ids = np.concatenate([base.ids[kept], added])
        slots = np.concatenate([base.position[kept], count + np.arange(len(added))])
        places = np.concatenate([kept, count + np.arange(len(added))])
        order = np.argsort(ids, kind="stable")
        self.ids = ids[order]
        self.slot_of = slots[order].astype(np.int32)
        self.column_places = places[order].astype(np.int32)
        self.row_of = np.full(count + len(added), -1, dtype=np.int32)
        self.row_of[self.slot_of] = np.arange(len(order), dtype=np.int32)

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.ids)

    def rows(self, ids: IntArray) -> IntArray:
        """The row of each id; -1 for tracks that are not there."""
        return places_in(self.ids, ids)

    def slots(self, ids: IntArray) -> IntArray:
        """The slot of each id; -1 for tracks that are not there."""
        rows = self.rows(ids)
        return np.where(rows >= 0, self.slot_of[rows], -1) if len(self.ids) else rows

    def take(self, slots: IntArray) -> VectorRows:
        """The vectors of slots, copied."""
        count = len(self.base)
        if self.is_base or (slots < count).all():
            return self.base.rows.take(slots)
        old = slots < count
        both = stacked(
            [self.base.rows.take(slots[old]), self.segment.rows.take(slots[~old] - count)]
        )
        order = np.empty(len(slots), dtype=np.int64)
        order[np.concatenate([np.flatnonzero(old), np.flatnonzero(~old)])] = np.arange(len(slots))
        return both.take(order)

    def values_at(self, name: str, slots: IntArray) -> Array:
        """One array of `VectorRows` at some slots."""
        base: Array = getattr(self.base.rows, name)
        if self.is_base:
            self.base.read_ahead.rows(base, slots)
            return base[slots]
        self.base.read_ahead.rows(base, slots[slots < len(base)])
        values: Array = _from_both(base, getattr(self.segment.rows, name), slots)
        return values

    def unit(self, slots: IntArray) -> FloatArray:
        """Unit vectors (rotated) of slots, [shape=(m, d)]."""
        return joined_unit(self.values_at("cosine_head", slots), self.values_at("rest", slots))

    def database(self, slots: IntArray) -> FloatArray:
        """Database vectors (rotated) of slots, [shape=(m, d + 1)], the offset last."""
        return joined_database(self.values_at("score_head", slots), self.values_at("rest", slots))

    @property
    def columns(self) -> dict[str, Column]:
        """Name → column."""
        return {
            name: Column(self, values, self.segment.columns[name])
            for name, values in self.base.columns.items()
        }


def _from_both(base: Array, added: Array, places: Any) -> Any:
    """Values at places: rows of `base`, or above these of `added`; of one place or of several."""
    count = len(base)
    if np.ndim(places) == 0:
        return base[places] if places < count else added[places - count]
    new = places >= count
    if not new.any():
        return base[places]
    values = np.empty((*places.shape, *base.shape[1:]), dtype=base.dtype)
    values[~new] = base[places[~new]]
    values[new] = added[places[new] - count]
    return values

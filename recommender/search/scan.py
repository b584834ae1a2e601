"""Finding the best candidates by the leading components of their vectors.

In a catalogue of some size only the cells nearest to the query are scanned. The tracks of the
segment are few and always scanned. numpy only.

Shapes: n tracks, m candidates, p leading components.
"""

from dataclasses import dataclass

import numpy as np

from recommender.search.live_tracks import LiveTracks
from recommender.utils.arrays import BoolArray, FloatArray, IntArray

ROUNDING = 3e-5
"""Bound of the difference of a float32 inner product from the exact one, and between devices."""

SAMPLED = 16
"""One score in so many is looked at to guess the m-th best of many."""

FEW = 8192
"""Tracks that a filter admits up to which each is scored, however many cells they lie in."""


@dataclass(frozen=True, eq=False)
class Heads:
    """One of the two sets of vectors of an index: the unit vectors or the database vectors.

    Attributes:
        tracks: whose vectors they are.
        base: np.ndarray [shape=(n, p)], float32: leading components, by position.
        segment: np.ndarray [shape=(s, p)], of the tracks of the segment.
        centroids: np.ndarray [shape=(c, p)]: of the cells.
        name: of the array in `VectorRows`.
    """

    tracks: LiveTracks
    base: FloatArray
    segment: FloatArray
    centroids: FloatArray
    name: str

    @classmethod
    def of_units(cls, tracks: LiveTracks) -> "Heads":
        """The unit vectors."""
        base = tracks.base
        rows = base.rows.cosine_head, tracks.segment.rows.cosine_head
        return cls(tracks, *rows, base.cosine_centroids, "cosine_head")

    @classmethod
    def of_database(cls, tracks: LiveTracks) -> "Heads":
        """The database vectors; their last leading component is the offset."""
        base = tracks.base
        rows = base.rows.score_head, tracks.segment.rows.score_head
        return cls(tracks, *rows, base.score_centroids, "score_head")

    def candidates(
        self, query: FloatArray, count: int, probed: int, allowed: BoolArray | None = None
    ) -> IntArray:
        """Slots of the best tracks by leading components, in no order.

        Args:
            query: np.ndarray [shape=(p,)], float32.
            count: candidates; fewer come back only where no more are there (and allowed).
            probed: cells to scan; more are where these hold too few tracks.
            allowed: np.ndarray [shape=(n,)], bool, by row: only these are candidates.
        """
        tracks = self.tracks
        tracks.base.read_ahead.begin()
        if allowed is not None:
            rows = self._few(allowed, count)
            if rows is not None:
                slots = tracks.slot_of[rows]
                if len(slots) <= count:
                    return slots
                return _best_slots(slots, tracks.values_at(self.name, slots) @ query, count)
            probed = self._widened(probed, allowed)
        cells = len(self.centroids)
        while True:
            probed = min(probed, cells)
            slots, scores = self._scanned(query, probed)
            slots, scores = self._admitted(slots, scores, allowed)
            if len(slots) >= count or probed >= cells:
                return _best_slots(slots, scores, count)
            probed *= 4

    def _few(self, allowed: BoolArray, count: int) -> IntArray | None:
        """The rows of `allowed` where they are few enough to score each; else None."""
        if np.count_nonzero(allowed) > max(FEW, count):
            return None
        return np.flatnonzero(allowed)

    def _widened(self, probed: int, allowed: BoolArray) -> int:
        """Cells to scan so that as many of the nearest admitted tracks are found."""
        share = np.count_nonzero(allowed) / max(1, len(allowed))
        return int(np.ceil(probed / np.sqrt(max(share, 1e-6))))

    def _scanned(self, query: FloatArray, probed: int) -> tuple[IntArray, FloatArray]:
        """Slots and scores of all tracks in the best cells, and of the segment."""
        starts, count = self.tracks.base.starts, len(self.base)
        read_ahead = self.tracks.base.read_ahead
        if probed >= len(self.centroids):
            base_slots = None
            read_ahead.ranges(self.base, np.array([0]), np.array([count]))
            scores = self.base @ query
        else:
            read_ahead.ranges(self.centroids, np.array([0]), np.array([len(self.centroids)]))
            cells = np.sort(best(self.centroids @ query, probed))
            begins, ends = starts[cells], starts[cells + 1]
            read_ahead.ranges(self.base, begins, ends)
            lengths = ends - begins
            places = np.concatenate([[0], np.cumsum(lengths)])
            scores = np.empty(places[-1], dtype=np.float32)
            for begin, end, place in zip(
                begins.tolist(), ends.tolist(), places.tolist(), strict=False
            ):
                np.dot(self.base[begin:end], query, out=scores[place : place + end - begin])
            base_slots = np.arange(places[-1]) + np.repeat(begins - places[:-1], lengths)
        if len(self.segment):
            added = np.arange(count, count + len(self.segment))
            slots = np.arange(count) if base_slots is None else base_slots
            return np.concatenate([slots, added]), np.concatenate([scores, self.segment @ query])
        return (np.arange(count) if base_slots is None else base_slots), scores

    def _admitted(
        self, slots: IntArray, scores: FloatArray, allowed: BoolArray | None
    ) -> tuple[IntArray, FloatArray]:
        """Without tracks that are gone, or not allowed."""
        if allowed is None and self.tracks.is_base:
            return slots, scores
        rows = self.tracks.row_of[slots]
        kept = rows >= 0 if allowed is None else np.append(allowed, False)[rows]
        return slots[kept], scores[kept]


def _best_slots(slots: IntArray, scores: FloatArray, count: int) -> IntArray:
    """The slots of the `count` best, and of all that are as good as the last of them."""
    if len(slots) <= count:
        return slots
    last = scores[best(scores, count)].min()
    found: IntArray = slots[scores >= last - ROUNDING]
    return found


def best(scores: FloatArray, count: int) -> IntArray:
    """Places of the `count` highest scores, or of all where there are fewer; in no order."""
    total = len(scores)
    if count >= total:
        return np.arange(total)
    if total > 64 * SAMPLED and total > 8 * count:
        # The m-th best of many is guessed from a sample, a little too low; few are left to sort.
        sample = scores[::SAMPLED]
        rank = min(len(sample) - 1, 2 * count // SAMPLED + 8)
        places = np.flatnonzero(scores >= np.partition(sample, -rank)[-rank])
        if len(places) >= count:
            if len(places) == count:
                return places
            chosen = np.argpartition(scores[places], -count)[-count:]
            return places[chosen]
    return np.argpartition(scores, -count)[-count:]

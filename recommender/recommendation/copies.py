"""Which candidates of a list are copies of its seed or of one another."""

import numpy as np

from recommender.embedding.duplicates import DuplicateDetector, Recording
from recommender.embedding.stored_copies import MORE
from recommender.search.index import TrackIndex
from recommender.utils.arrays import BoolArray, IntArray

Copies = dict[int, set[int]]
"""The place of a candidate → the places of its copies; those without any are left out."""


class CopyFinder:
    """Finds copies among tracks of an index, by what they keep (`embedding.stored_copies`)."""

    def __init__(self, index: TrackIndex, detector: DuplicateDetector) -> None:
        """Of tracks of `index`."""
        self._columns = index.columns
        self._detector = detector

    def copies_of(self, one: Recording, rows: IntArray) -> BoolArray:
        """Which of m tracks are copies of a recording from outside: np.ndarray [shape=(m,)]."""
        durations = self._columns["duration"][rows]
        found = self._detector.durations_agree(one.duration, durations)
        views = self._columns["view"][rows[found]]
        found[found] = self._detector.duplicates(one, views, durations[found])
        return found

    def among(self, rows: IntArray) -> Copies:
        """The copies of each of m tracks (np.ndarray [shape=(m,)], distinct) among them."""
        kept = self._columns["copies"][rows]
        holders = np.flatnonzero(kept[:, 0])
        copies: Copies = {}
        if not len(holders):
            return copies
        places: dict[int, list[int]] = {}
        for place, number in enumerate(self._columns["signature"][rows].tolist()):
            places.setdefault(number, []).append(place)
        for place, numbers in zip(holders.tolist(), kept[holders].tolist(), strict=True):
            for number in numbers:
                for other in places.get(number, ()):
                    _join(copies, place, other)
            if numbers[-1] == MORE:
                one = Recording(
                    self._columns["view"][int(rows[place])],
                    float(self._columns["duration"][int(rows[place])]),
                )
                for other in np.flatnonzero(self.copies_of(one, rows)).tolist():
                    _join(copies, place, other)
        return copies


def _join(copies: Copies, one: int, other: int) -> None:
    if one != other:
        copies.setdefault(one, set()).add(other)
        copies.setdefault(other, set()).add(one)

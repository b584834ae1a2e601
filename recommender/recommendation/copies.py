"""Which candidates of a list are copies of its seed or of a track already in it."""

import numpy as np

from recommender.embedding.duplicate_groups import ANY_GROUP
from recommender.embedding.duplicates import DuplicateDetector, Recording
from recommender.recommendation.seeds import SearchSeed
from recommender.search.index import TrackIndex
from recommender.utils.arrays import BoolArray, IntArray


class ListedRecordings:
    """The seed, and the tracks that a list has taken so far.

    Candidates are looked for by their groups (`embedding.duplicate_groups`); only two tracks that
    share one are compared.
    """

    def __init__(self, index: TrackIndex, detector: DuplicateDetector, seed: SearchSeed) -> None:
        """The seed alone."""
        self._columns = index.columns
        self._detector = detector
        self._seed = seed.recording
        self._rows = np.empty(0, dtype=np.int64)
        self._groups: list[list[int]] = []
        self._taken: list[int] = []
        self._of_group: dict[int, list[int]] = {}
        self._of_any_group: list[int] = []
        if seed.row is not None:
            self.offer(np.array([seed.row], dtype=np.int64))
            self.add(0, int(index.ids[seed.row]))

    def offer(self, rows: IntArray) -> BoolArray:
        """Name m candidates, which the other methods then know by their place.

        Returns:
            np.ndarray [shape=(m,)], bool: which of them are no copies of a seed from outside.
        """
        self._rows = rows
        self._groups = self._columns["groups"][rows].tolist()
        if self._seed is None:
            return np.ones(len(rows), dtype=np.bool_)
        durations = self._columns["duration"][rows]
        agree = np.flatnonzero(self._detector.durations_agree(self._seed.duration, durations))
        new = np.ones(len(rows), dtype=np.bool_)
        views = self._columns["view"][rows[agree]]
        new[agree] = ~self._detector.duplicates(self._seed, views, durations[agree])
        return new

    def is_copy(self, place: int, track_id: int) -> bool:
        """Whether a candidate is a copy of the seed, or of a track in the list."""
        groups = self._groups[place]
        rivals = list(self._of_any_group)
        for group in (track_id, *groups):
            if group in self._of_group:
                rivals += self._of_group[group]
        if ANY_GROUP in groups:
            rivals = self._taken
        if not rivals:
            return False
        row, others = int(self._rows[place]), np.array(rivals, dtype=np.int64)
        views, durations = self._columns["view"], self._columns["duration"]
        one = Recording(views[row], float(durations[row]))
        return bool(self._detector.duplicates(one, views[others], durations[others]).any())

    def add(self, place: int, track_id: int) -> None:
        """The list has taken a candidate."""
        row, groups = int(self._rows[place]), self._groups[place]
        self._taken.append(row)
        for group in (track_id, *(group for group in groups if group > 0)):
            self._of_group.setdefault(group, []).append(row)
        if ANY_GROUP in groups:
            self._of_any_group.append(row)

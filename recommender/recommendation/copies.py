"""Which candidates of a list are copies of its seed or of a track already in it."""

from recommender.embedding.duplicates import DuplicateDetector, Recording
from recommender.embedding.stored_copies import MORE
from recommender.search.index import TrackIndex
from recommender.utils.arrays import BoolArray, IntArray


def copies_of(
    one: Recording, index: TrackIndex, rows: IntArray, detector: DuplicateDetector
) -> BoolArray:
    """Which tracks of an index are copies of a recording: np.ndarray [shape=(m,)], bool.

    Args:
        rows: np.ndarray [shape=(m,)], of the tracks.
    """
    durations = index.columns["duration"][rows]
    found = detector.durations_agree(one.duration, durations)
    views = index.columns["view"][rows[found]]
    found[found] = detector.duplicates(one, views, durations[found])
    return found


class ListedCopies:
    """The tracks that a list has taken, by what they keep of their copies.

    Only tracks that have more copies than they keep (`embedding.stored_copies`) are compared.
    Candidates are named by their place among `rows`.
    """

    def __init__(self, index: TrackIndex, rows: IntArray, detector: DuplicateDetector) -> None:
        """None of the candidates `rows` (np.ndarray [shape=(m,)]) of `index` is taken yet."""
        self._index = index
        self._detector = detector
        self._rows = rows
        self._signatures: list[int] = index.columns["signature"][rows].tolist()
        self._copies: list[list[int]] = index.columns["copies"][rows].tolist()
        self._taken: list[int] = []
        self._taken_signatures: set[int] = set()
        self._known_copies: set[int] = set()
        self._with_more: list[int] = []

    def take(self, place: int) -> None:
        """A candidate enters the list."""
        own = self._copies[place]
        self._taken.append(place)
        self._taken_signatures.add(self._signatures[place])
        if own[0]:
            self._known_copies.update(own)
            if own[-1] == MORE:
                self._with_more.append(place)

    def has_copy_of(self, place: int) -> bool:
        """Whether a candidate is a copy of any that is taken."""
        own = self._copies[place]
        if self._signatures[place] in self._known_copies:
            return True
        if own[0] and not self._taken_signatures.isdisjoint(own):
            return True
        rivals = self._taken if own[-1] == MORE else self._with_more
        return bool(rivals) and self._compared(place, rivals)

    def _compared(self, place: int, rivals: list[int]) -> bool:
        row, columns = int(self._rows[place]), self._index.columns
        one = Recording(columns["view"][row], float(columns["duration"][row]))
        return bool(copies_of(one, self._index, self._rows[rivals], self._detector).any())

"""Which tracks are copies of one recording: compared once, when they enter an index.

Comparing the tracks of a list with each other costs more than ranking it. So each track has a
*signature*, a number for what duplicate detection compares of it, and keeps the signatures of its
copies. Of two copies at least one knows the other; neither has to change when the other comes
later, and a track that is analysed anew has another signature, which nobody knows yet.

Shapes: n tracks with views of v dimensions.
"""

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np

from recommender.embedding.duplicates import DuplicateDetector, Recording
from recommender.utils.arrays import BoolArray, FloatArray, IntArray, Scores, unit_rows

COPIES = 8
"""Copies that a track keeps."""

MORE = -1
"""In the last place of a track that has more copies than are kept; it has to be compared."""

_ROUNDING = 1e-4
"""More than the error of a cosine in single precision."""

_LEADING = 31
"""Principal components by which most pairs are ruled out."""

_SAMPLE = 4096
_BLOCK, _BESIDE = 1024, 8192
"""Tracks that are compared at once, and with how many."""

_Pairs = tuple[IntArray, IntArray]


def signatures(views: FloatArray, durations: Scores) -> IntArray:
    """A number for each recording: np.ndarray [shape=(n,)], int64, equal for equal recordings.

    64 bits of BLAKE2b; neither 0 nor 1 nor -1.

    Args:
        views: np.ndarray [shape=(n, v)], float32, `DuplicateDetector.view`.
        durations: np.ndarray [shape=(n,)], seconds.
    """
    numbers = np.empty(len(views), dtype="<i8")
    for row, (view, duration) in enumerate(zip(views, durations, strict=True)):
        digest = blake2b(np.ascontiguousarray(view).tobytes(), digest_size=8)
        digest.update(np.float64(duration).tobytes())
        numbers[row] = np.frombuffer(digest.digest(), dtype="<i8")[0]
    numbers[np.abs(numbers) <= 1] += 2
    return numbers.astype(np.int64)


def copies_among(
    numbers: IntArray, views: FloatArray, durations: Scores, detector: DuplicateDetector
) -> IntArray:
    """The copies of each track among all: np.ndarray [shape=(n, COPIES)], int64.

    Signatures, and 0 in places without one. Each pair of copies is kept by one of the two. Time
    grows with the number of pairs whose durations agree.

    Args:
        numbers: np.ndarray [shape=(n,)], `signatures`.
        views: np.ndarray [shape=(n, v)], float32; may be mapped.
        durations: np.ndarray [shape=(n,)], seconds; what has none is no copy of anything.
        detector: by which tracks are copies.
    """
    kept = _Kept(numbers)
    if detector.threshold - _ROUNDING <= 1 and len(numbers):
        known = np.flatnonzero(np.isfinite(durations))
        order = known[np.argsort(durations[known], kind="stable")]
        for one, other in _near_pairs(order, views, durations, detector):
            _keep_copies(kept, one, other, views, durations, detector)
    return kept.copies


def copies_beside(
    added: tuple[IntArray, FloatArray, Scores],
    existing: tuple[IntArray, FloatArray, Scores],
    detector: DuplicateDetector,
) -> IntArray:
    """The copies of each of m tracks that are added: np.ndarray [shape=(m, COPIES)], int64.

    Among each other as in `copies_among`, and all those among the tracks that are there already.

    Args:
        added: signatures, views and durations of the new tracks.
        existing: those of the others; of their views only some rows are read.
        detector: by which tracks are copies.
    """
    numbers, views, durations = added
    old_numbers, old_views, old_durations = existing
    kept = _Kept(numbers)
    if detector.threshold - _ROUNDING > 1:
        return kept.copies
    for row in range(len(numbers)):
        one = Recording(views[row], float(durations[row]))
        agree = np.flatnonzero(detector.durations_agree(one.duration, old_durations))
        for start in range(0, len(agree), _BESIDE):
            part = agree[start : start + _BESIDE]
            found = part[detector.duplicates(one, old_views[part], old_durations[part])]
            for number in old_numbers[found].tolist():
                kept.add(row, number)
        found = np.flatnonzero(detector.duplicates(one, views[:row], durations[:row]))
        for earlier in found.tolist():
            kept.add_pair(earlier, row)
    return kept.copies


class _Kept:
    """What tracks keep of their copies, as pairs come in.

    Attributes:
        copies: np.ndarray [shape=(n, COPIES)], int64.
    """

    def __init__(self, numbers: IntArray) -> None:
        self.copies = np.zeros((len(numbers), COPIES), dtype=np.int64)
        self._numbers = numbers
        self._counts = np.zeros(len(numbers), dtype=np.int64)

    def is_open(self, one: IntArray, other: IntArray) -> BoolArray:
        """Which pairs can tell more than is known: those of tracks of which none has `MORE`."""
        last = self.copies[:, -1]
        found: BoolArray = (last[one] != MORE) & (last[other] != MORE)
        return found

    def add_pair(self, one: int, other: int) -> None:
        """One of the two keeps the other: that which has a place; the second, if both have."""
        holds_first = self._counts[other] >= COPIES > self._counts[one]
        if holds_first:
            self.add(one, int(self._numbers[other]))
        else:
            self.add(other, int(self._numbers[one]))

    def add(self, row: int, number: int) -> None:
        """Keep a copy, or that there are more."""
        count = int(self._counts[row])
        if count < COPIES:
            self.copies[row, count] = number
            self._counts[row] = count + 1
        else:
            self.copies[row, -1] = MORE


def _keep_copies(
    kept: _Kept,
    one: IntArray,
    other: IntArray,
    views: FloatArray,
    durations: Scores,
    detector: DuplicateDetector,
) -> None:
    """Compare pairs of rows and keep those that are copies."""
    while len(one):
        a, b = one[:_BESIDE], other[:_BESIDE]
        found = detector.duplicate_pairs(views[a], durations[a], views[b], durations[b])
        for first, second in zip(a[found].tolist(), b[found].tolist(), strict=True):
            kept.add_pair(first, second)
        one, other = one[_BESIDE:], other[_BESIDE:]
        is_open = kept.is_open(one, other)
        one, other = one[is_open], other[is_open]


def _near_pairs(
    order: IntArray, views: FloatArray, durations: Scores, detector: DuplicateDetector
) -> Iterator[_Pairs]:
    """Pairs of rows, by duration in `order`: all that are copies, and some that are nearly so."""
    seconds = durations[order]
    ends = np.searchsorted(seconds, seconds / (1 - detector.tolerance) * (1 + 1e-9), "right")
    least = np.float32(detector.threshold - _ROUNDING)
    leading = _leading(order, views)
    for start in range(0, len(order), _BLOCK):
        stop = min(start + _BLOCK, len(order))
        for begin in range(start, int(ends[stop - 1]), _BESIDE):
            end = min(begin + _BESIDE, int(ends[stop - 1]))
            near = leading[start:stop] @ leading[begin:end].T >= least
            # Flat, because numpy looks through one dimension several times as fast as through two.
            one, other = np.divmod(np.flatnonzero(near), end - begin)
            one, other = one + start, other + begin
            kept = (one < other) & (other < ends[one])
            yield order[one[kept]], order[other[kept]]


def _leading(order: IntArray, views: FloatArray) -> FloatArray:
    """Vectors whose inner products bound the cosines of views from above, in the same order.

    They hold the leading principal components of the views, as unit vectors, and the length of the
    rest: what the rests of two tracks add to their cosine is at most the product of their lengths.
    """
    sample = unit_rows(views[np.sort(order[:: max(1, len(order) // _SAMPLE)])])
    if sample.shape[1] <= _LEADING + 1:
        return unit_rows(views[order])
    _, vectors = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    axes = vectors[:, : -_LEADING - 1 : -1].astype(np.float32)
    leading = np.empty((len(order), _LEADING + 1), dtype=np.float32)
    for start in range(0, len(order), _BESIDE):
        units = unit_rows(views[order[start : start + _BESIDE]])
        part = leading[start : start + _BESIDE]
        part[:, :-1] = units @ axes
        rest = np.square(units).sum(axis=1) - np.square(part[:, :-1]).sum(axis=1)
        part[:, -1] = np.sqrt(np.maximum(rest, 0))
    return leading

"""Which tracks may be copies of one recording: found once, when they enter an index.

Comparing every two tracks of a list costs more than ranking it. So each track keeps up to four
*groups*: numbers of which two tracks share one if they are copies by `DuplicateDetector`. The
converse does not hold, as copies of copies need not be copies; who finds a shared group compares
the two. Values are never changed by tracks that come later: every track, by its number, is also a
group of its own, which a later copy of it joins.

Shapes: n tracks with views of v dimensions.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recommender.embedding.duplicates import DuplicateDetector
from recommender.utils.arrays import FloatArray, IntArray, Scores, unit_rows

GROUPS = 4
"""Groups of one track at most."""

ANY_GROUP = -1
"""In the last place of a track that is a copy of more tracks than it has places for: it may be a
copy of any."""

_ROUNDING = 1e-4
"""More than the error of a cosine in single precision."""

_LEADING = 31
"""Principal components by which most pairs are ruled out."""

_SAMPLE = 4096
_BLOCK, _BESIDE = 1024, 8192
"""Tracks that are compared at once, and with how many."""

_Pairs = tuple[IntArray, IntArray]


def duplicate_groups(
    track_ids: IntArray, views: FloatArray, durations: Scores, detector: DuplicateDetector
) -> IntArray:
    """The groups of all tracks: np.ndarray [shape=(n, GROUPS)], int64; 0 in places without one.

    Time grows with the number of pairs whose durations agree.

    Args:
        track_ids: np.ndarray [shape=(n,)], positive.
        views: np.ndarray [shape=(n, v)], float32, `DuplicateDetector.view`; may be mapped.
        durations: np.ndarray [shape=(n,)], seconds; what has none is no copy of anything.
        detector: whose pairs are to be found.
    """
    groups = np.zeros((len(track_ids), GROUPS), dtype=np.int64)
    if detector.threshold - _ROUNDING > 1 or not len(track_ids):
        return groups
    known = np.flatnonzero(np.isfinite(durations))
    order = known[np.argsort(durations[known], kind="stable")]
    first = np.arange(len(track_ids))  # of each connected component, its first row
    for one, other in _near_pairs(order, views, durations, detector):
        _connect(first, one, other)
    shared = np.bincount(first, minlength=len(first))[first] > 1
    groups[shared, 0] = track_ids[first[shared]]
    return groups


def _near_pairs(
    order: IntArray, views: FloatArray, durations: Scores, detector: DuplicateDetector
) -> Iterator[_Pairs]:
    """Pairs of rows, by duration in `order`, that are copies or nearly so."""
    seconds = durations[order]
    ends = np.searchsorted(seconds, seconds / (1 - detector.tolerance) * (1 + 1e-9), "right")
    least = detector.threshold - _ROUNDING
    leading = _leading(order, views)
    for start in range(0, len(order), _BLOCK):
        stop = min(start + _BLOCK, len(order))
        for begin in range(start, int(ends[stop - 1]), _BESIDE):
            end = min(begin + _BESIDE, int(ends[stop - 1]))
            one, other = np.nonzero(leading[start:stop] @ leading[begin:end].T >= least)
            one, other = one + start, other + begin
            kept = (one < other) & (other < ends[one])
            one, other = order[one[kept]], order[other[kept]]
            yield _of_all_components(one, other, views, least)


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


def _of_all_components(one: IntArray, other: IntArray, views: FloatArray, least: float) -> _Pairs:
    """Those of the pairs whose cosine, by all components, is at least `least`."""
    kept = np.zeros(len(one), dtype=np.bool_)
    for start in range(0, len(one), _BESIDE):
        part = slice(start, start + _BESIDE)
        a, b = unit_rows(views[one[part]]), unit_rows(views[other[part]])
        kept[part] = np.einsum("pv,pv->p", a, b) >= least
    return one[kept], other[kept]


def _connect(first: IntArray, one: IntArray, other: IntArray) -> None:
    """Join the components of pairs of rows; `first` names the first row of each row's component."""
    while True:
        a, b = first[one], first[other]
        apart = a != b
        if not apart.any():
            return
        one, other = one[apart], other[apart]
        np.minimum.at(first, np.maximum(a, b)[apart], np.minimum(a, b)[apart])
        while not np.array_equal(again := first[first], first):
            first[:] = again


def groups_beside(
    track_ids: IntArray,
    views: FloatArray,
    durations: Scores,
    existing: tuple[IntArray, "npt.ArrayLike", Scores, IntArray],
    detector: DuplicateDetector,
) -> IntArray:
    """The groups of m tracks that are added to others: np.ndarray [shape=(m, GROUPS)], int64.

    Args:
        track_ids, views, durations: of the new tracks, as in `duplicate_groups`.
        existing: the same of those that are there, and their groups; of views only rows are read.
        detector: whose pairs are to be found.
    """
    groups = np.zeros((len(track_ids), GROUPS), dtype=np.int64)
    if detector.threshold - _ROUNDING > 1:
        return groups
    old_ids, old_views, old_durations, old_groups = existing
    least = detector.threshold - _ROUNDING
    units = unit_rows(views)
    for row in range(len(track_ids)):
        keys: dict[int, None] = {}
        agreeing = np.flatnonzero(detector.durations_agree(float(durations[row]), old_durations))
        for start in range(0, len(agreeing), _BESIDE):
            part = agreeing[start : start + _BESIDE]
            near = part[unit_rows(old_views[part]) @ units[row] >= least]  # type: ignore[index]
            for copy in near.tolist():
                _join(keys, int(old_ids[copy]), old_groups[copy].tolist())
        agree = detector.durations_agree(float(durations[row]), durations[:row])
        agree &= units[:row] @ units[row] >= least
        for copy in np.flatnonzero(agree).tolist():
            _join(keys, int(track_ids[copy]), groups[copy].tolist())
        found = list(keys)
        groups[row, : len(found)] = (
            found if len(found) <= GROUPS else [*found[: GROUPS - 1], ANY_GROUP]
        )
    return groups


def _join(keys: dict[int, None], track_id: int, groups: list[int]) -> None:
    """Add to `keys` one that the track has, unless there is one already."""
    own = [group for group in groups if group > 0]
    if not any(key in keys for key in (*own, track_id)):
        keys.setdefault((own or [track_id])[0])

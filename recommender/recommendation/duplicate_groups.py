"""Groups of tracks that are copies of one recording, with the evidence for each pair.

Which tracks are copies was found when they entered the index (`embedding.stored_copies`); a group
is whatever is linked by copies.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.embedding.duplicates import DuplicateDetector, pair_cosines
from recommender.embedding.stored_copies import MORE
from recommender.errors import UsageError
from recommender.recommendation.mix_result import DuplicateEvidence, DuplicateGroup
from recommender.recommendation.snapshot import Snapshot
from recommender.search.index import TrackIndex
from recommender.utils.arrays import IntArray, unit_rows

_Pair = tuple[int, int]

_BLOCK, _RANGE = 256, 8_192
"""Tracks that are compared at once, and with how many."""

_ROUGHLY = 1e-4
"""More than single precision errs by in a cosine or a length."""


def duplicate_groups(
    catalog: Catalog, snapshot: Snapshot, detector: DuplicateDetector, minimum: float | None
) -> list[DuplicateGroup]:
    """See `SimilarityService.duplicates`."""
    if minimum is not None and not detector.threshold <= minimum <= 1:
        raise UsageError(
            f"copies have a similarity from {detector.threshold:.4f} (of this model) to 1; the "
            f"minimum is {minimum:g}."
        )
    evidence = {
        pair: similarity
        for pair, similarity in _similarities(snapshot, _pairs(snapshot, detector)).items()
        if minimum is None or similarity >= minimum
    }
    ids = snapshot.index.ids
    tracks = catalog.present({int(ids[row]) for pair in evidence for row in pair})
    found = []
    for pairs in _linked(evidence):
        there = [pair for pair in pairs if all(int(ids[row]) in tracks for row in pair)]
        own = {row: tracks[int(ids[row])] for pair in there for row in pair}
        if own:
            texts = [_evidence(own[a], own[b], evidence[a, b]) for a, b in there]
            found.append(DuplicateGroup(sorted(own.values(), key=_location), texts))
    return sorted(found, key=lambda group: _location(group.tracks[0]))


def _location(track: Track) -> tuple[str, str, int]:
    return str(track.library.root), track.path, track.segment


def _pairs(snapshot: Snapshot, detector: DuplicateDetector) -> set[_Pair]:
    """Rows of copies, the smaller first."""
    index = snapshot.index
    signatures, copies = index.columns["signature"].whole(), index.columns["copies"].whole()
    order = np.argsort(signatures, kind="stable")
    ascending = signatures[order]
    same = np.flatnonzero(ascending[1:] == ascending[:-1])
    found = [(order[same], order[same + 1])]
    has_more = copies[:, -1] == MORE
    rows, places = np.nonzero((copies != 0) & ~has_more[:, None])
    wanted = copies[rows, places]
    begins = np.searchsorted(ascending, wanted, "left")
    counts = np.searchsorted(ascending, wanted, "right") - begins
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    found.append((np.repeat(rows, counts), order[np.repeat(begins, counts) + within]))
    found += _compared(index, np.flatnonzero(has_more & (copies[:, 0] != 0)), detector)
    ones = np.concatenate([one for one, _ in found])
    others = np.concatenate([other for _, other in found])
    pairs = np.stack([np.minimum(ones, others), np.maximum(ones, others)], axis=1)
    return {(one, other) for one, other in pairs.tolist() if one != other}


def _compared(
    index: TrackIndex, rows: IntArray, detector: DuplicateDetector
) -> Iterator[tuple[IntArray, IntArray]]:
    """Pairs of `rows` with all copies of each, where a track has more than it keeps.

    In the order of their lengths, so that a block of rows is compared with one range of tracks:
    roughly by one product of matrices, and exactly where that comes near to the threshold.
    """
    views, durations = index.columns["view"], index.columns["duration"].whole()
    order = np.argsort(durations, kind="stable")
    ascending = durations[order]
    rows = rows[np.argsort(durations[rows], kind="stable")]
    least = 1 - detector.tolerance
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        units = unit_rows(views[block])
        shortest, longest = durations[block[0]] * least, durations[block[-1]] / least
        begin = np.searchsorted(ascending, shortest * (1 - _ROUGHLY), "left")
        end = np.searchsorted(ascending, longest * (1 + _ROUGHLY), "right")
        for part in range(int(begin), int(end), _RANGE):
            others = order[part : min(part + _RANGE, int(end))]
            near = units @ unit_rows(views[others]).T >= detector.threshold - _ROUGHLY
            at, to = np.nonzero(near)
            ones, twos = block[at], others[to]
            exact = detector.duplicate_pairs(
                views[ones], durations[ones], views[twos], durations[twos]
            )
            yield ones[exact], twos[exact]


def _similarities(snapshot: Snapshot, pairs: set[_Pair]) -> dict[_Pair, float]:
    views, each = snapshot.index.columns["view"], sorted(pairs)
    found: dict[_Pair, float] = {}
    for start in range(0, len(each), _RANGE):
        part = each[start : start + _RANGE]
        rows = np.array(part, dtype=np.int64)
        cosines = pair_cosines(views[rows[:, 0]], views[rows[:, 1]])
        found.update(zip(part, cosines.tolist(), strict=True))
    return found


def _linked(pairs: Iterable[_Pair]) -> list[list[_Pair]]:
    """The pairs of each group of rows that pairs link."""
    leader: dict[int, int] = {}

    def leader_of(row: int) -> int:
        while (further := leader.setdefault(row, row)) != row:
            leader[row] = leader[further]
            row = further
        return row

    every = list(pairs)
    for one, other in every:
        leader[leader_of(other)] = leader_of(one)
    groups: dict[int, list[_Pair]] = defaultdict(list)
    for pair in every:
        groups[leader_of(pair[0])].append(pair)
    return list(groups.values())


def _evidence(one: Track, other: Track, similarity: float) -> DuplicateEvidence:
    return DuplicateEvidence(
        one.id,
        other.id,
        one.content_hash == other.content_hash,
        min(1.0, similarity),
        abs(one.duration - other.duration),
    )

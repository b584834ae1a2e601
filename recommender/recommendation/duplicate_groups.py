"""Groups of tracks that are copies of one recording, with the evidence for each pair.

Which tracks are copies was found when they entered the index (`embedding.stored_copies`); a group
is whatever is linked by copies.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.embedding.duplicates import DuplicateDetector, cosine
from recommender.embedding.stored_copies import MORE
from recommender.errors import UsageError
from recommender.recommendation.copies import copies_of
from recommender.recommendation.mix_result import DuplicateEvidence, DuplicateGroup
from recommender.recommendation.snapshot import Snapshot

_Pair = tuple[int, int]


def duplicate_groups(
    catalog: Catalog, snapshot: Snapshot, detector: DuplicateDetector, minimum: float | None
) -> list[DuplicateGroup]:
    """See `SimilarityService.duplicates`."""
    if minimum is not None and not detector.threshold <= minimum <= 1:
        raise UsageError(
            f"copies have a similarity from {detector.threshold:.4f} (of this model) to 1; the "
            f"minimum is {minimum:g}."
        )
    similarities = {pair: _similar(snapshot, pair) for pair in set(_pairs(snapshot, detector))}
    evidence = {
        pair: similarities[pair]
        for pair in sorted(similarities)
        if minimum is None or similarities[pair] >= minimum
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


def _pairs(snapshot: Snapshot, detector: DuplicateDetector) -> Iterator[_Pair]:
    """Rows of copies, the smaller first."""
    index = snapshot.index
    signatures, copies = index.columns["signature"].whole(), index.columns["copies"].whole()
    knowing = np.flatnonzero(copies[:, 0])
    order = np.argsort(signatures, kind="stable")
    ascending = signatures[order]
    same = np.flatnonzero(ascending[1:] == ascending[:-1])
    for one, other in zip(order[same].tolist(), order[same + 1].tolist(), strict=True):
        yield min(one, other), max(one, other)
    for row in knowing.tolist():
        own = copies[row]
        if own[-1] == MORE:
            every = np.arange(len(index))
            found = every[copies_of(snapshot.recording(row), index, every, detector)]
        else:
            begins = np.searchsorted(ascending, own[own != 0], "left")
            ends = np.searchsorted(ascending, own[own != 0], "right")
            spans = [order[a:b] for a, b in zip(begins.tolist(), ends.tolist(), strict=True)]
            found = np.concatenate(spans) if spans else np.empty(0, dtype=np.int64)
        for other in found.tolist():
            if other != row:
                yield min(row, other), max(row, other)


def _similar(snapshot: Snapshot, pair: _Pair) -> float:
    one, other = (snapshot.recording(row) for row in pair)
    return cosine(one.view, other.view)


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

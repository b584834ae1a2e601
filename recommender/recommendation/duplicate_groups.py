"""Groups of tracks that are copies of one recording, with the evidence for each pair.

Which tracks are copies was found when they entered the index (`embedding.stored_copies`); a group
is whatever is linked by copies.
"""

from collections import defaultdict
from collections.abc import Iterator

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
    groups = _linked(evidence)
    ids = snapshot.index.ids
    rows = [row for group in groups for row in group]
    tracks = catalog.present({int(ids[row]) for row in rows})
    found = []
    for group in groups:
        own = {row: tracks[int(ids[row])] for row in group if int(ids[row]) in tracks}
        pairs = [pair for pair in evidence if pair[0] in own and pair[1] in own]
        if len(own) > 1:
            texts = [_evidence(own[a], own[b], evidence[a, b]) for a, b in pairs]
            ordered = sorted(own.values(), key=_location)
            found.append(DuplicateGroup(ordered, texts))
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


def _linked(pairs: dict[_Pair, float]) -> list[list[int]]:
    """Rows that pairs link, group by group."""
    beside: dict[int, list[int]] = defaultdict(list)
    for one, other in pairs:
        beside[one].append(other)
        beside[other].append(one)
    groups, seen = [], set()
    for start in sorted(beside):
        if start in seen:
            continue
        group, waiting = [], [start]
        seen.add(start)
        while waiting:
            row = waiting.pop()
            group.append(row)
            new = [other for other in beside[row] if other not in seen]
            seen.update(new)
            waiting += new
        groups.append(sorted(group))
    return groups


def _evidence(one: Track, other: Track, similarity: float) -> DuplicateEvidence:
    return DuplicateEvidence(
        one.id,
        other.id,
        one.content_hash == other.content_hash,
        min(1.0, similarity),
        abs(one.duration - other.duration),
    )

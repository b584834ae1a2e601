"""Names of clusters: their predicted genres, and what sets their sound apart from the library's."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from recommender.musical_descriptors.words import WORDS, DescriptorThirds
from recommender.utils.arrays import FloatArray, IntArray

CLEAR = 0.5
"""Share of a cluster's tracks from which on one predicted genre names it."""

TYPICAL = 0.6
"""Share of a cluster's tracks that are in the lowest or the highest third of the library by a
descriptor, a third being chance, from which on that is said."""

_MOST_WORDS = 2


def cluster_names(
    genres: Sequence[Sequence[str]], words: Sequence[Sequence[str]] | None = None
) -> tuple[str, ...]:
    """A name for each cluster, all different.

    Args:
        genres: the predicted genres of the tracks of each.
        words: what is said of the sound of each (`typical_words`).
    """
    names = [_by_genre(Counter(own)) for own in genres]
    if words is not None:
        names = [
            f"{name}, {' and '.join(own)}" if own else name
            for name, own in zip(names, words, strict=True)
        ]
    number: Counter[str] = Counter()
    several = {name for name, count in Counter(names).items() if count > 1}
    found = []
    for name in names:
        number[name] += 1
        found.append(f"{name} {number[name]}" if name in several else name)
    return tuple(found)


def typical_words(columns: FloatArray, labels: IntArray) -> list[tuple[str, ...]]:
    """At most two words for the sound of each cluster; none where nothing sets it apart.

    Args:
        columns: np.ndarray [shape=(n, len(WORDS))], musical descriptors of all tracks in the order
            of `WORDS`; NaN for none.
        labels: np.ndarray [shape=(n,)], the cluster of each track; below 0 for none.
    """
    thirds = DescriptorThirds.of(columns)
    count = int(labels.max()) + 1 if len(labels) else 0
    found: list[list[tuple[float, str]]] = [[] for _ in range(count)]
    for name, values in zip(WORDS, columns.T, strict=True):
        if name not in thirds.bounds:
            continue
        low, high = thirds.bounds[name]
        for number in range(count):
            own = values[labels == number]
            known = own[~np.isnan(own)]
            if len(known) * 2 < len(own) or not len(known):
                continue  # of less than half of the tracks it is not known
            shares = float((known <= low).mean()), float((known >= high).mean())
            share = max(shares)
            if share >= TYPICAL:
                found[number].append((share, WORDS[name][shares[1] >= shares[0]]))
    return [
        tuple(word for _, word in sorted(own, key=lambda one: -one[0])[:_MOST_WORDS])
        for own in found
    ]


def _by_genre(counts: Counter[str]) -> str:
    if not counts:
        return "unnamed"
    ordered = sorted(counts, key=lambda genre: (-counts[genre], genre))
    if counts[ordered[0]] >= CLEAR * counts.total() or len(ordered) == 1:
        return ordered[0]
    return f"{ordered[0]} and {ordered[1]}"

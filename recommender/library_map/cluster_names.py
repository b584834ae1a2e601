"""Names of clusters: their predicted genres, and a number where that is not enough."""

from collections import Counter
from collections.abc import Sequence

CLEAR = 0.5
"""Share of a cluster's tracks from which on one predicted genre names it."""


def cluster_names(genres: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """A name for each cluster, all different.

    Args:
        genres: the predicted genres of the tracks of each.
    """
    names = [_by_genre(Counter(own)) for own in genres]
    number: Counter[str] = Counter()
    several = {name for name, count in Counter(names).items() if count > 1}
    found = []
    for name in names:
        number[name] += 1
        found.append(f"{name} {number[name]}" if name in several else name)
    return tuple(found)


def _by_genre(counts: Counter[str]) -> str:
    if not counts:
        return "unnamed"
    ordered = sorted(counts, key=lambda genre: (-counts[genre], genre))
    if counts[ordered[0]] >= CLEAR * counts.total() or len(ordered) == 1:
        return ordered[0]
    return f"{ordered[0]} and {ordered[1]}"

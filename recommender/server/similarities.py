"""Similarities as players want them: from 0 to 1, and falling along a list."""

from collections.abc import Sequence


def falling(similarities: Sequence[float]) -> list[float]:
    """The falling values in 0..1 that are nearest to the similarities of a ranked list.

    Lists are ordered by more than the cosine, and some players sort what they get by similarity:
    values that rise along the list become the mean of those around them (isotonic regression by
    pooling adjacent violators).
    """
    pools: list[tuple[float, int]] = []
    for value in similarities:
        mean, count = min(max(value, 0.0), 1.0), 1
        while pools and pools[-1][0] < mean:
            above, number = pools.pop()
            mean = (above * number + mean * count) / (number + count)
            count += number
        pools.append((mean, count))
    return [mean for mean, count in pools for _ in range(count)]

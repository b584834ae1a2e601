"""The shortest order of a few hundred things: an open tour through all of them. numpy only.

A tour that begins anew at each of several places, always to the nearest that is left, is improved
until no reversal of a part (2-opt: Croes, "A method for solving traveling-salesman problems", 1958)
and no move of up to three in a row (Or-opt: Or, PhD thesis, Northwestern University, 1976) shortens
it. That is a local optimum, some per cent above the shortest.

A node that is as near to everything closes the tour: between its two neighbours the order begins
and ends. Shapes: n things, m = n + 1 nodes.
"""

import numpy as np

from recommender.utils.arrays import IntArray, Scores

STARTS = 32
"""Places that tours begin at, at most."""

IMPROVED = 3
"""Of these tours, how many are improved: the shortest."""

_LONGEST_MOVE = 3
_LEAST_GAIN = 1e-9
_CELLS = 4 * 10**8
"""Values that are computed for improvements, at most: more than a thousand things are not moved to
the last optimum."""


def open_tour(distances: Scores, first: int | None = None) -> IntArray:
    """An order of n things that is short: np.ndarray [shape=(n,)], int64.

    Args:
        distances: np.ndarray [shape=(n, n)], symmetric, not negative.
        first: what comes first; None for whichever suits.
    """
    count = len(distances)
    if count < 3:
        order = np.arange(count)
        return order if first is None else np.concatenate([[first], np.delete(order, first)])
    closed = np.zeros((count + 1, count + 1))
    closed[:count, :count] = distances
    if first is not None:  # so near that nothing comes between
        closed[count, first] = closed[first, count] = -(distances.sum() + 1)
    starts = np.unique(np.linspace(0, count - 1, min(count, STARTS)).astype(np.int64))
    tours = _greedy_tours(distances, starts if first is None else np.array([first]))
    nodes = np.column_stack([np.full(len(tours), count), tours])
    lengths = np.array([_length(closed, tour) for tour in nodes])
    shortest = np.argsort(lengths, kind="stable")[:IMPROVED]
    improved = [_improved(closed, nodes[at]) for at in shortest]
    best = min(improved, key=lambda tour: _length(closed, tour))
    order = np.roll(best, -int(np.flatnonzero(best == count)[0]))[1:]
    if first is not None and order[0] != first:
        order = order[::-1]
    return np.ascontiguousarray(order)


def _length(distances: Scores, tour: IntArray) -> float:
    return float(distances[tour, np.roll(tour, -1)].sum())


def _greedy_tours(distances: Scores, starts: IntArray) -> IntArray:
    """From each start always to the nearest that is left: [s, n]."""
    count, every = len(distances), np.arange(len(starts))
    left = np.zeros((len(starts), count))
    tours = np.empty((len(starts), count), dtype=np.int64)
    tours[:, 0] = starts
    for step in range(1, count):
        left[every, tours[:, step - 1]] = np.inf
        tours[:, step] = (distances[tours[:, step - 1]] + left).argmin(axis=1)
    return tours


def _improved(distances: Scores, tour: IntArray) -> IntArray:
    """A tour that neither 2-opt nor Or-opt shortens, the best improvement first."""
    budget = max(1, _CELLS // len(tour) ** 2)
    for _ in range(budget):
        along = distances[np.ix_(tour, tour)]
        changed = _reversed(along, tour)
        if changed is None:
            changed = _moved(along, tour)
        if changed is None:
            return tour
        tour = changed
    return tour


def _reversed(along: Scores, tour: IntArray) -> IntArray | None:
    """The best 2-opt move; `along` [m, m] are distances by place in the tour."""
    steps = np.roll(along, -1, axis=1).diagonal()  # from each place to the next
    gains = steps[:, None] + steps - along - np.roll(along, (-1, -1), axis=(0, 1))
    np.fill_diagonal(gains, -np.inf)
    one, other = sorted(divmod(int(gains.argmax()), len(tour)))
    if gains[one, other] <= _LEAST_GAIN:
        return None
    changed = tour.copy()
    changed[one + 1 : other + 1] = tour[one + 1 : other + 1][::-1]
    return changed


def _moved(along: Scores, tour: IntArray) -> IntArray | None:
    """The best Or-opt move: up to three in a row to another place, either way round."""
    count = len(tour)
    steps = np.roll(along, -1, axis=1).diagonal()
    best: tuple[float, int, int, int, bool] = (_LEAST_GAIN, 0, 0, 0, False)
    places = np.arange(count)
    for length in range(1, min(_LONGEST_MOVE, count - 3) + 1):
        ends = (places + length - 1) % count
        before, after = (places - 1) % count, (ends + 1) % count
        freed = steps[before] + steps[ends] - along[before, after]
        # From place i, `length` in a row, to between j and the next of j.
        nexts = (places + 1) % count
        straight = along[:, places].T + along[ends][:, nexts] - steps
        turned = along[ends] + along[places][:, nexts] - steps
        inside = (places[None, :] - before[:, None]) % count <= length
        for is_turned, added in ((False, straight), (True, turned)):
            gains = np.where(inside, -np.inf, freed[:, None] - added)
            at = int(gains.argmax())
            if gains.flat[at] > best[0]:
                best = (float(gains.flat[at]), at // count, at % count, length, is_turned)
    gain, start, behind, length, is_turned = best
    if gain <= _LEAST_GAIN:
        return None
    turned_round = np.roll(tour, -start)  # the moved part comes first
    part, rest = turned_round[:length], turned_round[length:]
    at = (behind - start) % count - length + 1
    return np.concatenate([rest[:at], part[::-1] if is_turned else part, rest[at:]])

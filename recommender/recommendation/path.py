"""From one track to another in a given number of steps, the largest of which is as small as can be.

Candidates are the tracks near the arc between both ends, at most so many of an artist as the path
may have. They are put in order by how far along the arc they are, and a path only goes forward:
so no track comes twice, and every path of so many steps can be compared, in a time that grows with
the number of steps (dynamic programming for the bottleneck path: Pollack, "The maximum capacity
through a network", 1960). Among the paths whose largest step is the smallest, that with the
smallest mean step is taken.

Shapes: m candidates, d dimensions, in the axes of the index.
"""

from dataclasses import dataclass

import numpy as np

from recommender.recommendation.composition import Composed, Task, draws
from recommender.recommendation.mix_seeds import unit_of
from recommender.recommendation.selection import Selection
from recommender.utils.arrays import FloatArray, IntArray, Scores, unit_rows

POINTS = 9
"""Points on the arc whose nearest tracks are candidates, the ends among them."""

NEAREST, NEAREST_PER_STEP, GROWTH = 120, 2, 4
"""Candidates of each point: at least, for each step, and by how much more each time they do not
suffice."""

THINNED = 0.7
"""Share of the candidates that variety 1 leaves out at random."""

_APART = -2.0
"""A similarity below every cosine, of what is not followed by each other."""


@dataclass(frozen=True, eq=False)
class _Corridor:
    """The candidates of a path.

    Attributes:
        rows: np.ndarray [shape=(m,)], int64: of the index, in the order of the arc.
        left_out: by the rules of `LIST_RULES`.
        whole: whether these are all there are.
    """

    rows: IntArray
    left_out: dict[str, int]
    whole: bool


def compose_path(task: Task) -> Composed:
    """The list of a request of the kind ``path``, without its two ends."""
    ends = np.stack([unit_of(seed, task.space) for seed in task.seeds.like])
    between = (task.request.tracks or 2) - 2
    corridor = _corridor(task, ends, between)
    notes = []
    if len(corridor.rows) < between:
        notes.append(
            f"the path has {len(corridor.rows) + 1} steps instead of {between + 1}: the rules "
            "allow no other tracks."
        )
        between = len(corridor.rows)
    units = np.concatenate([ends[:1], task.space.units(corridor.rows), ends[1:]])
    similarities = units @ units.T
    path = smoothest_path(similarities, between + 2)
    rows = corridor.rows[path[1:-1] - 1]
    steps = similarities[path[:-1], path[1:]].tolist()
    return Composed(rows.tolist(), [1.0, *steps], corridor.left_out, notes)


def smoothest_path(similarities: FloatArray, length: int) -> IntArray:
    """The path from the first to the last of m nodes whose least similarity is greatest.

    It goes forward only. Of several the one with the greatest sum of similarities.

    Args:
        similarities: np.ndarray [shape=(m, m)], symmetric, from -1 to 1.
        length: nodes of the path, from 2 to m.

    Returns:
        np.ndarray [shape=(length,)], int64, ascending; from 0 to m - 1.
    """
    count = len(similarities)
    into = np.where(np.tri(count, k=-1, dtype=np.bool_), similarities, np.float32(_APART))
    into = into.astype(np.float32)  # [to, from]
    reach = into[:, 0].copy()  # the least similarity on the best path to each node
    for _ in range(length - 2):
        reach = np.minimum(into, reach).max(axis=1)
    into[into < reach[-1]] = -np.inf
    total = into[:, 0].copy()
    came_from = []
    for _ in range(length - 2):
        sums = into + total
        came_from.append(sums.argmax(axis=1))
        total = np.take_along_axis(sums, came_from[-1][:, None], axis=1)[:, 0]
    path = [count - 1]
    for previous in reversed(came_from):
        path.append(int(previous[path[-1]]))
    return np.array([0, *path[::-1]])


def _corridor(task: Task, ends: FloatArray, between: int) -> _Corridor:
    """Candidates near the arc between two unit vectors [2, d]; more where they are too few."""
    points = arc(ends, POINTS)
    variety = task.request.rules.variety
    fetch = round(max(NEAREST, NEAREST_PER_STEP * between) / (1 - THINNED * variety))
    while True:
        found = _near(task, points, fetch)
        if found.whole or len(found.rows) >= max(between, min(fetch, 2 * between)):
            units = task.space.units(found.rows)
            order = np.argsort(progress(units, ends), kind="stable")
            return _Corridor(found.rows[order], found.left_out, found.whole)
        fetch *= GROWTH


def _near(task: Task, points: FloatArray, fetch: int) -> _Corridor:
    """Candidates among the nearest `fetch` of each point, the nearest first."""
    allowed = task.candidates.allowed
    near = [task.space.nearest(point, fetch, allowed) for point in points]
    rows = np.unique(np.concatenate(near))
    whole = any(len(found) < fetch for found in near)
    drawn = draws(task.snapshot.index.ids[rows], task.request.rules.random_seed)
    thinned = rows[drawn >= THINNED * task.request.rules.variety]
    if not whole or len(thinned) >= (task.request.tracks or 2) - 2:
        rows = thinned
    closeness = (task.space.units(rows) @ points.T).max(axis=1, initial=-1.0)
    rows = rows[np.argsort(-closeness, kind="stable")]
    selection = task.selection()
    selection.count_artists([seed.row for seed in task.seeds.like if seed.row is not None])
    selection.add(rows)
    kept = [place for place in range(len(rows)) if _takes(selection, place)]
    return _Corridor(rows[kept], selection.left_out(), whole)


def _takes(selection: Selection, place: int) -> bool:
    if not selection.admits(place):
        return False
    selection.take(place)
    return True


def arc(ends: FloatArray, count: int) -> FloatArray:
    """Unit vectors at even angles from one of two unit vectors [2, d] to the other: [count, d]."""
    shares = np.linspace(0, 1, count)[:, None]
    one, other = ends.astype(np.float64)
    angle = float(np.arccos(np.clip(one @ other, -1, 1)))
    if angle < 1e-3 or np.pi - angle < 1e-3:  # one place, or no single way between opposites
        return unit_rows((one + shares * (other - one)).astype(np.float32))
    points = np.sin((1 - shares) * angle) * one + np.sin(shares * angle) * other
    return unit_rows(points.astype(np.float32))


def progress(units: FloatArray, ends: FloatArray) -> Scores:
    """How far along the arc each of unit vectors [m, d] is, as an angle from the first end: [m]."""
    one, other = ends.astype(np.float64)
    across = other - (one @ other) * one
    length = float(np.linalg.norm(across))
    across = across / length if length > 1e-6 else across
    found: Scores = np.arctan2(units @ across, units @ one)
    return found

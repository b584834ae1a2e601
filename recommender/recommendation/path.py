"""From one track to another in a given number of steps, the largest of which is as small as can be.

Candidates are the tracks near the arc between both ends, at most so many of an artist as the path
may have. They are put in order by how far along the arc they are, and a path only goes forward:
so no track comes twice, and every path of so many steps can be compared, in a time that grows with
the number of steps (dynamic programming for the bottleneck path: Pollack, "The maximum capacity
through a network", 1960). Among the paths whose largest step is the smallest, that with the
smallest mean step is taken.

Shapes: m candidates, d dimensions, in the axes of the index.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from recommender.recommendation.composition import Composed, Task, draws
from recommender.recommendation.mix_seeds import unit_of
from recommender.recommendation.selection import Gaps, Selection
from recommender.utils.arrays import FloatArray, IntArray, Scores, unit_rows
from recommender.utils.codes import NO_NAME

POINTS = 9
"""Points on the arc whose nearest tracks are candidates, the ends among them."""

NEAREST, NEAREST_PER_STEP, GROWTH = 120, 2, 4
"""Candidates of each point: at least, for each step, and by how much more each time they do not
suffice."""

MOST = 2_000
"""Candidates of a path, at most: those nearest to the arc. Their similarities with each other, 16
MB, are what takes most memory."""

SPARE = 3
"""Candidates of an artist for each entry that it may have."""

ROUNDS = 6
"""Paths that are looked for until none has too many entries of an artist; from then on an artist
has no spare candidates."""

THINNED = 0.7
"""Share of the candidates that variety 1 leaves out at random."""

_APART = -2.0
"""A similarity below every cosine, of what is not followed by each other."""


@dataclass(frozen=True, eq=False)
class _Corridor:
    """The candidates of a path.

    Attributes:
        rows: np.ndarray [shape=(m,)], int64: of the index, in the order of the arc.
        artists: of each.
        closeness: np.ndarray [shape=(m,)]: cosine with the nearest point of the arc.
        left_out: by the rules of `LIST_RULES`.
        whole: whether these are all there are.
    """

    rows: IntArray
    artists: list[list[int]]
    closeness: FloatArray
    left_out: dict[str, int]
    whole: bool

    def take(self, places: IntArray) -> "_Corridor":
        """Some of them, in this order."""
        return replace(
            self,
            rows=self.rows[places],
            artists=[self.artists[place] for place in places.tolist()],
            closeness=self.closeness[places],
        )


def compose_path(task: Task) -> Composed:
    """The list of a request of the kind ``path``, without its two ends."""
    ends = np.stack([unit_of(seed, task.space) for seed in task.seeds.like])
    between = (task.request.tracks or 2) - 2
    corridor = _corridor(task, ends, between)
    notes: list[str] = []
    places, similarities = _path(task, corridor, ends, between, notes)
    rows = corridor.rows[places]
    return Composed(rows.tolist(), similarities, corridor.left_out, notes)


def _path(
    task: Task, corridor: _Corridor, ends: FloatArray, between: int, notes: list[str]
) -> tuple[IntArray, list[float]]:
    """Places of the entries between the ends, and the similarity of each with the one before."""
    units = np.concatenate([ends[:1], task.space.units(corridor.rows), ends[1:]])
    similarities = units @ units.T
    room = _room_for(task)
    left = np.arange(len(corridor.rows))
    for attempt in range(ROUNDS + 1):
        if attempt == ROUNDS:
            left = _without_spare(corridor, left, room)
        nodes = np.concatenate([[0], left + 1, [len(units) - 1]])
        count = min(between, len(left))
        path = nodes[smoothest_path(similarities[np.ix_(nodes, nodes)], count + 2)]
        dropped = _superfluous(corridor, path[1:-1] - 1, left, room)
        if not len(dropped):
            break
        if len(left) - len(dropped) < between:
            left = _without_spare(corridor, left, room)
        else:
            left = np.setdiff1d(left, dropped)
    if count < between:
        notes.append(
            f"the path has {count + 1} steps instead of {between + 1}: the rules allow no other "
            "tracks."
        )
    steps = np.clip(similarities[path[:-1], path[1:]], -1, 1)
    return path[1:-1] - 1, [1.0, *steps.tolist()]


def _room_for(task: Task) -> Callable[[int], float]:
    """How many entries an artist may have between the ends."""
    most = task.request.per_artist or np.inf
    rows = [seed.row for seed in task.seeds.like if seed.row is not None]
    taken = Counter(code for own in task.snapshot.artists.at(np.array(rows)) for code in own)
    return lambda artist: np.inf if artist == NO_NAME else most - taken[artist]


def _superfluous(
    corridor: _Corridor, path: IntArray, left: IntArray, room: Callable[[int], float]
) -> IntArray:
    """Candidates of those artists that have too many entries, without the entries to be kept."""
    entries: dict[int, list[int]] = defaultdict(list)
    for place in path.tolist():
        for artist in corridor.artists[place]:
            entries[artist].append(place)
    kept: set[int] = set()
    over = set()
    for artist, places in entries.items():
        if len(places) > room(artist):
            over.add(artist)
            places.sort(key=lambda place: -corridor.closeness[place])
            kept.update(places[: int(room(artist))])
    found = [
        place
        for place in left.tolist()
        if place not in kept and not over.isdisjoint(corridor.artists[place])
    ]
    return np.array(found, dtype=np.int64)


def _without_spare(corridor: _Corridor, left: IntArray, room: Callable[[int], float]) -> IntArray:
    """The candidates that are nearest to the arc, of each artist as many as may be entries."""
    counts: Counter[int] = Counter()
    kept = []
    for place in left[np.argsort(-corridor.closeness[left], kind="stable")].tolist():
        own = corridor.artists[place]
        if all(counts[artist] < room(artist) for artist in own):
            counts.update(own)
            kept.append(place)
    return np.array(sorted(kept), dtype=np.int64)


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
    room = _room_for(task)
    while True:
        found = _near(task, points, fetch, between)
        enough = len(_without_spare(found, np.arange(len(found.rows)), room))
        if found.whole or enough >= between:
            found = _nearest_only(found, MOST, room)
            units = task.space.units(found.rows)
            return found.take(np.argsort(progress(units, ends), kind="stable"))
        fetch *= GROWTH


def _nearest_only(found: _Corridor, most: int, room: Callable[[int], float]) -> _Corridor:
    """At most so many candidates; those that suffice without any spare ones stay in any case."""
    if len(found.rows) <= most:
        return found
    needed = _without_spare(found, np.arange(len(found.rows)), room)[: most // 2]
    rest = np.setdiff1d(np.arange(len(found.rows)), needed)[: most - len(needed)]
    return found.take(np.sort(np.concatenate([needed, rest])))


def _near(task: Task, points: FloatArray, fetch: int, between: int) -> _Corridor:
    """Candidates among the nearest `fetch` of each point, the nearest first."""
    allowed = task.candidates.allowed
    near = [task.space.nearest(point, fetch, allowed) for point in points]
    rows = np.unique(np.concatenate(near))
    whole = any(len(found) < fetch for found in near)
    drawn = draws(task.snapshot.index.ids[rows], task.request.rules.random_seed)
    thinned = rows[drawn >= THINNED * task.request.rules.variety]
    if not whole or len(thinned) >= between:
        rows = thinned
    closeness = (task.space.units(rows) @ points.T).max(axis=1, initial=-1.0)
    order = np.argsort(-closeness, kind="stable")
    rows, closeness = rows[order], closeness[order]
    most = task.request.per_artist
    selection = Selection(task.snapshot, task.detector, Gaps(per_artist=most * SPARE))
    ends = [seed.row for seed in task.seeds.like if seed.row is not None]
    task.begin(selection)
    if most:
        selection.count_artists(ends, SPARE)
    selection.add(rows)
    kept = np.array([at for at in range(len(rows)) if _takes(selection, at)], dtype=np.int64)
    artists = task.snapshot.artists.at(rows)
    return _Corridor(rows, artists, closeness, selection.left_out(), whole).take(kept)


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

"""How good radios and paths over a catalogue are, beside simpler ways of making them.

    python tests/bench/mix_quality.py large.db [--radios 100] [--reach 1000] [--paths 50]

*Radio*: from drawn seeds, `--steps` tracks each. Cosine with the seed at steps 1, 10, 50 and 200,
and over all steps with the entry before (mean); distinct artists, albums, tagged and predicted
genres among the first 100 entries, and the share of the first 50 that have the seed's tagged genre;
share of the catalogue's tracks that `--reach` radios of 50
reach. Beside radios with other settings: the nearest tracks in their order (`similar` with at most
two of an artist), and a random walk, which goes on from each entry to one of its ten nearest.

*Path*: from one drawn track to another in `--path-steps` steps: the largest and the mean step (1 -
cosine), steps, artists that come twice. Beside: the nearest track to each of as many points on the
arc between the ends ("straight line"), and the shortest path in the graph of the ten nearest
neighbours of each track, by the sum of steps (Dijkstra) and by the largest one; its number of steps
is what it is.

*Order*: of drawn tracks, the mean and the largest step as they come, always the nearest next, and
in their smoothest order.
"""

import argparse
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from recommender import Filters, Length, MixRequest, Rules, SeedSet, SimilarityService
from recommender.recommendation import radio as radio_module
from recommender.recommendation.composition import Composition, Task
from recommender.recommendation.mix_seeds import read_seeds
from recommender.recommendation.path import arc
from recommender.recommendation.radio import Radio
from recommender.recommendation.tour import open_tour
from recommender.recommendation.track_rules import candidates
from recommender.search.score_space import ScoreSpace
from recommender.utils.codes import NO_NAME

AT = (1, 10, 50, 200)
TODAY = date(2026, 7, 1)
Rows = np.ndarray


class World:
    """A service over a catalogue, with its vectors."""

    def __init__(self, service: SimilarityService) -> None:
        self.service = service
        self.index = service.index()
        self.snapshot = service._snapshots.current()
        self.space = ScoreSpace(self.index)
        self.units = self.space.units(np.arange(len(self.index)))
        self.artists = self.index.columns["artists"].whole()[:, 0]

    def task(self, request: MixRequest) -> Task:
        seeds = read_seeds(self.service._seeds, request.seeds, self.snapshot)
        found = candidates(self.snapshot, request.rules, seeds.rows, None, TODAY)
        detector, calibration = self.service._detector, self.service.similarity_calibration
        return Task(request, seeds, self.snapshot, self.space, found, detector, calibration)

    def distinct(self, column: str, rows: Rows) -> int:
        values = self.index.columns[column][rows]
        return len(set(values.ravel().tolist()) - {NO_NAME})

    def same_genre(self, seeds: Sequence[int], lists: Sequence[Rows]) -> float:
        genres = self.index.columns["genre"].whole()
        own = [genres[made[:50]] == genres[row] for row, made in zip(seeds, lists, strict=True)]
        return float(np.mean([same.mean() for same in own]))


def radio(world: World, row: int, steps: int, **settings: float) -> Rows:
    """A radio with some settings; `first`: candidates at first."""
    first = int(settings.pop("first", radio_module.FIRST_CANDIDATES))
    variety = settings.pop("variety", 0.0)
    track = int(world.index.ids[row])
    rules = Rules(variety=variety, random_seed=row)
    request = MixRequest("radio", SeedSet([track]), rules, Length(steps))
    usual, radio_module.FIRST_CANDIDATES = radio_module.FIRST_CANDIDATES, first
    try:
        made = Radio(world.task(request), **settings)  # type: ignore[arg-type]
    finally:
        radio_module.FIRST_CANDIDATES = usual
    composition = Composition.of(request)
    while not composition.is_full and made.extend(composition) is None:
        pass
    return made.selection.rows[composition.places]


def neighbours(world: World, row: int, steps: int) -> Rows:
    found = world.service.similar(int(world.index.ids[row]), steps, Filters(per_artist=2))
    return world.index.rows(np.array([one.track.id for one in found]))


def random_walk(world: World, row: int, steps: int) -> Rows:
    random = np.random.default_rng(row)
    allowed = np.ones(len(world.index), dtype=np.bool_)
    allowed[row] = False
    walk, at = [], row
    for _ in range(steps):
        near = world.space.best(world.space.query_of_row(at), 10, allowed).rows
        at = int(random.choice(near))
        allowed[at] = False
        walk.append(at)
    return np.array(walk)


RADIOS: dict[str, Callable[[World, int, int], Rows]] = {
    "plain neighbours": neighbours,
    "random walk": random_walk,
    "radio": radio,
    "radio, variety 0.2": lambda w, r, s: radio(w, r, s, variety=0.2),
    "radio, variety 1": lambda w, r, s: radio(w, r, s, variety=1.0),
    "radio, drift 0": lambda w, r, s: radio(w, r, s, drift=0.0),
    "radio, drift 0.5": lambda w, r, s: radio(w, r, s, drift=0.5),
    "radio, drift 0.7": lambda w, r, s: radio(w, r, s, drift=0.7),
    "radio, drift 1": lambda w, r, s: radio(w, r, s, drift=1.0),
    "radio, drift 1, 4,096 candidates": lambda w, r, s: radio(w, r, s, drift=1.0, first=4096),
    "radio, drift 0.5, of the last entry": lambda w, r, s: radio(w, r, s, drift=0.5, recent=1),
}


def print_radios(world: World, rows: Sequence[int], steps: int, reach: int) -> None:
    at = [step for step in AT if step <= steps]
    random = np.random.default_rng(1)
    more = random.choice(len(world.index), min(reach, len(world.index)), replace=False).tolist()
    print(
        "| | "
        + " | ".join(f"step {step}" for step in at)
        + " | step by step | artists | albums | genres | predicted | seed's genre | reached by "
        f"{len(more)} of 50 |\n|---" + "|---:" * (len(at) + 7) + "|"
    )
    for name, make in RADIOS.items():
        lists = [make(world, row, steps) for row in rows]
        similar = [
            np.mean([world.units[row] @ world.units[one[step - 1]] for row, one in pairs])
            for step in at
            if (pairs := [(r, one) for r, one in zip(rows, lists, strict=True) if len(one) >= step])
        ]
        smooth = [
            float(np.einsum("nd,nd->n", world.units[one[:-1]], world.units[one[1:]]).mean())
            for one in lists
        ]
        columns = ("artists", "album", "genre", "predicted")
        counts = [np.mean([world.distinct(c, one[:100]) for one in lists]) for c in columns]
        reached = {int(row) for start in more for row in make(world, start, 50)} if reach else ()
        figures = [f"{value:.3f}" for value in (*similar, np.mean(smooth))]
        figures += [f"{value:.1f}" for value in counts]
        figures.append(f"{world.same_genre(rows, lists):.3f}")
        share = f"{100 * len(reached) / len(world.index):.1f} %" if reach else "–"
        print(f"| {name} | " + " | ".join([*figures, share]) + " |", flush=True)


@dataclass
class Paths:
    """What a way of making paths gives."""

    largest: list[float]
    mean: list[float]
    steps: list[int]
    repeated: list[int]

    def add(self, world: World, path: Rows) -> None:
        units = world.units[path]
        apart = 1 - np.einsum("nd,nd->n", units[1:], units[:-1])
        artists = [code for code in world.artists[path].tolist() if code != NO_NAME]
        self.largest.append(float(apart.max()))
        self.mean.append(float(apart.mean()))
        self.steps.append(len(apart))
        self.repeated.append(len(artists) - len(set(artists)))


def straight_line(world: World, one: int, other: int, steps: int) -> Rows:
    """The nearest track, not taken yet, to each of the points on the arc."""
    points = arc(world.units[[one, other]], steps + 1)[1:-1]
    allowed = np.ones(len(world.index), dtype=np.bool_)
    allowed[[one, other]] = False
    path = [one]
    for point in points:
        path.append(int(world.space.nearest(point, 1, allowed)[0]))
        allowed[path[-1]] = False
    return np.array([*path, other])


def graph_path(world: World, one: int, other: int, by_largest: bool) -> Rows | None:
    """The shortest path in the graph of neighbours, in either direction of its edges."""
    best, came, done = {one: 0.0}, {one: one}, set()
    heap = [(0.0, one)]
    while heap:
        cost, at = heapq.heappop(heap)
        if at == other:
            path = [other]
            while path[-1] != one:
                path.append(came[path[-1]])
            return np.array(path[::-1])
        if at in done:
            continue
        done.add(at)
        for to, step in world.neighbours(at):  # type: ignore[attr-defined]
            further = max(cost, step) if by_largest else cost + step
            if further < best.get(to, np.inf):
                best[to], came[to] = further, at
                heapq.heappush(heap, (further, to))
    return None


def with_graph(world: World) -> World:
    """The world with `neighbours`, which gives the edges of a track."""
    tracks = world.index.tracks
    ids = tracks.values_at("neighbours", tracks.slot_of.astype(np.int64))
    near = world.index.rows(ids.ravel()).reshape(ids.shape)
    edges: list[list[int]] = [[] for _ in range(len(near))]
    for row, own in enumerate(near.tolist()):
        for to in own:
            if to >= 0:
                edges[row].append(to)
                edges[to].append(row)

    def neighbours(row: int) -> Iterator[tuple[int, float]]:
        steps = 1 - world.units[edges[row]] @ world.units[row]
        return zip(edges[row], np.maximum(steps, 0).tolist(), strict=True)

    world.neighbours = neighbours  # type: ignore[attr-defined]
    return world


def path(world: World, one: int, other: int, steps: int, per_artist: int = 1) -> Rows:
    ids = [int(world.index.ids[row]) for row in (one, other)]
    rules = Rules(per_artist=per_artist)
    made = world.service.mix(MixRequest("path", SeedSet(ids), rules, steps=steps))
    return world.index.rows(np.array([entry.track.id for entry in made.entries]))


def print_paths(world: World, count: int, steps: int) -> None:
    random = np.random.default_rng(2)
    pairs = random.choice(len(world.index), (count, 2), replace=False).tolist()
    ways: dict[str, Callable[[int, int], Rows | None]] = {
        "path": lambda a, b: path(world, a, b, steps),
        "path, any number of an artist": lambda a, b: path(world, a, b, steps, 0),
        "straight line": lambda a, b: straight_line(world, a, b, steps),
        "neighbour graph, least sum": lambda a, b: graph_path(world, a, b, False),
        "neighbour graph, least largest step": lambda a, b: graph_path(world, a, b, True),
    }
    print("\n| | largest step | mean step | steps | artists again | of |\n|---" + "|---:" * 5 + "|")
    for name, make in ways.items():
        found = Paths([], [], [], [])
        for one, other in pairs:
            made = make(one, other)
            if made is not None:
                found.add(world, made)
        values = [np.mean(v) for v in (found.largest, found.mean, found.steps, found.repeated)]
        print(
            f"| {name} | {values[0]:.3f} | {values[1]:.3f} | {values[2]:.1f} | {values[3]:.1f} "
            f"| {len(found.steps)} |",
            flush=True,
        )


def print_orders(world: World, count: int, tracks: int) -> None:
    random = np.random.default_rng(3)
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(count):
        rows = random.choice(len(world.index), tracks, replace=False)
        apart = np.maximum(0.0, 1 - (world.units[rows] @ world.units[rows].T).astype(np.float64))
        orders = {
            "as they come": np.arange(tracks),
            "always the nearest next": nearest_next(apart),
            "smoothest": open_tour(apart),
        }
        for name, order in orders.items():
            steps = apart[order[:-1], order[1:]]
            found.setdefault(name, []).append((float(steps.mean()), float(steps.max())))
    print(f"\n| {tracks} tracks | mean step | largest step |\n|---|---:|---:|")
    for name, values in found.items():
        mean, largest = np.mean(values, axis=0)
        print(f"| {name} | {mean:.3f} | {largest:.3f} |")


def nearest_next(apart: np.ndarray) -> np.ndarray:
    order, left = [0], set(range(1, len(apart)))
    while left:
        order.append(min(left, key=lambda to: apart[order[-1], to]))
        left.remove(order[-1])
    return np.array(order)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("catalog", type=Path)
    parser.add_argument("--radios", type=int, default=100)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--reach", type=int, default=1000)
    parser.add_argument("--paths", type=int, default=50)
    parser.add_argument("--path-steps", type=int, default=12)
    parser.add_argument("--only", nargs="+", help="of radio, path, order")
    options = parser.parse_args()
    only = options.only or ("radio", "path", "order")
    with SimilarityService.open(str(options.catalog), "cpu") as service:
        world = World(service)
        rows = np.random.default_rng(0).choice(len(world.index), options.radios, replace=False)
        print(f"{len(world.index):,} tracks\n")
        if "radio" in only:
            print_radios(world, rows.tolist(), options.steps, options.reach)
        if "path" in only:
            print_paths(with_graph(world), options.paths, options.path_steps)
        if "order" in only:
            print_orders(world, 10, 100)


if __name__ == "__main__":
    main()

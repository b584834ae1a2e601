"""What lists cost: mixes, radios, paths, orders and the rest, against the size of the catalogue.

    for n in 1000 10000 40000 100000; do
        python tests/bench/synthetic_catalog.py small.db t$n.db --tracks $n
    done
    OMP_NUM_THREADS=1 python tests/bench/mix_speed.py t1000.db t10000.db t40000.db t100000.db

One process and thread; each list from other drawn seeds, after some to warm up. Milliseconds: wall
time at the median and the 95th percentile, processor time at the median. Beside them a floor: the
product of all unit vectors (float32) with one of them by numpy, which any search that reads every
vector has to do once.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from recommender import Length, MixRequest, Rules, SeedSet, SimilarityService

WARM_UP = 3

Make = Callable[[SimilarityService, list[int], int], object]


def request(kind: str, seeds: int, unlike: int = 0, **fields: object) -> Make:
    """Makes a list from drawn seeds."""
    variety = float(fields.pop("variety", 0.0))  # type: ignore[arg-type]

    def make(service: SimilarityService, ids: list[int], turn: int) -> object:
        own = [ids[(turn * (seeds + unlike) + at) % len(ids)] for at in range(seeds + unlike)]
        rules = Rules(variety=variety, random_seed=turn)
        chosen = SeedSet(tuple(own[:seeds]), tuple(own[seeds:]))
        return service.mix(MixRequest(kind, chosen, rules, **fields))  # type: ignore[arg-type]

    return make


LISTS: dict[str, Make] = {
    "25 similar tracks": lambda service, ids, turn: service.similar(ids[turn], 25),
    "mix of 25, 1 seed": request("mix", 1, length=Length(25)),
    "mix of 25, 3 seeds": request("mix", 3, length=Length(25)),
    "mix of 25, 3 seeds, unlike 1": request("mix", 3, 1, length=Length(25)),
    "mix of 25, 3 seeds, variety 0.5": request("mix", 3, length=Length(25), variety=0.5),
    "radio of 50": request("radio", 1, length=Length(50)),
    "radio of 50, 3 seeds, variety 0.5": request("radio", 3, length=Length(50), variety=0.5),
    "radio of 200": request("radio", 1, length=Length(200)),
    "path of 25": request("path", 2, length=Length(25)),
    "order of 100": request("order", 100),
    "10 to grow a list of 20": request("grow", 20, length=Length(10)),
    "10 similar albums": lambda service, ids, turn: service.similar_albums(ids[turn]),
    "10 similar artists": lambda service, ids, turn: service.similar_artists(
        service.catalog.track(ids[turn]).artist or ""
    ),
    "duplicates": lambda service, ids, turn: service.duplicates(),
}


def timed(make: Callable[[int], object], repeats: int, warm_up: int = WARM_UP) -> np.ndarray:
    """Wall and processor time in ms of each call: [repeats, 2]."""
    taken = []
    for turn in range(warm_up + repeats):
        wall, processor = time.perf_counter(), time.thread_time()
        make(turn)
        taken.append((time.perf_counter() - wall, time.thread_time() - processor))
    return 1000 * np.array(taken[warm_up:])


def measure(path: Path, repeats: int) -> None:
    with SimilarityService.open(str(path), "cpu") as service:
        index = service.index()
        count = min(len(index), 4 * repeats)
        ids = np.random.default_rng(0).choice(index.ids, count, replace=False).tolist()
        vectors = index.vectors
        floor = timed(lambda turn: vectors @ vectors[turn], repeats)
        rows = {"floor": floor}
        for name, make in LISTS.items():
            once = (1, 0) if name == "duplicates" else (repeats,)
            rows[name] = timed(lambda turn, make=make: make(service, ids, turn), *once)  # type: ignore[misc]
    print(f"\n{len(index):,} tracks\n\n| | p50, ms | p95, ms | processor, ms | floors |")
    print("|---|---:|---:|---:|---:|")
    for name, taken in rows.items():
        wall, processor = taken.T
        own = float(np.median(processor))
        print(
            f"| {name} | {np.median(wall):.2f} | {np.percentile(wall, 95):.2f} | {own:.2f} "
            f"| {own / np.median(floor[:, 1]):.1f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("catalogs", type=Path, nargs="+")
    parser.add_argument("--repeats", type=int, default=40)
    options = parser.parse_args()
    for path in options.catalogs:
        measure(path, options.repeats)


if __name__ == "__main__":
    main()

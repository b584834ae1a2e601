"""How long `similar(id, k)` takes over a catalogue, beside a floor: one matrix-vector product.

    python tests/bench/synthetic_catalog.py small.db large.db --tracks 20000
    OMP_NUM_THREADS=1 python tests/bench/query_speed.py large.db

Prints a row for each k: median and 99th percentile in milliseconds over `--queries` drawn tracks,
after ten queries to warm up. The floor is the product of the index's unit vectors (float32) with
one of them by numpy, which any search that reads every vector has to do.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from recommender import SimilarityService

WARM_UP = 10


def milliseconds(task: Callable[[int], object], inputs: Sequence[int]) -> np.ndarray:
    """Wall time of `task` for each of the inputs."""
    for one in inputs[:WARM_UP]:
        task(one)
    taken = []
    for one in inputs:
        started = time.perf_counter()
        task(one)
        taken.append(1000 * (time.perf_counter() - started))
    return np.array(taken)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("catalog", type=Path)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("-k", type=int, nargs="+", default=[10, 100])
    options = parser.parse_args()
    with SimilarityService.open(str(options.catalog), "cpu") as service:
        started = time.perf_counter()
        index = service.index()
        print(f"{len(index):,} tracks; index ready after {time.perf_counter() - started:.1f} s\n")
        ids = np.random.default_rng(0).choice(index.ids, options.queries).tolist()
        vectors = index.vectors
        rows = np.searchsorted(index.ids, ids).tolist()
        measured = {"floor": milliseconds(lambda row: vectors @ vectors[row], rows)}
        for k in options.k:
            measured[f"k = {k}"] = milliseconds(lambda id, k=k: service.similar(id, k), ids)
    print("| | p50, ms | p99, ms |\n|---|---|---|")
    for name, times in measured.items():
        print(f"| {name} | {np.percentile(times, 50):.1f} | {np.percentile(times, 99):.1f} |")


if __name__ == "__main__":
    main()

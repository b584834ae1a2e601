"""How long it takes to build, save and load an index, and to rank a list.

The vectors are random: as many dimensions as the model's projection has, of falling spread, in
groups of some thirty (artists) within groups of some hundreds (kinds of music).

    python tests/bench/index_speed.py [--tracks 20000 100000] [--device auto|cpu|cuda]

Columns: building, saving and loading in seconds; a list of 200, reranked, for one track and for one
vector from outside, and by plain cosine, in milliseconds, medians of 20.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from recommender.catalog.records import CatalogState
from recommender.embedding.model_files import find_model
from recommender.embedding.space import SpaceId
from recommender.search.index import FaissIndex
from recommender.utils.arrays import FloatArray, unit_rows

LIST = 200
QUERIES = 20
SPACE = SpaceId("drawn", "drawn", "drawn")


def drawn(tracks: int, dimensions: int) -> FloatArray:
    """Unit vectors, np.ndarray [shape=(tracks, dimensions)]."""
    generator = np.random.default_rng(0)
    spread = np.arange(1, dimensions + 1) ** -0.25

    def groups(members: int) -> np.ndarray:
        own = generator.normal(size=(tracks // members + 1, dimensions)) * spread
        return own[generator.integers(len(own), size=tracks)]

    vectors = groups(500) + groups(30) + generator.normal(size=(tracks, dimensions)) * spread
    return unit_rows(vectors.astype(np.float32))


def seconds(task: Callable[[], object]) -> float:
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def measured(tracks: int, device: str) -> list[float]:
    """One row of the table."""
    dimensions = find_model().projection().matrix.shape[1]
    vectors, ids = drawn(tracks + QUERIES, dimensions), np.arange(tracks, dtype=np.int64)
    queries, vectors = vectors[tracks:], vectors[:tracks]
    state = CatalogState("drawn", 0)
    built: list[FaissIndex] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        times = [
            seconds(lambda: built.append(FaissIndex.build(ids, vectors, SPACE, state, device))),
            seconds(lambda: built[0].save(path)),
            seconds(lambda: FaissIndex.load(path, device)),
        ]
    (index,) = built
    for ask in (
        lambda one: index.rank_tracks(ids[one : one + 1], LIST),
        lambda one: index.rank(queries[one : one + 1], LIST),
        lambda one: index.rank(queries[one : one + 1], LIST, "cosine"),
    ):
        taken = [seconds(lambda one=one, ask=ask: ask(one)) for one in range(QUERIES)]
        times.append(1000 * float(np.median(taken)))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tracks", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    args = parser.parse_args()
    print("| tracks | build, s | save, s | load, s | a track, ms | a vector, ms | by cosine, ms |")
    print("|" + 7 * "---|")
    for tracks in args.tracks:
        build, save, load, *lists = measured(tracks, args.device)
        print(
            f"| {tracks:,} | {build:.1f} | {save:.2f} | {load:.2f} | "
            + " | ".join(f"{one:.1f}" for one in lists)
            + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()

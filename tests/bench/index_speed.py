"""How long it takes to build and open an index, and to rank a list.

The vectors are random: as many dimensions as the model's projection has, of falling spread, in
groups of some thirty (artists) within groups of some hundreds (kinds of music).

    python tests/bench/index_speed.py [--tracks 20000 100000] [--device auto|cpu|cuda]

Columns: building with its file, and opening that, in seconds; the recall@10 that was measured and
stored; a list of 200, reranked, for one track and for one vector from outside, by plain cosine, and
reranked of the share of tracks that a mask leaves, in milliseconds, medians of 50.
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
from recommender.search.index import TrackIndex
from recommender.utils.arrays import FloatArray, unit_rows

LIST = 200
QUERIES = 50
SHARES = (0.5, 0.1, 0.01, 0.001, 0.0001)
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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        times = [
            seconds(lambda: TrackIndex.build(ids, vectors, SPACE, state, device, path=path)),
            seconds(lambda: TrackIndex.open(path, device)),
        ]
        index = TrackIndex.open(path, device)
        times.append(index.effort.recall)
        masks = [np.random.default_rng(1).uniform(size=tracks) < share for share in SHARES]
        asks = [
            lambda one: index.rank_tracks(ids[one : one + 1], LIST),
            lambda one: index.rank(queries[one : one + 1], LIST),
            lambda one: index.rank(queries[one : one + 1], LIST, "cosine"),
        ]
        for mask in masks:
            asks.append(
                lambda one, mask=mask: index.rank_tracks(ids[one : one + 1], LIST, allowed=mask)
            )
        for ask in asks:
            taken = [seconds(lambda one=one, ask=ask: ask(one)) for one in range(QUERIES)]
            times.append(1000 * float(np.median(taken)))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tracks", type=int, nargs="+", default=[4_000, 40_000, 100_000])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    args = parser.parse_args()
    shares = " | ".join(f"{share:.2%} allowed" for share in SHARES)
    print(
        f"| tracks | build, s | open, s | recall | a track, ms | a vector | by cosine | {shares} |"
    )
    print("|" + (7 + len(SHARES)) * "---|")
    for tracks in args.tracks:
        build, opened, recall, *lists = measured(tracks, args.device)
        print(
            f"| {tracks:,} | {build:.1f} | {opened:.3f} | {recall:.3f} | "
            + " | ".join(f"{one:.2f}" for one in lists)
            + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()

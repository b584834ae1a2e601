"""How long `similar(id, k)` takes over a catalogue: by stage, with filters, beside a floor.

    python tests/bench/synthetic_catalog.py small.db large.db --tracks 40000
    OMP_NUM_THREADS=1 python tests/bench/query_speed.py large.db [--cold]

Tables, all of one process and thread, over `--queries` drawn tracks after some to warm up:

- the whole call for each k, beside the ranking alone and the floor: the product of all unit vectors
  (float32) with one of them by numpy, which any search that reads every vector has to do. Wall time
  at the median and the 99th percentile, processor time at the median.
- the call by stage: mean processor time of what it calls, and of the rest, which makes the list.
- filters that 50 to .01 % of the tracks pass, as a ratio (of processor times) to none; recall@10 of the ranking behind
  it against exact scores of all tracks that pass.
- memory: private (RssAnon) beside mapped files (RssFile).

`--cold` drops the files from the page cache first and times the first queries instead.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from recommender import Filters, SimilarityService
from recommender.search.index import TrackIndex

WARM_UP = 20
SHARES = (0.5, 0.1, 0.01, 0.001, 0.0001)
RECALL_QUERIES = 100


def timed(task: Callable[[int], object], inputs: Sequence[int]) -> np.ndarray:
    """Wall and processor time of `task` in ms for each of the inputs: [q, 2]."""
    taken = []
    for one in inputs:
        wall, processor = time.perf_counter(), time.thread_time()
        task(one)
        taken.append((time.perf_counter() - wall, time.thread_time() - processor))
    return 1000 * np.array(taken)


def row(name: str, times: np.ndarray) -> str:
    wall, processor = times.T
    p50, p99 = np.percentile(wall, [50, 99])
    return f"| {name} | {p50:.2f} | {p99:.2f} | {np.median(processor):.2f} |"


@contextmanager
def stages(service: SimilarityService) -> Iterator[dict[str, float]]:
    """Processor time, in seconds, of what a call calls, while the body runs."""
    spent: dict[str, float] = {}
    parts: list[tuple[str, Any, str]] = [
        ("is the catalogue unchanged?", service._snapshots, "current"),
        ("the seed", service._seeds, "read"),
        ("ranking", TrackIndex, "rank_tracks"),
        ("reading the tracks", service.catalog, "present"),
    ]
    originals = [getattr(owner, name) for _, owner, name in parts]
    for (label, owner, name), original in zip(parts, originals, strict=True):

        def measured(
            *args: Any, label: str = label, original: Callable[..., Any] = original, **options: Any
        ) -> Any:
            started = time.thread_time()
            try:
                return original(*args, **options)
            finally:
                spent[label] = spent.get(label, 0.0) + time.thread_time() - started

        setattr(owner, name, measured)
    try:
        yield spent
    finally:
        for (_, owner, name), original in zip(parts, originals, strict=True):
            setattr(owner, name, original)


def memory() -> str:
    """Private and mapped memory of the process, in MB (Linux)."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    anonymous, mapped = (int(fields[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile"))
    return f"{anonymous:.0f} MB private, {mapped:.0f} MB mapped"


def drop_from_cache(folder: Path, stem: str) -> None:
    """Have the next reads of a catalogue and its index come from the disk."""
    for path in folder.glob(f"{stem}*"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def print_stages(service: SimilarityService, ids: Sequence[int], k: int) -> None:
    started = time.thread_time()
    with stages(service) as spent:
        for track_id in ids:
            service.similar(track_id, k)
    whole = time.thread_time() - started
    spent["the rest: filters, caps, copies"] = whole - sum(spent.values())
    shown = ", ".join(f"{label} {1e6 * s / len(ids):.0f}" for label, s in spent.items())
    print(f"k = {k}, µs: {shown}; together {1e6 * whole / len(ids):.0f}")


def recall(index: TrackIndex, ids: Sequence[int], allowed: np.ndarray, exact: Any) -> float:
    """Share of the ten best of the tracks that pass, by exact scores, that are found."""
    passing = np.flatnonzero(allowed)
    found = expected = 0
    for track_id in ids:
        at = index.row(track_id)
        if isinstance(exact, np.ndarray):
            scores = exact[passing] @ exact[at]
        else:
            scores = exact.database_vectors[passing] @ exact.query_vectors[at]
        best = set(passing[np.argsort(-scores)[:10]].tolist())
        ranked = index.rank_tracks(np.array([track_id]), 10, allowed=allowed).rows[0]
        if not isinstance(exact, np.ndarray) and allowed[exact.pinned_first[at]]:
            best = {int(exact.pinned_first[at]), *passing[np.argsort(-scores)[:9]].tolist()}
        found += len(best & set(ranked.tolist()))
        expected += len(best)
    return found / expected


def print_filters(service: SimilarityService, ids: Sequence[int]) -> None:
    index = service.index()
    durations = index.columns["duration"].whole()
    exact = index.comparable()
    plain = np.median(timed(lambda id: service.similar(id), ids), axis=0)
    print("\n| pass | p50, ms | processor, ms | ratio | results | recall@10 |\n" + "|---" * 6 + "|")
    for share in SHARES:
        filters = Filters(min_duration=float(np.quantile(durations, 1 - share)))
        service.similar(ids[0], filters=filters)  # the mask is made once
        taken = timed(lambda id, f=filters: service.similar(id, filters=f), ids)
        most = max(len(service.similar(id, filters=filters)) for id in ids[:20])
        mask = durations >= filters.min_duration
        found = recall(index, ids[:RECALL_QUERIES], mask, exact)
        p50, processor = np.median(taken, axis=0)
        ratio = processor / plain[1]
        print(
            f"| {100 * share:g} % | {p50:.2f} | {processor:.2f} | {ratio:.2f} | ≤ {most} "
            f"| {found:.3f} |"
        )


def print_cold(service: SimilarityService, ids: Sequence[int]) -> None:
    taken = timed(lambda id: service.similar(id), ids)
    print("| | p50, ms | p99, ms | processor, ms |\n|---|---|---|---|")
    print(row("k = 10, files not in memory at first", taken))
    print(row("the first 20 of them", taken[:20]))
    print(f"\n{memory()}")


def print_warm(service: SimilarityService, ids: Sequence[int], ks: Sequence[int]) -> None:
    index = service.index()
    for k in ks:
        timed(lambda id, k=k: service.similar(id, k), ids[:WARM_UP])
    print(f"{memory()}\n\n| | p50, ms | p99, ms | processor, ms |\n|---|---|---|---|")
    for k in ks:
        print(row(f"k = {k}", timed(lambda id, k=k: service.similar(id, k), ids)))
        ranking = timed(lambda id, k=k: index.rank_tracks(np.array([id]), max(32, 2 * k)), ids)
        print(row("– the ranking in it alone", ranking))
    print(f"\n{memory()} after {len(ids)} different lists\n")
    for k in ks:
        print_stages(service, ids, k)
    print_filters(service, ids)
    vectors = index.vectors
    rows = index.rows(np.array(ids)).tolist()
    floor = timed(lambda at: vectors @ vectors[at], rows)
    print("\n| | p50, ms | p99, ms | processor, ms |\n|---|---|---|---|\n" + row("floor", floor))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("catalog", type=Path)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("-k", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--cold", action="store_true")
    options = parser.parse_args()
    if options.cold:
        with SimilarityService.open(str(options.catalog), "cpu") as service:
            service.index()  # so that it need not be built
        drop_from_cache(options.catalog.parent, options.catalog.stem)
    with SimilarityService.open(str(options.catalog), "cpu") as service:
        started = time.perf_counter()
        index = service.index()
        taken = time.perf_counter() - started
        print(f"{len(index):,} tracks; index ready after {taken:.2f} s; {index.effort}\n")
        ids = np.random.default_rng(0).choice(index.ids, options.queries).tolist()
        if options.cold:
            print_cold(service, ids)
        else:
            print_warm(service, ids, options.k)


if __name__ == "__main__":
    main()

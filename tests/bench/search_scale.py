"""What a catalogue of a thousand to a million tracks costs: its index, a list, filters, memory.

    python tests/bench/search_scale.py small.db --sizes 1000 10000 40000 100000 250000 1000000

A synthetic catalogue of each size, without stored activations (`synthetic_catalog.py`), is written
into `--folder`, which keeps it for the next run, or into a temporary one. Tables:

- building the index: seconds on the clock and of a processor, without drawing the activations; the
  most private memory; recall@10 as the index measured it, and the cells that a query looks at.
- `similar(id, k=10)`, the whole call with artist cap and copies, one thread: ms at the median and
  the 99th percentile with the files in memory, then with every page of them dropped before each
  call; recall@10 of the ranking behind it against exact scores of all tracks; private memory after
  all these lists.
- filters that 50 to .01 % of the tracks pass: processor time as a ratio to no filter (in the same
  run), and recall@10 among those that pass.
"""

import argparse
import json
import mmap
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402 - after the number of threads is set
from query_speed import SHARES, WARM_UP, drop_from_cache, timed  # noqa: E402
from synthetic_catalog import open_synthetic, write_catalog  # noqa: E402

from recommender import Filters, SimilarityService  # noqa: E402
from recommender.catalog.projector import catalog_projector  # noqa: E402
from recommender.search.catalog_index import CatalogIndex  # noqa: E402
from recommender.search.index import TrackIndex  # noqa: E402
from recommender.search.read_ahead import LASTING  # noqa: E402
from recommender.utils.arrays import BoolArray, IntArray, row_parts, unit_rows  # noqa: E402

K, QUERIES, COLD, COMPARED, FILTERED = 10, 400, 40, 100, 100


def private_mb() -> float:
    """Memory of this process that no file backs (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon"))


@contextmanager
def most_private() -> Iterator[list[float]]:
    """A list with the most private memory in MB while the body runs, looked at every 20 ms."""
    most, stop = [private_mb()], threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            most[0] = max(most[0], private_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield most
    finally:
        stop.set()
        watcher.join()


def build(path: Path) -> dict[str, object]:
    """Build the index and save it."""
    catalog = open_synthetic(path)
    drawing = [0.0, 0.0]
    batches = catalog.activation_batches

    def timed_batches(*args: object) -> Iterator[object]:
        stream = batches(*args)  # type: ignore[arg-type]
        while True:
            started, used = time.perf_counter(), time.process_time()
            batch = next(stream, None)
            drawing[0] += time.perf_counter() - started
            drawing[1] += time.process_time() - used
            if batch is None:
                return
            yield batch

    catalog.activation_batches = timed_batches  # type: ignore[method-assign,assignment]
    index = CatalogIndex.of_active_space(catalog, "cpu")
    with most_private() as most:
        started, used = time.perf_counter(), time.process_time()
        effort = index.build().effort
        wall, processor = time.perf_counter() - started, time.process_time() - used
    found = index.path(catalog.state()).stat().st_size
    catalog.close()
    return {
        "wall": wall - drawing[0],
        "processor": processor - drawing[1],
        "most": most[0],
        "bytes": found,
        "recall": effort.recall,
        "probed": effort.probed,
    }


def service_of(path: Path) -> SimilarityService:
    catalog = open_synthetic(path)
    projector = catalog_projector(catalog)

    def no_analyser() -> object:
        raise SystemExit("no file is analysed here")

    return SimilarityService(
        catalog,
        projector,
        no_analyser,  # type: ignore[arg-type]
        "cpu",
        projector.duplicate_detector,
        projector.similarity_calibration,
    )


def exact(index: TrackIndex, ids: IntArray, allowed: BoolArray) -> list[set[int]]:
    """The ten best of the tracks that pass, of reranked lists: sets of rows."""
    base, rows = index.tracks.base, index.rows(ids)
    positions = base.position[rows].astype(np.int64)
    reranked = base.rows.reranked
    if reranked:
        moved = unit_rows(base.rows.database(positions)[:, :-1])
        queries = np.column_stack([moved, np.ones(len(moved), np.float32)])
    else:
        queries = base.rows.unit(positions)
    scores, places = [], []
    for part in row_parts(len(base), base.dimension):
        found = queries @ (base.rows.database(part) if reranked else base.rows.unit(part)).T
        found[:, ~allowed[base.row[part]]] = -np.inf
        best = np.argpartition(found, -min(K, found.shape[1]), axis=1)[:, -K:]
        scores.append(np.take_along_axis(found, best, axis=1))
        places.append(best + part.start)
    score, place = np.concatenate(scores, axis=1), np.concatenate(places, axis=1)
    lists = []
    for at, (values, names) in enumerate(zip(score, place, strict=True)):
        order = np.argsort(-values)
        order = order[np.isfinite(values[order])]
        best = base.row[names[order]].tolist()
        if reranked:
            pinned = index.row(int(base.rows.neighbours[positions[at], 0]))
            if pinned is not None and allowed[pinned]:
                best = [pinned, *(row for row in best if row != pinned)]
        lists.append(set(best[:K]))
    return lists


def recall(index: TrackIndex, ids: IntArray, allowed: BoolArray | None) -> float:
    """Share of `exact` that the ranking finds."""
    everything = np.ones(len(index), dtype=np.bool_)
    with index.tracks.base.read_ahead.everything():
        best = exact(index, ids, everything if allowed is None else allowed)
    found = 0
    for id, one in zip(ids, best, strict=True):
        found += len(one & set(index.rank_tracks(id[None], K, allowed=allowed).rows[0].tolist()))
    return found / sum(map(len, best))


def remember(path: Path) -> None:
    """Have all pages of the catalogue and its index in memory."""
    for one in path.parent.glob(f"{path.stem}.*"):
        with one.open("rb") as file:
            while file.read(2**24):
                pass


def forget(index: TrackIndex, path: Path) -> None:
    """Drop all pages of the files from memory, those that are mapped among them."""
    mapped = index.tracks.base.ids
    while not isinstance(mapped, mmap.mmap):
        mapped = mapped.obj if isinstance(mapped, memoryview) else mapped.base
    mapped.madvise(mmap.MADV_DONTNEED)
    drop_from_cache(path.parent, path.stem)


def ask(path: Path) -> dict[str, object]:
    """Time lists."""
    with service_of(path) as service:
        started = time.perf_counter()
        index = service.index()
        ready = time.perf_counter() - started
        ids = np.random.default_rng(0).choice(index.ids, QUERIES)
        remember(path)
        timed(lambda id: service.similar(id), ids[: WARM_UP + LASTING].tolist())
        times = timed(lambda id: service.similar(id), ids.tolist())
        private, filters = private_mb(), []
        durations = index.columns["duration"].whole()
        few = ids[:FILTERED].tolist()
        for share in SHARES:
            wanted = Filters(min_duration=float(np.quantile(durations, 1 - share)))
            service.similar(few[0], filters=wanted)  # the mask is made once
            plain = np.median(timed(lambda id: service.similar(id), few), axis=0)
            taken = timed(lambda id, f=wanted: service.similar(id, filters=f), few)
            ratio = float(np.median(taken, axis=0)[1] / plain[1])
            filters.append(
                [share, ratio, recall(index, ids[:COMPARED], durations >= wanted.min_duration)]
            )
        unfiltered = recall(index, ids[:COMPARED], None)
        cold = []
        for id in ids[:COLD].tolist():
            forget(index, path)
            cold.append(timed(lambda id: service.similar(id), [id])[0])
    warm, cold_ms = (
        np.percentile(times[:, 0], [50, 99]),
        np.percentile(np.array(cold)[:, 0], [50, 99]),
    )
    return {
        "ready": ready,
        "warm": warm.tolist(),
        "processor": float(np.median(times[:, 1])),
        "cold": cold_ms.tolist(),
        "recall": unfiltered,
        "private": private,
        "filters": filters,
    }


def in_process(step: str, path: Path) -> dict[str, object]:
    """A step in a process of its own, so that its memory is its own."""
    done = subprocess.run(
        [sys.executable, __file__, str(path), "--step", step], stdout=subprocess.PIPE, check=True
    )
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(size: int, built: dict, asked: dict) -> None:
    b, a = built, asked
    print(
        f"| {size:,} | {b['wall']:.1f} / {b['processor']:.1f} | {b['most']:.0f} "
        f"| {b['bytes'] / size:,.0f} | {b['recall']:.4f}, {b['probed']} "
        f"| {a['warm'][0]:.2f} / {a['warm'][1]:.2f} | {a['processor']:.2f} "
        f"| {a['cold'][0]:.1f} / {a['cold'][1]:.1f} "
        f"| {a['recall']:.4f} | {a['private']:.0f} | "
        + ", ".join(f"{100 * s:g} %: {ratio:.2f}, {found:.3f}" for s, ratio, found in a["filters"])
        + " |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("catalog", type=Path, help="of real music")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[1_000, 10_000, 40_000, 100_000, 250_000, 1_000_000]
    )
    parser.add_argument("--folder", type=Path, help="where the catalogues are kept")
    parser.add_argument("--step", choices=("build", "ask"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step is not None:
        print(json.dumps({"build": build, "ask": ask}[options.step](options.catalog)))
        return
    print(
        "| tracks | build, s / CPU s | most private, MB | bytes a track | recall@10 stored, cells "
        "| warm, ms p50 / p99 | processor | cold, ms | recall@10 | private, MB "
        "| filters: ratio, recall |\n" + "|---:" * 10 + "|---|"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        for size in options.sizes:
            path = folder / f"synthetic-{size}.db"
            if not path.exists():
                write_catalog(options.catalog, path, size, vectors_only=True)
            report(size, in_process("build", path), in_process("ask", path))


if __name__ == "__main__":
    main()

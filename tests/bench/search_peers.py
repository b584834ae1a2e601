"""The search of an index beside other libraries, on the same vectors: recall@10 and ms a query.

    python tests/bench/search_peers.py [--sizes 1000 10000 100000 1000000] [--peers PYTHON]
        [--folder FOLDER | --vectors FILE.npy] [--picture FILE.svg] [--csv FILE.csv]

What is searched are database vectors (`search.reranking`): inner products of d + 1 components. One
thread, the same 200 queries, which are tracks; recall is against exact inner products. numpy, FAISS
flat and the index run here. hnswlib, usearch and voyager run in the interpreter that `--peers`
names; a row says why one is missing. Columns: building in s, recall@10, ms of a processor at the
median and at the 99th percentile, which other work on the machine disturbs less than a clock.

`--folder` takes what `search_scale.py --folder` left there (an index that
is there is not built again); `--vectors` unit vectors [n, d]; without either, those of
`index_speed.py` are drawn. A picture of cost against size needs matplotlib.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402 - after the number of threads is set
from index_speed import drawn  # noqa: E402

from recommender.catalog.records import CatalogState  # noqa: E402
from recommender.embedding.space import SpaceId  # noqa: E402
from recommender.search.index import TrackIndex  # noqa: E402
from recommender.search.reranking import query_vectors_of  # noqa: E402

K, QUERIES = 10, 200

PEERS = """
import json, sys, time
import numpy as np
kind, folder, k = sys.argv[1], sys.argv[2], int(sys.argv[3])
rows, queries = np.load(folder + "/rows.npy"), np.load(folder + "/queries.npy")
started = time.perf_counter()
if kind == "hnswlib":
    import hnswlib
    index = hnswlib.Index("ip", rows.shape[1])
    index.init_index(len(rows), M=16, ef_construction=200)
    index.set_num_threads(1)
    index.add_items(rows)
    index.set_ef(128)
    search = lambda query: index.knn_query(query, k)[0][0]
elif kind == "usearch":
    from usearch.index import Index
    index = Index(ndim=rows.shape[1], metric="ip", expansion_search=128)
    index.add(np.arange(len(rows)), rows, threads=1)
    search = lambda query: index.search(query, k, threads=1).keys
else:
    import voyager
    index = voyager.Index(voyager.Space.InnerProduct, rows.shape[1])
    index.add_items(rows, num_threads=1)
    search = lambda query: index.query(query, k, query_ef=128)[0]
built = time.perf_counter() - started
found, taken = [], []
for query in queries:
    started = time.thread_time()
    one = search(query)
    taken.append(1000 * (time.thread_time() - started))
    found.append([int(row) for row in one])
print(json.dumps({"built": built, "taken": taken, "found": found}))
"""


def timed(search: Callable[[np.ndarray], np.ndarray], queries: np.ndarray) -> tuple[list, list]:
    found, taken = [], []
    for query in queries[:5]:
        search(query)
    for query in queries:
        started = time.thread_time()
        one = search(query)
        taken.append(1000 * (time.thread_time() - started))
        found.append([int(row) for row in one])
    return found, taken


def top(scores: np.ndarray) -> np.ndarray:
    best = np.argpartition(scores, -K)[-K:]
    return best[np.argsort(-scores[best])]


def by_peer(kind: str, python: str | None, folder: str, timeout: float) -> dict | str:
    if python is None:
        return "no interpreter named by --peers"
    run = subprocess.run(
        [python, "-c", PEERS, kind, folder, str(K)],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    if run.returncode:
        return run.stderr.strip().splitlines()[-1]
    return json.loads(run.stdout)


def kept_index(path: Path) -> TrackIndex:
    """The index of a catalogue that `search_scale.py` has kept."""
    from synthetic_catalog import open_synthetic

    from recommender.search.catalog_index import CatalogIndex

    with open_synthetic(path) as catalog:
        return CatalogIndex.of_active_space(catalog, "cpu").update()


def built_index(vectors: np.ndarray, folder: str) -> TrackIndex:
    """An index of unit vectors."""
    state, space = CatalogState("drawn", 0), SpaceId("drawn", "drawn", "drawn")
    ids = np.arange(len(vectors), dtype=np.int64)
    return TrackIndex.build(ids, vectors, space, state, path=Path(folder) / "drawn.index")


def here(index: TrackIndex, built: float, folder: str) -> tuple[dict[str, dict | str], np.ndarray]:
    """What runs in this interpreter, and the exact lists."""
    import faiss

    faiss.omp_set_num_threads(1)
    ids, rows = index.ids, index.database_vectors
    chosen = np.random.default_rng(0).choice(len(rows), min(QUERIES, len(rows)), replace=False)
    queries = query_vectors_of(rows[chosen])
    np.save(f"{folder}/rows.npy", rows)
    np.save(f"{folder}/queries.npy", queries)
    exact = np.array([top(rows @ query) for query in queries])
    results: dict[str, dict | str] = {}
    found, taken = timed(lambda query: top(rows @ query), queries)
    results["numpy"] = {"built": 0.0, "found": found, "taken": taken}
    started = time.perf_counter()
    flat = faiss.IndexFlatIP(rows.shape[1])
    flat.add(rows)
    flat_built = time.perf_counter() - started
    found, taken = timed(lambda query: flat.search(query[None], K)[1][0], queries)
    results["FAISS flat"] = {"built": flat_built, "found": found, "taken": taken}
    # One more than k: the nearest by cosine comes first, whatever its score.
    found, taken = timed(lambda row: index.rank_tracks(row, K + 1).rows[0], ids[chosen][:, None])
    results["recsys"] = {"built": built, "found": found, "taken": taken}
    return results, exact


def measured(size: int, options: argparse.Namespace) -> dict[str, dict | str]:
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        if options.folder is not None:
            index = kept_index(options.folder / f"synthetic-{size}.db")
            started = time.perf_counter()
        elif options.vectors is None:
            index = built_index(drawn(size, 309), folder)
        else:
            index = built_index(np.load(options.vectors, mmap_mode="r")[:size], folder)
        results, exact = here(index, time.perf_counter() - started, folder)
        for kind in ("hnswlib", "usearch", "voyager"):
            try:
                results[kind] = by_peer(kind, options.peers, folder, options.timeout)
            except subprocess.TimeoutExpired:
                results[kind] = f"not built in {options.timeout:.0f} s"
    for row in results.values():
        if isinstance(row, dict):
            hits = [np.isin(one, two).mean() for one, two in zip(exact, row["found"], strict=True)]
            row["recall"] = float(np.mean(hits))
            row["p50"], row["p99"] = np.percentile(row.pop("taken"), [50, 99]).tolist()
            del row["found"]
    return results


def draw(rows: list[list[str]], path: Path) -> None:
    """Cost against size, of rows as `kept_rows` gives them."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        print("no picture: matplotlib is not installed")
        return
    figure, axes = pyplot.subplots(figsize=(6, 4))
    for name in dict.fromkeys(row[1] for row in rows):
        points = sorted((int(row[0]), float(row[4])) for row in rows if row[1] == name)
        axes.loglog(*zip(*points, strict=True), marker="o", label=name)
    axes.set_xlabel("tracks")
    axes.set_ylabel("ms of a processor a query, median")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


HEADER = ["tracks", "method", "build_s", "recall", "p50_ms", "p99_ms"]


def kept_rows(results: dict[int, dict[str, dict | str]], path: Path | None) -> list[list[str]]:
    """The results as rows of `HEADER`, with those of other sizes that are in the file already."""
    rows = []
    if path is not None and path.exists():
        lines = path.read_text(encoding="utf-8").splitlines()[1:]
        rows = [row for row in (line.split(",") for line in lines) if int(row[0]) not in results]
    for size, by_name in results.items():
        for name, row in by_name.items():
            if isinstance(row, dict):
                values = [f"{row[key]:.4g}" for key in ("built", "recall", "p50", "p99")]
                rows.append([str(size), name, *values])
    rows.sort(key=lambda row: int(row[0]))
    if path is not None:
        lines = [",".join(row) for row in [HEADER, *rows]]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--peers", help="an interpreter with hnswlib, usearch and voyager")
    parser.add_argument("--vectors", type=Path, help="unit vectors [n, d], as .npy")
    parser.add_argument("--folder", type=Path, help="of `search_scale.py`, with its indexes")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--csv", type=Path, help="rows of other sizes in it are kept")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds a peer may take")
    options = parser.parse_args()
    results = {}
    print("| tracks | | build, s | recall@10 | p50, ms | p99, ms |\n|---:|---|---:|---:|---:|---:|")
    for size in options.sizes:
        results[size] = measured(size, options)
        for name, row in results[size].items():
            if isinstance(row, str):
                print(f"| {size:,} | {name} | {row} | | | |", flush=True)
                continue
            figures = (
                f"{row['built']:.1f} | {row['recall']:.3f} | {row['p50']:.2f} | {row['p99']:.2f}"
            )
            print(f"| {size:,} | {name} | {figures} |", flush=True)
        rows = kept_rows(results, options.csv)
        if options.picture is not None:
            draw(rows, options.picture)


if __name__ == "__main__":
    main()

"""What one new file costs a running service, and how an index that is kept up to date drifts.

    python tests/bench/synthetic_catalog.py small.db large.db --tracks 40000
    python tests/bench/incremental.py large.db

Works on a copy of the catalogue. Prints

- one new track: seconds and processor time until it is in the lists, growth of the private memory,
  and how many lists were answered meanwhile; beside it an index that is built anew;
- the change of other lists: of 100 lists of 100 tracks, how many another new track reorders, and
  how many an index that is built anew; and by how much the scores of two tracks differ at most,
  which have changed places;
- neighbours: of the ten nearest of a track, by which vectors are moved, the share that the index
  has, against exact cosines;
- drift: of lists of 10, the share that a catalogue grown by `--growth` has in common with an index
  that is built anew, and by how much their scores differ (median, 99th percentile, most), once
  before and once after the merge.
"""

import argparse
import resource
import shutil
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from recommender import Catalog, SimilarityService
from recommender.catalog import FileStat, Tags
from recommender.embedding.space import Analysis
from recommender.search.catalog_index import CatalogIndex
from recommender.search.index import TrackIndex

LISTS = 100


def private_mb() -> float:
    """Memory of this process that no file backs, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Growing:
    """A catalogue to which mixtures of its own tracks are added."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        space = catalog.active_space()
        assert space is not None
        self.space = space
        self.library = catalog.libraries()[0]
        self.random = np.random.default_rng(1)
        self.ids = np.array([track for track, _ in zip(self._ids(), range(2000), strict=False)])
        self.number = 0

    def _ids(self):  # type: ignore[no-untyped-def]
        for ids, _ in self.catalog.activation_batches(self.space):
            yield from ids.tolist()

    def add(self, count: int) -> list[int]:
        """Add tracks between two others each; their ids."""
        analyses = []
        for _ in range(count):
            one, other = (
                self.catalog.analysis_of(int(track), self.space)
                for track in self.random.choice(self.ids, 2, replace=False)
            )
            assert one is not None
            assert other is not None
            mixed = (0.6 * one.activations + 0.4 * other.activations).astype(np.float32)
            analyses.append(replace(one, activations=mixed, duration=one.duration + 7))
        return self._write(analyses)

    def _write(self, analyses: list[Analysis]) -> list[int]:
        found = []
        with self.catalog.writing() as write:
            for analysis in analyses:
                self.number += 1
                stat = FileStat(f"new {self.number}.ogg", 1, 1)
                tags = Tags(title=f"new {self.number}", artist=f"new artist {self.number}")
                found.append(
                    write.analysed(self.library, stat, f"n{self.number}", tags, analysis, "bench")
                )
        return found


def one_new_file(service: SimilarityService, growing: Growing) -> None:
    seeds = np.random.default_rng(0).choice(growing.ids, 50).tolist()
    for seed in seeds:
        service.similar(seed)
    print(
        "| one new track | s | CPU s | private memory, MB | lists meanwhile |\n" + "|---" * 5 + "|"
    )
    for attempt in range(3):
        most, stop = [private_mb()], threading.Event()

        def watch(most: list[float] = most, stop: threading.Event = stop) -> None:
            while not stop.wait(0.002):
                most.append(private_mb())

        watcher = threading.Thread(target=watch)
        (new,) = growing.add(1)
        watcher.start()
        started, cpu, answered = time.perf_counter(), time.process_time(), 0
        while new not in service._snapshots.current().index:
            service.similar(seeds[answered % len(seeds)])
            answered += 1
        took, used = time.perf_counter() - started, time.process_time() - cpu
        stop.set()
        watcher.join()
        service.similar(new)
        grown = max(most) - most[0]
        print(f"| {attempt + 1} | {took:.2f} | {used:.2f} | {grown:.0f} | {answered} |", flush=True)


def built_anew(index: CatalogIndex) -> TrackIndex:
    started, cpu = time.perf_counter(), time.process_time()
    built = index.build()
    took, used = time.perf_counter() - started, time.process_time() - cpu
    print(f"| built anew | {took:.1f} | {used:.1f} | | |\n", flush=True)
    return built


def reordered(before: TrackIndex, after: TrackIndex, ids: np.ndarray) -> str:
    """How many of the lists of 100 differ in the order of tracks that both have, and how far."""
    changed, gaps = 0, [0.0]
    one, two = before.rank_tracks(ids, 101), after.rank_tracks(ids, 101)
    for old, scores, new in zip(one.ids, one.scores, two.ids, strict=True):
        places = {id: place for place, id in enumerate(new.tolist())}
        kept = [
            (places[id], score)
            for id, score in zip(old.tolist()[1:], scores.tolist()[1:], strict=True)
            if id in places
        ]
        at = np.array([place for place, _ in kept])
        values = np.array([score for _, score in kept])
        later, earlier = np.nonzero((at[:, None] < at) & (values[:, None] < values))
        gaps += (values[earlier] - values[later]).tolist()
        changed += bool(len(later))
    return (
        f"{changed} of {len(ids)}; scores of pairs that changed places differ by "
        f"{np.quantile(gaps, 0.99):.5f} (p99) and {max(gaps):.5f} at most"
    )


def drift(found: TrackIndex, built: TrackIndex, ids: np.ndarray) -> str:
    one, two = found.rank_tracks(ids, 10), built.rank_tracks(ids, 10)
    common = np.mean([np.isin(a, b).mean() for a, b in zip(one.ids, two.ids, strict=True)])
    differences = []
    for names, values, others, theirs in zip(one.ids, one.scores, two.ids, two.scores, strict=True):
        scores = dict(zip(others.tolist(), theirs.tolist(), strict=True))
        own = zip(names.tolist(), values.tolist(), strict=True)
        differences += [abs(score - scores[id]) for id, score in own if id in scores]
    p50, p99 = np.quantile(differences, [0.5, 0.99])
    return f"{common:.4f} | {p50:.5f} | {p99:.5f} | {max(differences):.4f}"


def neighbours_found(index: TrackIndex, ids: np.ndarray) -> float:
    """Share of the exact nearest that the index has."""
    tracks, vectors = index.tracks, index.vectors
    rows = index.rows(ids)
    cosines = vectors[rows] @ vectors.T
    cosines[np.arange(len(rows)), rows] = -2
    k = index.settings.k
    exact = index.ids[np.argpartition(-cosines, k, axis=1)[:, :k]]
    stored = tracks.values_at("neighbours", tracks.slot_of[rows].astype(np.int64))
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(exact, stored, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("catalog", type=Path)
    parser.add_argument("--growth", type=float, default=0.05, help="share of the tracks to add")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.catalog.parent) as folder:
        copy = shutil.copy(options.catalog, Path(folder) / "catalog.db")
        with SimilarityService.open(str(copy), "cpu") as service:
            growing = Growing(service.catalog)
            service.index()
            one_new_file(service, growing)
            index = service.catalog_index
            before = built_anew(index)
            ids = np.random.default_rng(2).choice(before.ids, LISTS, replace=False)
            growing.add(1)
            after = index.update()
            print(f"lists of 100 reordered by one new track: {reordered(before, after, ids)}")
            rebuilt = index.build()
            print(f"the same, by an index built anew: {reordered(before, rebuilt, ids)}\n")
            print(f"of the nearest, the index has {neighbours_found(rebuilt, ids):.4f}")
            for _ in range(20):
                growing.add(int(options.growth * len(rebuilt) / 20))
                grown = index.update()
            print(f"and once it has grown {neighbours_found(grown, ids):.4f}\n")
            merged = index.merge(grown)
            built = index.build()
            print(
                "| | common to lists of 10 | scores differ, p50 | p99 | most |\n" + "|---" * 5 + "|"
            )
            print(f"| grown by {options.growth:.0%} in 20 steps | {drift(grown, built, ids)} |")
            print(f"| then merged | {drift(merged, built, ids)} |")


if __name__ == "__main__":
    main()

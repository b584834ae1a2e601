"""What sharing a catalogue costs and gains: PostgreSQL beside SQLite, Ray workers, replicas.

    python tests/bench/several_hosts.py MUSIC [--files 60]

Starts a PostgreSQL server on loopback in memory (Debian: postgresql), with commits that wait for
the disk's answer, and prints, all of one run:

- an ingest of MUSIC's first files into SQLite and into PostgreSQL, by one process and by two
  that share the server's catalogue: wall seconds and processor seconds;
- one transaction's worth of results: milliseconds a track to write, on both;
- a list of 10 by a service that is running, on both: milliseconds, the median;
- the same ingest on a Ray cluster of 1, 2 and 4 nodes of one CPU each;
- a replica: seconds from the commit of a new track until a service that may only read lists it.
"""

import argparse
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

import numpy as np
from catalogs import analysis, stat
from ingesting import start_ingest
from postgres_server import PostgresServer

from recommender.catalog import Catalog, Tags
from recommender.embedding.space import Analysis, SpaceId
from recommender.ingestion import IngestSettings, ingest
from recommender.recommendation.filters import Filters
from recommender.recommendation.service import SimilarityService

SOUND = (".mp3", ".flac", ".ogg", ".opus", ".wav", ".m4a")


def cpu() -> float:
    of = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in of)


def timed(what: str, action: Callable[[], object]) -> None:
    started, before = time.perf_counter(), cpu()
    action()
    print(f"{what}: {time.perf_counter() - started:.1f} s, {cpu() - before:.1f} s CPU", flush=True)


def ingested(url: str, folder: Path, **settings: object) -> None:
    given = {"workers": 1, "update_index": False} | settings
    with Catalog.open(url) as catalog:
        report = ingest(catalog, [folder], IngestSettings(**given))  # type: ignore[arg-type]
    assert report.not_reached == 0


def shared(url: str, folder: Path) -> None:
    for process in [start_ingest(url, folder, host) for host in ("one", "two")]:
        process.communicate()
        assert process.returncode == 0


def write_cost(url: str, tracks: int = 960) -> float:
    """Milliseconds a track, in transactions of 32."""
    space = SpaceId("wide", "1", "2")
    vectors = np.random.default_rng(0).normal(size=(50, 3530)).astype(np.float32)
    plain = analysis()
    with Catalog.open(url) as catalog:
        library, _ = catalog.scope_of("/nowhere")
        started = time.perf_counter()
        for start in range(0, tracks, 32):
            with catalog.writing() as write:
                for number in range(start, start + 32):
                    one = Analysis(
                        vectors[number % 50], plain.genre_probabilities, 60.0, plain.windows, space
                    )
                    name = f"{number}.flac"
                    write.analysed(library, stat(name), name, Tags(title=name), one, "bench")
    return (time.perf_counter() - started) / tracks * 1000


def list_cost(url: str) -> float:
    """Milliseconds of a list of 10, the median of 300."""
    times = []
    with SimilarityService.open(url, "cpu") as service:
        ids = [track.id for track in service.catalog.all_tracks()]
        for number in range(320):
            started = time.perf_counter()
            service.similar(ids[number % len(ids)], k=10)
            times.append(time.perf_counter() - started)
    return statistics.median(times[20:]) * 1000


def on_ray(folder: Path, scratch: Path) -> None:
    from ray_nodes import ray_nodes

    for nodes in (1, 2, 4):
        with ray_nodes(nodes=nodes, cpus=1) as cluster:
            settings = {"ray": cluster.address, "workers": nodes}
            ingested(str(scratch / f"warm{nodes}.db"), folder, **settings)
            name = str(scratch / f"ray{nodes}.db")
            started = time.perf_counter()
            ingested(name, folder, **settings)
            print(f"Ray, {nodes} workers: {time.perf_counter() - started:.1f} s", flush=True)


def follows(url: str, folder: Path, later: list[Path]) -> None:
    """A service that may only read, while tracks come one by one."""
    read_only = f"{url}?options={quote('-c default_transaction_read_only=on')}"
    waits = []
    with SimilarityService.open(read_only, "cpu") as service, Catalog.open(url) as catalog:
        first = next(service.catalog.all_tracks()).id
        service.similar(first, k=5)
        for file in later:
            shutil.copy(file, folder / f"new {file.name}")
            report = ingest(catalog, [folder], IngestSettings(workers=1, update_index=False))
            committed = time.perf_counter()
            if report.analysed:
                newest = max(track.id for track in catalog.all_tracks())
                wanted = Filters(keep_duplicates=True, per_artist=None)
                while newest not in {
                    near.track.id for near in service.similar(first, k=1000, filters=wanted)
                }:
                    time.sleep(0.005)
                waits.append(time.perf_counter() - committed)
    print(f"replica: a new track is listed after {statistics.median(waits):.3f} s (median of "
          f"{len(waits)}, most {max(waits):.3f})")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("music", type=Path)
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--skip", nargs="*", default=())
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    files = sorted(file for file in asked.music.rglob("*") if file.suffix.lower() in SOUND)
    server = PostgresServer(synchronous_commit="on")
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_CACHE_HOME"] = scratch
        folder = Path(scratch) / "music"
        folder.mkdir()
        for number, file in enumerate(files[: asked.files]):
            shutil.copy(file, folder / f"{number:03} {file.name}")
        try:
            lite, url = f"{scratch}/lite.db", server.catalogue()
            if "ingest" not in asked.skip:
                ingested(f"{scratch}/warm.db", folder)
                timed("SQLite, one process", lambda: ingested(lite, folder))
                timed("PostgreSQL, one process", lambda: ingested(url, folder))
                timed("PostgreSQL, two hosts", lambda: shared(server.catalogue(), folder))
                lists = list_cost(lite), list_cost(url)
                print(f"a list of 10: SQLite {lists[0]:.2f} ms, PostgreSQL {lists[1]:.2f} ms")
                costs = write_cost(f"{scratch}/write.db"), write_cost(server.catalogue())
                print(f"to write a track: SQLite {costs[0]:.2f} ms, PostgreSQL {costs[1]:.2f} ms")
            if "replica" not in asked.skip:
                if "ingest" in asked.skip:
                    ingested(url, folder)
                follows(url, folder, files[asked.files : asked.files + 8])
            if "ray" not in asked.skip:
                on_ray(folder, Path(scratch))
        finally:
            server.close()


if __name__ == "__main__":
    main()

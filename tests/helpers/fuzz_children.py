"""The steps of `tests/bench/fuzz.py`, each run as a process of its own; they write JSON."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recommender import Catalog, IngestSettings, RecsysError, SimilarityService, ingest
from recommender.ingestion import process_pool
from recommender.ingestion.report import NoProgress, Outcome

THREADS = 8


class Times(NoProgress):
    """Seconds that each file takes, from when it is handed to a worker until it is stored."""

    def __init__(self) -> None:
        self.opened = 0
        self.begun: dict[Path, float] = {}
        self.done_at: float = 0.0
        self.slowest, self.slowest_file = 0.0, ""
        self.peak_mb = 0.0

    def planned(self, files: int) -> None:
        self.opened = files
        self.done_at = time.monotonic()

    def started(self, path: Path) -> None:
        self.begun[path] = time.monotonic()

    def done(self, path: Path, outcome: Outcome, reason: str | None = None) -> None:
        seconds = time.monotonic() - self.begun.pop(path)
        if seconds > self.slowest:
            self.slowest, self.slowest_file = seconds, ascii(str(path))

    def indexing(self, tracks: int) -> None:
        self.peak_mb = peak_mb()  # an index takes what its number of tracks takes


def peak_mb() -> float:
    """Of this process; not `getrusage`, which begins with what its parent had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def run_ingest(database: str, folder: str, result: str) -> None:
    times = Times()
    process_pool._OUTSTANDING_PER_WORKER = 1  # no file waits for another one
    with Catalog.open(database) as catalog:
        settings = IngestSettings(files_per_transaction=1)  # so that `done` follows at once
        report = ingest(catalog, [folder], settings, times)
    counts = {
        name: value
        for name, value in {**asdict(report), "skipped": report.skipped}.items()
        if isinstance(value, int) and not isinstance(value, bool)
    }
    counts["unreadable"] = len(report.unreadable)
    Path(result).write_text(
        json.dumps(
            {
                "seconds": report.seconds,
                "parent_mb": times.peak_mb or peak_mb(),
                "slowest": times.slowest,
                "slowest_file": times.slowest_file,
                "opened": times.opened,
                "counts": counts,
            }
        )
    )


def run_queries(database: str, folder: str, queries: str, result: str) -> None:
    paths = [Path(folder) / name for name in json.loads(Path(queries).read_text())]
    outcomes: dict[str, int] = {}
    bugs: list[str] = []
    slowest: list[tuple[float, str]] = []
    started = time.monotonic()
    with SimilarityService.open(database) as service:

        def query(path: Path) -> None:
            begun = time.monotonic()
            try:
                outcome = "list" if service.similar(path, k=3) else "empty list"
            except RecsysError as error:
                outcome = type(error).__name__
            except Exception as error:
                outcome = "bug"
                bugs.append(f"{str(path)!a}: {type(error).__name__}: {error}")
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
            slowest.append((time.monotonic() - begun, ascii(str(path))))

        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(query, paths))
    seconds, file = max(slowest)
    found: dict[str, Any] = {
        "seconds": time.monotonic() - started,
        "parent_mb": peak_mb(),
        "slowest": seconds,
        "slowest_file": file,
        "counts": outcomes,
        "bugs": bugs,
    }
    Path(result).write_text(json.dumps(found))


if __name__ == "__main__":
    {"ingest": run_ingest, "query": run_queries}[sys.argv[1]](*sys.argv[2:])

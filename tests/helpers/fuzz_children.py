"""The steps of `tests/bench/fuzz.py`, each run as a process of its own; they write JSON.

What opens a file is timed wherever it runs: worker processes import this module too.
"""

import json
import os
import resource
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recommender import Catalog, IngestSettings, RecsysError, SimilarityService, ingest
from recommender.ingestion.file_reader import FileReader
from recommender.ingestion.report import NoProgress

THREADS = 8


READINGS = "RECSYS_FUZZ_READINGS"
"""Environment variable with the folder that gets a file of readings from each process."""


_call = FileReader._call


def _timed_call(reader: FileReader, *arguments: Any) -> Any:
    """As `FileReader._call`; writes down its seconds, on the clock and of a processor."""
    ended, begun = _processor_seconds_of_ended(), time.monotonic()
    before = _processor_seconds(reader._process.pid) if reader._process else 0.0
    try:
        return _call(reader, *arguments)
    finally:
        wall = time.monotonic() - begun
        if reader._process:  # it answered
            processor = _processor_seconds(reader._process.pid) - before
        else:  # it was ended, and counts among those only now
            processor = _processor_seconds_of_ended() - ended - before
        line = json.dumps([str(arguments[1]), wall, max(processor, 0.0)])
        file = Path(os.environ[READINGS]) / f"{os.getpid()}-{threading.get_ident()}"
        with file.open("a") as lines:
            lines.write(line + "\n")


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _processor_seconds_of_ended() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def readings(folder: Path) -> dict[str, tuple[float, float]]:
    """Path → seconds on the clock and of a processor, of all readings of a file together."""
    found: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for file in folder.iterdir():
        for line in file.read_text().splitlines():
            path, wall, processor = json.loads(line)
            found[path] = (found[path][0] + wall, found[path][1] + processor)
    return found


class Memory(NoProgress):
    """What this process took at most before it built the index, and how many files it opened."""

    def __init__(self) -> None:
        self.opened = 0
        self.peak_mb = 0.0

    def planned(self, files: int) -> None:
        self.opened = files

    def indexing(self, tracks: int) -> None:
        self.peak_mb = peak_mb()  # an index takes what its number of tracks takes


def peak_mb() -> float:
    """Of this process; not `getrusage`, which begins with what its parent had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def run_ingest(database: str, folder: str, result: str) -> None:
    memory = Memory()
    with Catalog.open(database) as catalog:
        report = ingest(catalog, [folder], IngestSettings(), memory)
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
                "parent_mb": memory.peak_mb or peak_mb(),
                "with_index_mb": peak_mb(),
                "opened": memory.opened,
                "counts": counts,
            }
        )
    )


def run_queries(database: str, folder: str, queries: str, result: str) -> None:
    paths = [Path(folder) / name for name in json.loads(Path(queries).read_text())]
    outcomes: dict[str, int] = {}
    bugs: list[str] = []
    threads_seconds: list[tuple[str, float]] = []
    started = time.monotonic()
    with SimilarityService.open(database) as service:

        def query(path: Path) -> None:
            begun = time.thread_time()
            try:
                outcome = "list" if service.similar(path, k=3) else "empty list"
            except RecsysError as error:
                outcome = type(error).__name__
            except Exception as error:
                outcome = "bug"
                bugs.append(f"{str(path)!a}: {type(error).__name__}: {error}")
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
            threads_seconds.append((str(path), time.thread_time() - begun))

        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(query, paths))
    found: dict[str, Any] = {
        "seconds": time.monotonic() - started,
        "parent_mb": peak_mb(),
        "threads": threads_seconds,
        "counts": outcomes,
        "bugs": bugs,
    }
    Path(result).write_text(json.dumps(found))


if READINGS in os.environ:
    FileReader._call = _timed_call  # type: ignore[method-assign]

if __name__ == "__main__":
    {"ingest": run_ingest, "query": run_queries}[sys.argv[1]](*sys.argv[2:])

"""Ingest thousands of damaged and malicious files: nothing may break, and nothing be lost.

    python tests/bench/fuzz.py --files 10000 --seed 0

Four steps, each in a process of its own, whose memory and whose workers' is watched: ingest; ingest
again, which may open nothing; move all files and ingest; query files by their path from 8 threads
beside an ingest. What must hold is asserted; the table says how far damaged files are from the
undamaged ones, by kind of damage. `--files` scales all kinds alike. Linux only.
"""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

import fuzz_children
from fuzz_sample import Case, write_sample

from recommender.catalog import Catalog, Track

MOST_SECONDS = 20.0
"""Of a processor, for all readings of one file: those on the clock depend on what else runs."""

MOST_WORKER_MB = 1_024
MOST_PARENT_MB = 300
QUERIES = 0.1
"""Of the files, that are queried."""

_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
_RECSYS = [sys.executable, "-c", "from recommender.cli import main; main()"]


class MemoryWatch(threading.Thread):
    """Samples the resident memory of a process's descendants; `most_mb` is the largest of one."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root, self.most_mb = root, 0.0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.1):
            for process in descendants(self.root):
                self.most_mb = max(self.most_mb, resident_mb(process))


def descendants(root: int) -> set[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text(errors="replace")
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {root}
    while new := {child for child, parent in parents.items() if parent in found} - found:
        found |= new
    return found - {root}


def resident_mb(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def start(step: str, *arguments: object, times: Path) -> "subprocess.Popen[bytes]":
    """Start a step; `times` is a new folder for what its readings take."""
    times.mkdir()
    command = [sys.executable, fuzz_children.__file__, step, *map(str, arguments)]
    environment = {**os.environ, fuzz_children.READINGS: str(times)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    )


def run(step: str, *arguments: object, name: str, result: Path) -> dict[str, Any]:
    """Run a step to its end: what it wrote, what its files and its workers took."""
    times = result.with_name(f"times of {name}")
    process = start(step, *arguments, result, times=times)
    watch = MemoryWatch(process.pid)
    watch.start()
    output, _ = process.communicate()
    watch.done.set()
    watch.join()
    assert process.returncode == 0, output.decode(errors="replace")[-2_000:]
    assert not _CONTROL.search(output), output
    found: dict[str, Any] = {**json.loads(result.read_text()), "worker_mb": watch.most_mb}
    files = fuzz_children.readings(times)
    for path, seconds in found.get("threads", []):
        wall, processor = files.get(path, (0.0, 0.0))
        files[path] = wall + seconds, processor + seconds
    found["slowest"] = sorted(
        ((processor, wall, path) for path, (wall, processor) in files.items()), reverse=True
    )[:5]
    print(
        f"{name:10} {found['seconds']:7.1f} s  {len(files):5} files opened  largest worker "
        f"{watch.most_mb:4.0f} MB  parent {found['parent_mb']:4.0f} MB"
        + (f", with index {found['with_index_mb']:4.0f} MB" if "with_index_mb" in found else "")
    )
    print(f"{'':10} {found['counts']}")
    for processor, wall, path in found["slowest"]:
        print(f"{'':10} {processor:5.1f} s of a processor, {wall:5.1f} s in all: {path!a}")
    print(end="", flush=True)
    return found


@contextmanager
def listening() -> Iterator[tuple[int, list[object]]]:
    """A port that must not be called, and the calls it got."""
    calls: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    calls.append(server.accept()[1])
                except OSError:
                    return

        threading.Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1], calls


def check_limits(found: dict[str, Any]) -> list[str]:
    wrong = []
    if found["worker_mb"] > MOST_WORKER_MB:
        wrong.append(f"a worker of {found['worker_mb']:.0f} MB")
    wrong += [
        f"{processor:.0f} s for {path!a}"
        for processor, _, path in found["slowest"]
        if processor > MOST_SECONDS
    ]
    if found["parent_mb"] > MOST_PARENT_MB:
        wrong.append(f"a parent of {found['parent_mb']:.0f} MB")
    return wrong


def check_accounts(counts: dict[str, Any], database: Path, cases: list[Case]) -> list[str]:
    """Every file has an outcome, and a track or a failure unless it is skipped or ignored."""
    told = sum(
        counts[name]
        for name in ("analysed", "failed", "skipped", "moved", "unchanged", "still_failing")
    )
    wrong = [] if told == counts["scanned"] else [f"{told} outcomes of {counts['scanned']} files"]
    with Catalog.open(str(database)) as catalog:
        tracks, failures = list(catalog.all_tracks()), list(catalog.failures())
        space = catalog.active_space()
        vectors = [catalog.analysis_of(track.id, space) for track in tracks] if space else []
    known = {track.path for track in tracks} | {failure.path for failure in failures}
    lost = [case.path for case in cases if case.kind != "ignore" and case.path not in known]
    if len(lost) > counts["skipped"]:
        wrong.append(f"{len(lost)} files without a word, such as {lost[:3]}")
    if not all(vector and np.isfinite(vector.activations).all() for vector in vectors):
        wrong.append("a vector that is not finite")
    kinds = statistics.multimode(failure.kind for failure in failures)
    print(f"{'':10} most failures: {kinds}; crashed: {crashed(failures)}")
    return wrong


def crashed(failures: Any) -> dict[str, int]:
    ended = defaultdict(int)
    for failure in failures:
        if failure.kind.startswith(("crashed", "timed", "too-much")):
            ended[failure.kind] += 1
    return dict(ended)


def check_outputs(database: Path) -> list[str]:
    """No control byte reaches a terminal, a file or a pipe."""
    wrong = []
    for words in (["list"], ["failures"], ["list", "--json"], ["failures", "--json"], ["status"]):
        run = subprocess.run([*_RECSYS, *words, "--db", str(database)], capture_output=True)
        if run.returncode or _CONTROL.search(run.stdout + run.stderr):
            wrong.append(f"recsys {' '.join(words)}: {run.returncode} {run.stderr[-300:]!r}")
    return wrong


def print_distances(database: Path, cases: list[Case]) -> None:
    """Cosine and length of damaged files against their bases, by kind of damage."""
    with Catalog.open(str(database)) as catalog:
        space = catalog.active_space()
        tracks = {track.path: track for track in catalog.all_tracks()}
        found: dict[str, list[tuple[float, float, bool]]] = defaultdict(list)
        number: dict[str, int] = defaultdict(int)

        def vector(track: Track) -> Any:
            analysis = catalog.analysis_of(track.id, space)
            assert analysis is not None
            return analysis.activations / np.linalg.norm(analysis.activations)

        for case in cases:
            if case.damage is None or case.base is None:
                continue
            number[case.damage] += 1
            track, base = tracks.get(case.path), tracks.get(case.base)
            if track is not None and base is not None:
                cosine = float(vector(track) @ vector(base))
                damaged = getattr(track, "damage", None) is not None
                found[case.damage].append((cosine, track.duration / base.duration, damaged))
    print(
        f"\n{'damage':14} files accepted  cosine: median  least  <.9   length <.9  marked damaged"
    )
    for damage, count in number.items():
        rows = found[damage]
        cosines = [row[0] for row in rows] or [float("nan")]
        print(
            f"{damage:14} {count:5} {len(rows):8}        {statistics.median(cosines):6.3f} "
            f"{min(cosines):6.3f} {sum(c < 0.9 for c in cosines):4} "
            f"{sum(row[1] < 0.9 for row in rows):12} {sum(row[2] for row in rows):15}"
        )


def run_steps(folder: Path, cases: list[Case]) -> list[str]:
    database, result = folder / "catalog.db", folder / "result.json"
    music, moved, extra = folder / "music", folder / "moved", folder / "extra"
    first = run("ingest", database, music, name="ingest", result=result)
    wrong = check_limits(first) + check_accounts(first["counts"], database, cases)
    wrong += check_outputs(database)
    print_distances(database, cases)
    again = run("ingest", database, music, name="again", result=result)
    retried = sum(crashed_in(database).values())
    if again["opened"] > retried:
        wrong.append(f"{again['opened']} files were opened again, {retried} had crashed")
    music.rename(moved)
    third = run("ingest", database, moved, name="moved", result=result)
    wrong += check_limits(third) + check_accounts(third["counts"], database, cases)
    shutil.copytree(moved / "bases", extra)
    queries = [case.path for case in cases if case.kind != "ignore"]
    chosen = queries[:: max(1, round(len(queries) / max(8, QUERIES * len(cases))))]
    (folder / "queries.json").write_text(json.dumps(chosen))
    shutil.copytree(
        moved, folder / "outside", symlinks=True, ignore=shutil.ignore_patterns("ignore")
    )
    beside = start("ingest", database, extra, folder / "beside.json", times=folder / "beside")
    queried = run(
        *("query", database, folder / "outside", folder / "queries.json"),
        name="similar",
        result=result,
    )
    wrong += [*map(str, queried["bugs"])]
    wrong += [line for line in check_limits(queried) if "parent" not in line]
    beside.communicate()
    return wrong if beside.returncode == 0 else [*wrong, "the ingest beside the queries failed"]


def crashed_in(database: Path) -> dict[str, int]:
    with Catalog.open(str(database)) as catalog:
        return crashed(catalog.failures())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="keep the files, here")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    folder.mkdir(exist_ok=True)
    try:
        with listening() as (port, calls):
            started = time.monotonic()
            cases = write_sample(folder / "music", options.files, options.seed, port)
            print(f"{len(cases)} files written in {time.monotonic() - started:.0f} s", flush=True)
            wrong = run_steps(folder, cases)
            if calls:
                wrong.append(f"{len(calls)} connections to the listening socket")
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(["", *wrong]) if wrong else "\nall holds")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

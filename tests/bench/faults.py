"""Faults of every sort, each compared with an undisturbed run; prints a table.

    python tests/bench/faults.py [FOLDER] --seed 0 [--quick] [--only NAME]

FOLDER is music; without it, a small library is rendered. Full and read-only disks are mounted,
which needs root: elsewhere these trials are left out. Status 1 where anything went wrong: a
traceback, a death by a signal, a failure without a word, a result that differs, or a loss.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import database_faults as database
import media_faults as media
import process_faults as processes
from faulty_world import FaultyWorld, Verdict


def trials(quick: bool) -> dict[str, Callable[[FaultyWorld], Verdict]]:
    """Every kind of fault by name."""
    few, many = (2, 6) if quick else (6, 20)
    sizes = range(150, 1200, 350) if quick else range(100, 1600, 100)
    return {
        "SIGKILL": lambda w: processes.killed(w, signal.SIGKILL, few),
        "SIGTERM": lambda w: processes.killed(w, signal.SIGTERM, few),
        "SIGHUP": lambda w: processes.killed(w, signal.SIGHUP, few),
        "SIGINT": lambda w: processes.killed(w, signal.SIGINT, few),
        "worker killed": lambda w: processes.killed_worker(w, few),
        "locked database": lambda w: processes.locked(w, 42 if quick else 60),
        "two ingests": lambda w: processes.two_ingests(w, few),
        "16 threads beside an ingest": processes.threads_beside_an_ingest,
        "clock set back": processes.clock_set_back,
        "full disk": lambda w: media.full_disk(w, sizes),
        "read-only disk": media.read_only,
        "truncated database": lambda w: database.truncated_database(w, few),
        "bit in an embedding": lambda w: database.flipped_vectors(w, many, zero=False),
        "zeros in an embedding": lambda w: database.flipped_vectors(w, many, zero=True),
        "bit or page in the database": lambda w: database.flipped_database(w, many),
        "index": lambda w: media.damaged_index(w, many),
        "weights and cards": lambda w: media.damaged_model(w, many),
        "roots unmounted and swapped": media.roots,
    }


def main() -> int:
    """Run the trials; 1 where one of them went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="a few trials of each kind")
    parser.add_argument("--only", default="", help="kinds whose name holds this text")
    options = parser.parse_args()
    wrong = 0
    print(f"{'fault':30} {'trials':>6} {'wrong':>6}  {'s':>5}  notes")
    with tempfile.TemporaryDirectory() as scratch:
        world = FaultyWorld(_music(options.folder, Path(scratch)), Path(scratch), options.seed)
        for name, trial in trials(options.quick).items():
            if options.only.lower() not in name.lower():
                continue
            if "disk" in name and (os.name != "posix" or os.geteuid() != 0):
                print(f"{name:30} left out: only root may mount disks")
                continue
            wrong += _report(name, trial, world)
    return 1 if wrong else 0


def _report(name: str, trial: Callable[[FaultyWorld], Verdict], world: FaultyWorld) -> int:
    started = time.monotonic()
    try:
        verdict = trial(world)
    except Exception as error:  # the other trials go on
        verdict = Verdict(1, [f"{type(error).__name__}: {error}"])
    took = time.monotonic() - started
    notes = ", ".join(f"{what}: {number}" for what, number in verdict.notes.items())
    wrong = len(verdict.bad)
    print(f"{name:30} {verdict.trials:6} {wrong:6}  {took:5.0f}  {notes}", flush=True)
    for line in verdict.bad[:5]:
        print(f"    {line[:300]}")
    return wrong


def _music(folder: Path | None, scratch: Path) -> Path:
    if folder is not None:
        return folder.resolve()
    from recommender.demo import render_library

    render_library(scratch / "music", seed=0)
    return scratch / "music"


if __name__ == "__main__":
    sys.exit(main())

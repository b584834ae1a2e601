"""Kill an ingest again and again at random moments; what the next run completes must be whole.

    python tests/bench/kills.py FOLDER --kills 20 --seed 0

Each time a fresh catalogue is begun, the ingest is killed with SIGKILL at a random moment (drawn
evenly from the time an uninterrupted run takes), its workers must end by themselves, and a second
run goes to the end. The catalogue must then equal that of an uninterrupted run: same paths,
digests, tags, states, failures and bit-equal activations; and a third run finds nothing to do.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from recommender.catalog import Catalog
from recommender.embedding.model_files import DEFAULT_MODEL
from recommender.ingestion import IngestReport, IngestSettings, ingest
from recommender.ingestion.report import NoProgress

_WORKERS_END_WITHIN_S = 60.0


def contents(catalog: Catalog) -> dict[str, Any]:
    """All that a catalogue holds, save ids and times of analysis."""
    space = catalog.active_space()
    tracks = {}
    for track in catalog.all_tracks(state=None):
        analysis = catalog.analysis_of(track.id, space) if space else None
        tracks[str(track.file)] = (
            (track.content_hash, track.size, track.mtime_ns, track.duration, track.state),
            (track.tags, track.genre_probabilities, track.windows),
            analysis and analysis.activations.tobytes(),
        )
    failures = {
        str(failure.library.root / failure.path): (
            (failure.size, failure.mtime_ns, failure.kind, failure.reason)
        )
        for failure in catalog.failures()
    }
    return {
        "tracks": tracks,
        "failures": failures,
        "active": (space, catalog.analysis_settings()),
        "libraries": [library.root for library in catalog.libraries()],
    }


class _Announcer(NoProgress):
    """Says on standard output when analysis begins."""

    def planned(self, files: int) -> None:
        print(f"{files} files to analyse", flush=True)


def start_ingest(database: Path, folder: Path, settings: IngestSettings) -> "subprocess.Popen[str]":
    """An ingest in a process group of its own; it prints what it will analyse and its report."""
    command = [sys.executable, __file__, str(folder), "--child", str(database)]
    command += ["--workers", str(settings.workers), "--model", settings.model]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, text=True)


def wait_for_workers_to_end(group: int) -> None:
    """Wait until no process of the group is left. Raises `TimeoutError`."""
    deadline = time.monotonic() + _WORKERS_END_WITHIN_S
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise TimeoutError("the workers of a killed ingest go on")


def ingest_here(database: Path, folder: Path, settings: IngestSettings) -> IngestReport:
    """An ingest in this process."""
    with Catalog.open(str(database)) as catalog:
        return ingest(catalog, [folder], settings)


def contents_of(database: Path) -> dict[str, Any]:
    """See `contents`."""
    with Catalog.open(str(database)) as catalog:
        return contents(catalog)


def main() -> int:
    """Run the kills; 1 when a catalogue differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    settings = IngestSettings(model=options.model, workers=options.workers)
    if options.child is not None:
        with Catalog.open(str(options.child)) as catalog:
            print(ingest(catalog, [options.folder], settings, _Announcer()))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        different = _kill_often(Path(scratch), options, settings)
    print(f"{options.kills} kills, {different} catalogues differ from an uninterrupted run's")
    return 1 if different else 0


def _kill_often(scratch: Path, options: argparse.Namespace, settings: IngestSettings) -> int:
    started = time.monotonic()
    start_ingest(scratch / "whole.db", options.folder, settings).communicate()
    duration = time.monotonic() - started
    expected = contents_of(scratch / "whole.db")
    print(f"uninterrupted: {duration:.1f} s, {len(expected['tracks'])} tracks")
    moments = random.Random(options.seed)
    different = 0
    for number in range(1, options.kills + 1):
        database = scratch / f"{number}.db"
        moment = moments.uniform(0, duration)
        child = start_ingest(database, options.folder, settings)
        try:
            child.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.communicate()
        wait_for_workers_to_end(child.pid)
        done = len(contents_of(database)["tracks"])
        ingest_here(database, options.folder, settings)
        again = ingest_here(database, options.folder, settings)
        unlike = _differences(expected, contents_of(database))
        unlike += [f"the third run still analysed {again.analysed} files"] * bool(again.analysed)
        different += bool(unlike)
        verdict = f"{len(unlike)} differences" if unlike else "equal"
        print(
            f"kill {number} after {moment:.1f} s, {done} tracks: {verdict}", *unlike[:5], sep="\n  "
        )
    return different


def _differences(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """The paths whose tracks or failures differ, and what else does."""
    unlike = []
    for part, wanted in expected.items():
        if isinstance(wanted, dict):
            keys = sorted(wanted.keys() | found[part].keys())
            unlike += [f"{part}: {k}" for k in keys if wanted.get(k) != found[part].get(k)]
        elif wanted != found[part]:
            unlike.append(f"{part}: {found[part]} instead of {wanted}")
    return unlike


if __name__ == "__main__":
    sys.exit(main())

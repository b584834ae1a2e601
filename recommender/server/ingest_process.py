"""The process that runs an ingest for the server, and reports as lines of JSON.

    python -m recommender.server.ingest_process

It takes one line of JSON on standard input: `database`, `folders` (none for all that are known),
`workers`, and `memory_limit_mb` and `timeout_s` for each file. Each line that it prints is an
event: ``{"event": "progress", …}`` now and then, and one ``{"event": "end", …}``, which has lines
for the log as `notes`. SIGINT ends the run in good order.
"""

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recommender.catalog import Catalog
from recommender.errors import RecsysError
from recommender.ingestion import IngestReport, IngestSettings, ingest
from recommender.ingestion.report import NoProgress, Outcome
from recommender.ingestion.settings import usual_model
from recommender.server.linking.relink import relink_servers
from recommender.utils.terminal_text import one_line

_EVERY_S = 0.25
_NICENESS = 10


class _Reporter(NoProgress):
    """Prints how far the ingest is, a few times a second."""

    def __init__(self) -> None:
        self._state: dict[str, Any] = {
            "phase": "scanning",
            "scanned": 0,
            "planned": 0,
            "done": 0,
            "failed": 0,
        }
        self._next = 0.0
        self._change(now=True)

    def scanned(self, entries: int) -> None:
        """So many entries."""
        self._change(scanned=entries)

    def planned(self, files: int) -> None:
        """So many files."""
        self._change(phase="analysing", planned=files, now=True)

    def done(self, path: Path, outcome: Outcome, reason: str | None = None) -> None:
        """One file more."""
        failed = self._state["failed"] + (outcome is Outcome.FAILED)
        self._change(done=self._state["done"] + 1, failed=failed)

    def indexing(self, tracks: int) -> None:
        """Of so many tracks."""
        self._change(phase="indexing", now=True)

    def _change(self, *, now: bool = False, **values: object) -> None:
        self._state.update(values)
        if now or time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY_S
            _say({"event": "progress", **self._state})


def main() -> None:
    """Run one ingest. Errors are events; the exit status is 0 unless the process was broken off."""
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(_NICENESS)
    job = json.loads(sys.stdin.readline())
    names = ("workers", "memory_limit_mb", "timeout_s")
    given = {name: job[name] for name in names}
    try:
        with Catalog.open(job["database"], create=False) as catalog:
            settings = IngestSettings(model=usual_model(catalog), **given)
            report = ingest(catalog, job["folders"] or None, settings, _Reporter())
            notes = [] if report.interrupted else _placed_on_map(catalog)
            notes += [] if report.interrupted else _linked_again(catalog, report)
    except KeyboardInterrupt:  # behind the analysis, of which all is stored
        _say({"event": "end", "interrupted": True, "counts": None, "notes": []})
    except RecsysError as error:
        _say({"event": "end", "error": str(error), "kind": type(error).__name__})
    else:
        counts = _counts(report)
        _say({"event": "end", "interrupted": report.interrupted, "counts": counts, "notes": notes})


def _placed_on_map(catalog: Catalog) -> list[str]:
    """Place what is new on the stored map and in the stored clusters; a line where that fails."""
    if not catalog.layout_kinds():
        return []
    from recommender.library_map import place_new_tracks

    try:
        with suppress(KeyboardInterrupt):  # the ingest itself has ended in good order
            place_new_tracks(catalog)
    except RecsysError as error:
        return [f"new tracks are not on the map yet: {one_line(str(error))}"]
    return []


def _linked_again(catalog: Catalog, report: IngestReport) -> list[str]:
    """A line for each linked media server, where tracks are others than before."""
    changed = (report.analysed, report.retagged, report.moved, report.found_again, report.missing)
    if not any(changed):
        return []
    with suppress(KeyboardInterrupt):  # the ingest itself has ended in good order
        return relink_servers(catalog)
    return []


def _counts(report: IngestReport) -> dict[str, Any]:
    """Numbers, without the names of folders."""
    counted = {
        name: value
        for name, value in asdict(report).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return {
        **counted,
        "skipped": report.skipped,
        "unreadable": len(report.unreadable),
        "unavailable": sum(tracks for _, tracks in report.unavailable),
    }


def _say(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""The progress line of `recsys ingest`, on a terminal only."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from recommender.cli.output import clock, counted, note
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from rich.progress import Progress

    from recommender.ingestion import Outcome


@contextmanager
def ingest_progress() -> Iterator["IngestProgress"]:
    """A bar with rate, time left, number of failures, and the file in work."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.table import Column

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        # File names may hold what rich would take for markup.
        TextColumn(
            "{task.fields[detail]}",
            markup=False,
            table_column=Column(no_wrap=True, overflow="ellipsis"),
        ),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    with bar:
        yield IngestProgress(bar)


class IngestProgress:
    """A `recommender.ingestion.ProgressReporter` that draws on a `rich` progress bar."""

    def __init__(self, bar: "Progress") -> None:
        """Draw on `bar`, which is started already."""
        self._bar = bar
        self._scan = bar.add_task("scanning", total=None, detail="")
        self._analyse = bar.add_task("analysing", total=None, detail="", visible=False)
        self._planned = self._done = self._failed = 0
        self._began = time.monotonic()
        self._file = ""

    def unavailable(self, root: Path, tracks: int) -> None:
        """The summary at the end says it."""

    def scanned(self, entries: int) -> None:
        """Show how many files and folders have been looked at."""
        self._bar.update(self._scan, completed=entries)

    def reanalysing(self, tracks: int) -> None:
        """Say that other weights are installed now."""
        note(
            f"the model's weights have changed: {counted(tracks, 'track')} of the catalogue in "
            "these folders will be analysed again; until the whole catalogue is, recommendations "
            "stay as they are."
        )

    def planned(self, files: int) -> None:
        """Go over from scanning to analysing."""
        self._planned, self._began = files, time.monotonic()
        self._bar.update(self._scan, visible=False)
        self._bar.reset(self._analyse, total=files, visible=files > 0, detail="")

    def started(self, path: Path) -> None:
        """Show the file in work."""
        self._file = one_line(path.name)
        self._show()

    def done(self, path: Path, outcome: "Outcome", reason: str | None = None) -> None:
        """Count a file, and a failure apart."""
        self._done += 1
        self._failed += outcome == "failed"
        self._bar.update(self._analyse, advance=1)
        self._show()
        if self._done == self._planned:
            self._bar.refresh()  # before the line gives way to that of the index

    def indexing(self, tracks: int) -> None:
        """Show that the index is being built."""
        self._bar.update(self._analyse, visible=False)
        self._bar.update(
            self._scan, description="indexing", total=None, completed=tracks, visible=True
        )

    def _show(self) -> None:
        self._bar.update(self._analyse, detail=self._detail())

    def _detail(self) -> str:
        """Rate and time left, failures, the file in work.

        The rate is the mean from the beginning, as results arrive in batches.
        """
        parts = []
        rate = self._done / max(time.monotonic() - self._began, 1e-3)
        if rate:
            parts = [f"{rate:.1f}/s", f"{clock((self._planned - self._done) / rate)} left"]
        if self._failed:
            parts.append(f"{self._failed:,} failed")
        return "  ".join([*parts, self._file])

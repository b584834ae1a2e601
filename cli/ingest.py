"""`recsys ingest`: bring the catalogue up to date with folders of music."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.output import (
    AsJson,
    Database,
    counted,
    note,
    open_catalog,
    print_json,
    progress_bar,
    say,
)
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from rich.progress import Progress

    from recommender.ingestion import IngestReport, Outcome


def ingest_command(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDERS", help="Music folders, or folders inside one."),
    ],
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Leave out what matches it (gitignore syntax, from the library's root) in this "
            "run; may be given several times.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="A model that 'recsys models' lists, or a folder of weights. Default: the one "
            "marked there.",
            show_default=False,
        ),
    ] = None,
    windows: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="How many windows of 10 s are analysed of each track; 0: the whole track. Default: "
            "as the model's card says.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="How many processes listen. Default: one per core.")
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            min=1, metavar="SECONDS", help="After so long a file is given up as a failure."
        ),
    ] = 300.0,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Also try unchanged files that failed before."),
    ] = False,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Listen to what is new or changed in FOLDERS, and keep the catalogue in step with them.

    A file named .recsysignore in any folder holds patterns (gitignore syntax) of what to leave out.
    """
    from recommender.ingestion import ingest

    settings = _settings(model, windows, workers, timeout, exclude or [], retry_failed)
    with open_catalog(db, create=True) as catalog, progress_bar() as bar:
        report = ingest(catalog, folders, settings, _Bar(bar))
    if as_json:
        print_json({**asdict(report), "skipped": report.skipped})
    else:
        _print(report)
    if report.interrupted:
        note("interrupted: run the same command again to go on.")
        raise typer.Exit(130)


def _settings(
    model: str | None,
    windows: int | None,
    workers: int | None,
    timeout: float,
    exclude: list[str],
    retry_failed: bool,
) -> Any:
    from recommender.ingestion import IngestSettings

    given: dict[str, Any] = {
        "timeout_s": timeout,
        "exclude": tuple(exclude),
        "retry_failed": retry_failed,
        "in_process": False,  # a decoder that crashes costs its file, with one worker, too
    }
    if model is not None:
        given["model"] = model
    if workers is not None:
        given["workers"] = workers
    if windows is not None:
        from recommender.audio.windows import Windowing

        given["windowing"] = Windowing(count=windows)
    return IngestSettings(**given)


class _Bar:
    """Shows an ingest's progress on a terminal."""

    def __init__(self, bar: "Progress") -> None:
        self._bar = bar
        self._scan = bar.add_task("looking", total=None, detail="")
        self._analyse = bar.add_task("analysing", total=None, detail="", visible=False)
        self._failed = 0

    def scanned(self, entries: int) -> None:
        self._bar.update(self._scan, completed=entries)

    def reanalysing(self, tracks: int) -> None:
        note(
            f"the model's weights have changed: {counted(tracks, 'track')} of the catalogue in "
            "these folders will be analysed again; until the whole catalogue is, recommendations "
            "stay as they are."
        )

    def planned(self, files: int) -> None:
        self._bar.update(self._scan, visible=False)
        self._bar.update(self._analyse, total=files, visible=files > 0)

    def unavailable(self, root: Path, tracks: int) -> None:
        note(
            f"{one_line(str(root))} is absent or empty (is the disk mounted?): "
            f"{counted(tracks, 'track')} of it will not be recommended until it is back."
        )

    def started(self, path: Path) -> None:
        """Shown when done."""

    def indexing(self, tracks: int) -> None:
        self._bar.update(self._analyse, visible=False)
        self._bar.add_task("indexing", total=None, detail=counted(tracks, "track"))

    def done(self, path: Path, outcome: "Outcome", reason: str | None = None) -> None:
        self._failed += outcome == "failed"
        failed = f"{self._failed} failed " if self._failed else ""
        self._bar.update(self._analyse, advance=1, detail=failed + one_line(path.name)[:50])


def _print(report: "IngestReport") -> None:
    say(f"{counted(report.scanned, 'file')} in {report.seconds:.1f} s:")
    counts = {
        "analysed": report.analysed,
        "tags read again": report.retagged,
        "moved or renamed": report.moved,
        "found again": report.found_again,
        "unchanged": report.unchanged,
        "failed": report.failed,
        "still failing": report.still_failing,
        "skipped, no sound": report.skipped,
        "not reached": report.not_reached,
    }
    for what, count in counts.items():
        if count:
            say(f"  {count:>8,} {what}")
    if report.skipped:
        kinds = ", ".join(f"{n:,} {ending}" for ending, n in report.skipped_by_ending.items())
        say(f"           ({kinds})")
    if report.missing:
        say(
            f"marked missing, as vanished or left out now: {counted(report.missing, 'track')} "
            "('recsys prune' drops what is missing)."
        )
    if report.excluded:
        left_out = counted(report.excluded, "file or folder", "files or folders")
        say(f"{left_out} left out by patterns.")
    _print_notes(report)


def _print_notes(report: "IngestReport") -> None:
    """What is no result, but should be known."""
    if report.not_analysed:
        note(
            "analysed in other folders by another model or with other windows: "
            f"{counted(report.not_analysed, 'track')}; recommendations are made as before until those "
            "folders are ingested, too."
        )
    if report.switched:
        note("every track was analysed by this model: it makes the recommendations from now on.")
    if report.adaptation_left:
        note("its projection is not adapted to this catalogue yet: 'recsys adapt' does that.")
    for place, reason in report.unreadable:
        note(f"not looked at: {one_line(str(place))} ({reason})")
    if report.failed or report.still_failing:
        note("'recsys failures' lists what could not be analysed, and why.")

"""`recsys ingest`: bring the catalogue up to date with music folders."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.ingest_progress import ingest_progress
from recommender.cli.library import folder_state
from recommender.cli.options import ADVANCED, AsJson, Database, Limits, parse_limits
from recommender.cli.output import counted, note, open_catalog, print_json, say
from recommender.errors import RecsysError
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog import Catalog
    from recommender.ingestion import IngestReport, IngestSettings
    from recommender.ingestion.worker_limits import FileLimits

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PATH…",
        help="Music folders, folders inside one, or single files. None: all folders of the "
        "catalogue.",
        show_default=False,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        help="Leave out what matches (gitignore syntax, from the library's root) in this run; may "
        "be repeated.",
    ),
]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Also try unchanged files that failed before.")
]
Reanalyze = Annotated[
    bool,
    typer.Option("--reanalyze", help="Analyse every file again, also those that did not change."),
]
RereadTags = Annotated[
    bool,
    typer.Option(
        "--reread-tags",
        help="Read the tags of every file again, also where size and time did not change; a file "
        "whose content changed all the same is analysed.",
    ),
]
Descriptors = Annotated[
    bool,
    typer.Option(
        "--descriptors/--no-descriptors",
        help="Whether tempo, key, loudness and the like are computed, also of tracks analysed "
        "before that lack them.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="A model that 'recsys models' lists, or a folder of weights. Default: the added model "
        "that the catalogue is recommended with, else the one marked there.",
        show_default=False,
        rich_help_panel=ADVANCED,
    ),
]
Windows = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="How many windows of 10 s are analysed of each track; 0: the whole track. Default: as "
        "the model's card says.",
        rich_help_panel=ADVANCED,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="How many processes analyse. Default: one per core.",
        rich_help_panel=ADVANCED,
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Analyse on the nodes of a Ray cluster (HOST:PORT of its head, or auto), which see "
        "the same folders and have this package; --workers then is the number of actors. Needs the "
        "extra 'ray'.",
        rich_help_panel=ADVANCED,
    ),
]

_MOST_ACTORS = 4096
"""Where a cluster is to be used whole."""

_SHEETS_SHOWN = 20

FormerTimeout = Annotated[float | None, typer.Option("--timeout", min=1, hidden=True)]
"""In version 0.1 what the time of `--limits` is now; accepted for this version."""


def ingest_command(
    paths: Paths = None,
    exclude: Exclude = None,
    retry_failed: RetryFailed = False,
    reanalyze: Reanalyze = False,
    reread_tags: RereadTags = False,
    descriptors: Descriptors = True,
    as_json: AsJson = False,
    model: Model = None,
    windows: Windows = None,
    workers: Workers = None,
    limits: Limits = None,
    timeout: FormerTimeout = None,
    ray: Ray = None,
    db: Database = None,
) -> None:
    """Analyse what is new or changed in music folders, and update the catalogue.

    Without PATH, all folders of the catalogue are scanned again.

    A file named .recsysignore in any folder holds patterns (gitignore syntax) of what to leave out.
    Recycle bins, version folders and snapshots, AppleDouble files, @eaDir and half-transferred
    files are left out without one; a pattern such as !.Trashes/ brings them back.

    A cue sheet beside a file, or else in its tags, divides the file into the tracks of the sheet.
    """
    from recommender.ingestion import ingest
    from recommender.ingestion.settings import usual_model

    if timeout is not None and limits is None:
        limits = parse_limits(f"{timeout}s")
    unchanged = {
        "retry_failed": retry_failed,
        "reanalyze": reanalyze,
        "reread_tags": reread_tags,
        "descriptors": descriptors,
    }
    if ray is not None and workers is None:
        workers = _MOST_ACTORS
    settings = _settings(model, windows, workers, limits, exclude or [], {**unchanged, "ray": ray})
    with _catalog_to_fill(db, create=bool(paths)) as catalog:
        if model is None:
            settings = replace(settings, model=usual_model(catalog))
        with ingest_progress() as progress:
            report = ingest(catalog, paths or None, settings, progress)
            if not report.interrupted and catalog.layout_kinds():
                _place_on_map(catalog)
        if as_json:
            print_json({**asdict(report), "skipped": report.skipped})
        else:
            _print(report)
        if _has_changed(report):
            for line in _linked_again(catalog):
                note(line)
    if report.interrupted:
        note("interrupted: run the same command again to go on.")
        raise typer.Exit(130)


def _place_on_map(catalog: "Catalog") -> None:
    """Place what is new on the stored map and in the stored clusters."""
    from recommender.library_map import place_new_tracks

    try:
        place_new_tracks(catalog)
    except RecsysError as error:
        note(f"new tracks are not on the map yet: {one_line(str(error))}")


@contextmanager
def _catalog_to_fill(url: str | None, *, create: bool) -> "Iterator[Catalog]":
    """The catalogue; if it is new and the ingest fails before any track is stored, none is left."""
    with open_catalog(url, create=create) as catalog:
        try:
            yield catalog
        except BaseException:
            from recommender.ingestion.lock import discard_unused

            discard_unused(catalog)
            raise


def _has_changed(report: "IngestReport") -> bool:
    """Whether other tracks may be recommended than before, or by other names."""
    counts = (report.analysed, report.retagged, report.moved, report.found_again, report.missing)
    return any(counts) and not report.interrupted


def _linked_again(catalog: "Catalog") -> list[str]:
    """A line for each media server that is linked; none without them, or without the server."""
    if not catalog.servers():
        return []
    try:
        from recommender.server.linking.relink import relink_servers
    except ModuleNotFoundError:  # the extra is not installed
        return []
    return relink_servers(catalog)


def _settings(
    model: str | None,
    windows: int | None,
    workers: int | None,
    limits: "FileLimits | None",
    exclude: list[str],
    others: dict[str, Any],
) -> "IngestSettings":
    from recommender.ingestion import IngestSettings

    given: dict[str, Any] = {"exclude": tuple(exclude), **others}
    if model is not None:
        given["model"] = model
    if limits is not None:
        given |= {"timeout_s": limits.timeout_s, "memory_limit_mb": limits.memory_mb}
    if workers is not None:
        given["workers"] = workers
    if windows is not None:
        from recommender.audio.windows import Windowing

        given["windowing"] = Windowing(count=windows)
    return IngestSettings(**given)


def _print(report: "IngestReport") -> None:
    say(f"{counted(report.scanned, 'file')} in {report.seconds:.1f} s" + ":" * (report.scanned > 0))
    counts = {
        "analysed": report.analysed,
        "tags updated": report.retagged,
        "analysed before, musical descriptors added": report.described,
        "moved or renamed": report.moved,
        "found again": report.found_again,
        "unchanged": report.unchanged,
        "failed": report.failed,
        "still failing": report.still_failing,
        "skipped, no audio": report.skipped,
        "not reached": report.not_reached,
    }
    for what, count in counts.items():
        if count:
            say(f"  {count:>8,} {what}")
    if report.skipped:
        types = ", ".join(f"{n:,} {ending}" for ending, n in report.skipped_by_ending.items())
        say(f"           ({types})")
    if report.missing:
        say(
            f"marked missing, as deleted or left out now: {counted(report.missing, 'track')} "
            "('recsys prune' drops missing tracks)."
        )
    if report.excluded:
        left_out = counted(report.excluded, "file or folder", "files or folders")
        say(f"{left_out} left out by patterns.")
    _print_notes(report)


def _print_notes(report: "IngestReport") -> None:
    """Remarks that are not part of the summary."""
    if report.not_analysed:
        note(
            "analysed in other folders by another model or with other windows: "
            f"{counted(report.not_analysed, 'track')}; recommendations are made as before until "
            "'recsys ingest' has analysed those, too."
        )
    if report.switched:
        note("every track is analysed by this model: it makes the recommendations from now on.")
    if report.adaptation_left:
        note("its projection is not adapted to this catalogue yet: 'recsys adapt' does that.")
    for path, reason in report.unreadable:
        note(f"cannot be read: {one_line(str(path))} ({reason})")
    for path, reason in report.cue_sheets[:_SHEETS_SHOWN]:
        note(f"cue sheet not used: {one_line(str(path))}: {one_line(reason)}.")
    if more := report.cue_sheets[_SHEETS_SHOWN:]:
        note(f"and {counted(len(more), 'cue sheet')} more; 'recsys failures' lists them.")
    for root, tracks in report.unavailable:
        if folder_state(root) == "available":
            note(
                f"unavailable: {one_line(str(root))} lay on a disk that is not mounted, and most "
                f"of its files are gone; those tracks ({tracks:,}) are kept ('recsys library "
                "remove' drops them)."
            )
            continue
        note(
            f"unavailable: {one_line(str(root))} is absent or empty; its tracks ({tracks:,}) are "
            "kept, and recommended again once they are back ('recsys library remove' drops them)."
        )
    if report.failed or report.still_failing:
        note("'recsys failures' lists the files that could not be analysed, and why.")

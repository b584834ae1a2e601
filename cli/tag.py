"""`recsys tag`: tempo and key into the tags of the files themselves."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.options import AsJson, Database
from recommender.cli.output import counted, note, open_catalog, print_json, print_table
from recommender.cli.table_layout import Column, Cut
from recommender.cli.track_arguments import known_track
from recommender.errors import UsageError

if TYPE_CHECKING:
    from recommender.catalog import Catalog, Track
    from recommender.tagging import TagChange

SCHEMA_VERSION = 1
"""Of the JSON object; raised when a key changes its name or meaning."""

_REASONS_SHOWN = 20


def tag_command(
    tracks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TRACK…",
            help="Paths, track ids, or words that match one title. None: every track.",
            show_default=False,
        ),
    ] = None,
    write: Annotated[
        str | None,
        typer.Option(
            metavar="FIELDS",
            help="What is written: bpm, key, or bpm,key.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be written.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also replace a tempo or key that a file has.")
    ] = False,
    confidence: Annotated[
        float,
        typer.Option(
            min=0, max=1, metavar="X", help="Least confidence of a tempo or key to be written."
        ),
    ] = 0.4,
    undo: Annotated[
        bool,
        typer.Option("--undo", help="Put back what the last run replaced, where it is unchanged."),
    ] = False,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Write tempo and key into the files' own tags; all else in the files stays as it is.

    Each file is copied, written, compared with the original, and put in its place; times and
    permissions are kept. What was there before is kept in a journal beside the catalogue.
    """
    from recommender.tagging import TagSettings, undo_tags, write_tags

    if (write is None) != undo:
        raise UsageError("give either --write bpm,key or --undo.")
    if undo and tracks:
        raise UsageError("--undo takes back a whole run; name no track.")
    with open_catalog(db) as catalog:
        if undo:
            changes = list(undo_tags(catalog, dry_run=dry_run))
        else:
            fields = tuple(name.strip().lower() for name in (write or "").split(","))
            settings = TagSettings(fields, confidence, overwrite, dry_run)
            changes = list(write_tags(catalog, _tracks(catalog, tracks), settings))
    if as_json:
        print_json({"schema_version": SCHEMA_VERSION, "files": [_as_dict(one) for one in changes]})
    else:
        _print(changes, dry_run)


def _tracks(catalog: "Catalog", texts: list[str] | None) -> "list[Track]":
    if texts is None:
        return list(catalog.all_tracks())
    return [known_track(catalog, text) for text in texts]


def _as_dict(change: "TagChange") -> dict[str, Any]:
    return {
        "path": str(change.path),
        "before": {field: list(values) for field, values in change.before.items()},
        "after": {field: list(values) for field, values in change.after.items()},
        "reason": change.reason,
    }


def _print(changes: "Iterable[TagChange]", dry_run: bool) -> None:
    written = [change for change in changes if change.reason is None]
    left = [change for change in changes if change.reason is not None]
    if written:
        columns = (
            Column("file", least=24, cut=Cut.START),
            Column("field"),
            Column("before"),
            Column("after"),
        )
        print_table(
            columns,
            (
                (change.path, field, ", ".join(change.before[field]), ", ".join(values))
                for change in written
                for field, values in change.after.items()
            ),
        )
    verb = "would be written" if dry_run else "written"
    note(f"{counted(len(written), 'file')} {verb}, {len(left):,} left alone.")
    reasons: dict[str, int] = {}
    for change in left:
        reasons[change.reason or ""] = reasons.get(change.reason or "", 0) + 1
    for reason, count in sorted(reasons.items(), key=lambda pair: -pair[1])[:_REASONS_SHOWN]:
        note(f"  {count:>6,} left alone: {reason}")

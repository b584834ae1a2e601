"""`recsys like`, `skip`, `played`, `history` and `today`: what a listener likes and plays."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.listed_tracks import listed_track, track_name
from recommender.cli.options import AsJson, Database, User
from recommender.cli.output import (
    busy,
    confirm,
    counted,
    note,
    open_catalog,
    print_facts,
    print_json,
    print_table,
    say,
    writing_file,
)
from recommender.cli.table_layout import Column
from recommender.cli.track_arguments import known_track
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog import Event, Track
    from recommender.history.importing import HistoryImport

SCHEMA_VERSION = 1
"""Of the JSON objects; raised when a key changes its name or meaning."""

UNMATCHED_LISTED = 10
"""Recordings of a history that are not in the catalogue, as far as they are listed."""

history_app = typer.Typer(
    help="Import, show, export and clear what was listened to; it stays in the catalogue.",
    no_args_is_help=True,
)

Tracks = Annotated[
    list[str],
    typer.Argument(metavar="TRACK…", help="Track ids, paths, or words that match one title each."),
]


def parse_time(text: str) -> datetime:
    """A time such as ``2026-05-01T20:15``, in the local time zone where it names none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time; write, for example, 2026-05-01T20:15."
        ) from None
    return found.astimezone()


At = Annotated[
    Any,  # datetime | None
    typer.Option(
        "--at",
        parser=parse_time,
        metavar="TIME",
        help="When, as 2026-05-01T20:15. Default: now.",
        show_default=False,
    ),
]


def like_command(
    tracks: Tracks,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take it back: they are liked no longer.")
    ] = False,
    at: At = None,
    user: User = "",
    db: Database = None,
) -> None:
    """Note that you like tracks; 'recsys today' begins with such tracks."""
    _record(
        "unlike" if undo else "like", "liked no longer" if undo else "liked", tracks, at, user, db
    )


def skip_command(tracks: Tracks, at: At = None, user: User = "", db: Database = None) -> None:
    """Note that tracks were skipped; 'recsys today' keeps away from them for a while."""
    _record("skip", "skipped", tracks, at, user, db)


def played_command(tracks: Tracks, at: At = None, user: User = "", db: Database = None) -> None:
    """Note that tracks were played; --not-played DAYS leaves them out of a list."""
    _record("play", "played", tracks, at, user, db)


def _record(
    kind: str, done: str, tracks: list[str], at: datetime | None, user: str, db: str | None
) -> None:
    """Record one event of each track; all or, where one is not known, none."""
    with open_catalog(db) as catalog:
        from recommender.catalog import Event, EventKind

        found = [known_track(catalog, words) for words in tracks]
        when = at or datetime.now(UTC)
        catalog.record_events(
            Event(user, EventKind(kind), track.id, when, "recsys") for track in found
        )
    for track in found:
        say(f"{done}: {track_name(track)}")


@history_app.command("list")
def history_list_command(
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most the last N events.")] = 50,
    as_json: AsJson = False,
    user: User = "",
    db: Database = None,
) -> None:
    """List what was liked, skipped and played, the last first."""
    with open_catalog(db) as catalog:
        events = catalog.history(user)
        shown = events[: -limit - 1 : -1]
        tracks = {track.id: track for track in catalog.tracks({one.track_id for one in shown})}
    if as_json:
        print_json(
            {
                "schema_version": SCHEMA_VERSION,
                "user": user,
                "events_in_all": len(events),
                "events": [_event_as_dict(one, tracks[one.track_id]) for one in shown],
            }
        )
    elif shown:
        _print_events(shown, tracks)
        if len(events) > len(shown):
            note(f"the last {len(shown)} of {len(events):,} events; --limit N lists more.")
    else:
        note("there is no history yet: 'recsys history import FILE', 'recsys like TRACK'.")


def _print_events(events: "list[Event]", tracks: "dict[int, Track]") -> None:
    columns = (
        Column("when", number=True),
        Column("what", least=6),
        Column("title", least=16),
        Column("artist", least=12),
        Column("source", least=8, drop=1),
        Column("id", number=True, drop=2),
    )
    print_table(
        columns,
        (
            (
                f"{one.at.astimezone():%Y-%m-%d %H:%M}",
                one.kind,
                tracks[one.track_id].title,
                tracks[one.track_id].artist,
                one.source,
                one.track_id,
            )
            for one in events
        ),
    )


def _event_as_dict(event: "Event", track: "Track") -> dict[str, Any]:
    return {"kind": event.kind, "at": event.at, "source": event.source, **listed_track(track)}


@history_app.command("import")
def history_import_command(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="An export of ListenBrainz (.zip, or JSON lines) or of Last.fm (CSV or JSON).",
        ),
    ],
    as_json: AsJson = False,
    user: User = "",
    db: Database = None,
) -> None:
    """Add a history of ListenBrainz or Last.fm; what is known already is not added again."""
    from recommender.history.importing import import_history

    with open_catalog(db) as catalog, busy("reading the history"):
        found = import_history(catalog, file, user)
    if as_json:
        print_json({"schema_version": SCHEMA_VERSION, "user": user, **asdict(found)})
        return
    _print_import(found)


def _print_import(found: "HistoryImport") -> None:
    print_facts(
        [
            ("format", found.format),
            ("events read", f"{found.read:,}"),
            ("of known tracks", f"{found.matched:,} (of {counted(found.tracks, 'track')})"),
            ("added", f"{found.added:,}"),
        ]
    )
    if found.unmatched:
        say()
        print_table(
            ("not in the catalogue", "by", ">events"),
            ((u.title, u.artist, u.count) for u in found.unmatched[:UNMATCHED_LISTED]),
        )
        if len(found.unmatched) > UNMATCHED_LISTED:
            more = len(found.unmatched) - UNMATCHED_LISTED
            say(f"and {counted(more, 'more recording')} (--json lists them).")
    if found.unreadable_count:
        note(f"{counted(found.unreadable_count, 'event')} cannot be read, such as:")
        for line in found.unreadable:
            note(f"  {one_line(line)}")


@history_app.command("export")
def history_export_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON lines, as ListenBrainz has them.")
    ],
    user: User = "",
    db: Database = None,
) -> None:
    """Write what was liked and played to a file that ListenBrainz, and 'import', can read."""
    from recommender.history.export import export_history

    with open_catalog(db) as catalog, writing_file(file), busy("writing the history"):
        written = export_history(catalog, file, user)
    say(f"{counted(written, 'event')} written to {file}")


@history_app.command("clear")
def history_clear_command(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Only the events of this source, as 'recsys history list' shows it.",
            show_default=False,
        ),
    ] = None,
    user: User = "",
    db: Database = None,
) -> None:
    """Drop a history, or the events of one source; no track is touched."""
    with open_catalog(db) as catalog:
        if not yes:
            count = sum(source in (None, event.source) for event in catalog.history(user))
            confirm(f"Drop {counted(count, 'event')} of the history?")
        dropped = catalog.clear_history(user, source)
    say(f"{counted(dropped, 'event')} dropped.")

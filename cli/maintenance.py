"""`recsys verify`, `prune`, `library`, `db`: care of the catalogue."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from recommender.cli.output import (
    AsJson,
    Database,
    counted,
    counting,
    note,
    open_catalog,
    print_json,
    print_table,
    say,
)

library_app = typer.Typer(
    help="List and move the music folders of the catalogue.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
database_app = typer.Typer(
    help="Upgrade the database behind the catalogue.", no_args_is_help=True, rich_markup_mode=None
)


def verify_command(
    content: Annotated[
        bool,
        typer.Option(
            "--content",
            help="Read every file whole, and compare its bytes with those of the last such check.",
        ),
    ] = False,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Repair what can be repaired without analysing a file again."),
    ] = False,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Check the catalogue against the files and the index; status 1 when something is off."""
    from recommender.verification import verify

    with open_catalog(db) as catalog, counting("verifying") as on_track:
        findings = verify(catalog, content=content, repair=repair, on_track=on_track)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    elif findings:
        print_table(
            ("what", "where", "detail", "what to do"),
            ((f.kind, f.where, f.detail, "repaired" if f.repaired else f.fix) for f in findings),
        )
    else:
        say("catalogue, files and index agree.")
    if any(not finding.repaired for finding in findings):
        raise typer.Exit(1)


def prune_command(
    force: Annotated[
        bool, typer.Option("--force", help="Do it even when over half of all tracks are missing.")
    ] = False,
    db: Database = None,
) -> None:
    """Drop the tracks whose files were missing at the last ingest."""
    with open_catalog(db) as catalog:
        dropped = catalog.prune(force=force)
    say(f"{counted(dropped, 'missing track')} dropped.")


@library_app.command("list")
def library_list_command(as_json: AsJson = False, db: Database = None) -> None:
    """List the music folders."""
    with open_catalog(db) as catalog:
        libraries = catalog.libraries()
    if as_json:
        print_json([asdict(library) for library in libraries])
    else:
        print_table((">id", "folder"), ((library.id, library.root) for library in libraries))


@library_app.command("move")
def library_move_command(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Where the folder was.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Where it is now.")],
    db: Database = None,
) -> None:
    """Tell the catalogue that a music folder has moved; nothing is analysed again."""
    from recommender.errors import UsageError

    if not new.is_dir():
        raise UsageError(f"there is no folder {new}: mount it, or check the path.")
    with open_catalog(db) as catalog:
        library = catalog.move_library(old, new)
    say(f"the library is now at {library.root}")


@database_app.command("upgrade")
def database_upgrade_command(db: Database = None) -> None:
    """Bring the database to this version's schema."""
    from recommender.catalog import migrations

    before = migrations.current(db)
    migrations.upgrade(db)
    after = migrations.current(db)
    say(f"already at {after}." if before == after else f"upgraded: {before or 'new'} → {after}.")


@database_app.command("current")
def database_current_command(db: Database = None) -> None:
    """Show the schema version of the database, and the newest."""
    from recommender.catalog import migrations

    found = migrations.current(db)
    say(f"{found or 'no schema'} (newest: {migrations.HEAD})")
    if found != migrations.HEAD:
        note("run 'recsys db upgrade'.")

"""`recsys verify`, `prune` and `db`: care of the catalogue."""

from dataclasses import asdict
from typing import Annotated

import typer

from recommender.cli.options import AsJson, Database, Limits
from recommender.cli.output import (
    DATABASE_HINT,
    counted,
    counting,
    hint,
    note,
    open_catalog,
    print_json,
    print_table,
    say,
)
from recommender.cli.table_layout import Column, Cut
from recommender.errors import CatalogError

database_app = typer.Typer(help="Upgrade the database behind the catalogue.", no_args_is_help=True)


def verify_command(
    content: Annotated[
        bool,
        typer.Option(
            "--content",
            help="Read every file whole, and compare it with what was analysed.",
        ),
    ] = False,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Repair it; damaged embeddings need an ingest after that."),
    ] = False,
    limits: Limits = None,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Check the catalogue against the files and the index; status 1 when something is wrong."""
    from recommender.verification import verify

    with open_catalog(db) as catalog, counting("verifying") as on_track:
        findings = verify(catalog, content=content, repair=repair, on_track=on_track, limits=limits)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    elif findings:
        print_table(
            (
                Column("what", least=12),
                Column("where", least=20, cut=Cut.START),
                Column("detail", least=16, drop=1, wraps=True),
                Column("to do", least=20, wraps=True),
            ),
            ((f.kind, f.where, f.detail, "repaired" if f.repaired else f.fix) for f in findings),
        )
    else:
        say("catalogue, files and index agree.")
    if any(not finding.repaired for finding in findings):
        if not as_json:
            note(
                "'recsys verify --repair' repairs what it can; 'recsys ingest --reanalyze PATH' "
                "analyses a file again, and with --reread-tags only its tags are read."
            )
        raise typer.Exit(1)


def prune_command(
    force: Annotated[
        bool, typer.Option("--force", help="Also when over half of all tracks are missing.")
    ] = False,
    db: Database = None,
) -> None:
    """Drop the tracks whose files were missing at the last ingest.

    Unavailable tracks stay: the folder of their library may be on a disk that is not mounted.
    """
    with open_catalog(db) as catalog:
        with hint(CatalogError, "(--force drops them all the same.)"):
            dropped = catalog.prune(force=force)
        counts = catalog.counts()
    say(f"{counted(dropped, 'missing track')} dropped.")
    if counts.unavailable:
        note(
            f"left: {counted(counts.unavailable, 'unavailable track')}; their folders are absent "
            "or empty ('recsys library list' names them)."
        )
    if counts.failed_tracks:
        note(
            f"left: {counted(counts.failed_tracks, 'track')} whose files cannot be analysed now "
            "('recsys failures' says why)."
        )


@database_app.command("upgrade")
def database_upgrade_command(
    backup: Annotated[
        bool,
        typer.Option("--backup/--no-backup", help="Copy the database first, to a file beside it."),
    ] = True,
    db: Database = None,
) -> None:
    """Bring the database to this version's schema."""
    from recommender.catalog import migrations

    with hint(CatalogError, DATABASE_HINT):
        before = migrations.current(db)
        copied = migrations.upgrade(db, backup=backup)
        after = migrations.current(db)
    if copied is not None:
        note(f"the database as it was: {copied}")
    say(f"already at {after}." if before == after else f"upgraded: {before or 'new'} → {after}.")


@database_app.command("current")
def database_current_command(db: Database = None) -> None:
    """Show the schema version of the database, and the newest."""
    from recommender.catalog import migrations

    with hint(CatalogError, DATABASE_HINT):
        found = migrations.current(db)
    say(f"{found or 'no schema'} (newest: {migrations.HEAD})")
    if found != migrations.HEAD:
        note("run 'recsys db upgrade'.")

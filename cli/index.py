"""`recsys index`: the index of a catalogue, published for other hosts."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.options import Database
from recommender.cli.output import DATABASE_HINT, hint, open_catalog, say
from recommender.errors import CatalogError, RecsysError, UsageError

if TYPE_CHECKING:
    from recommender.search.published import Published

index_app = typer.Typer(
    help="Publish the index in a folder, and take it over from there: for replicas.",
    no_args_is_help=True,
)


@index_app.command("export")
def index_export_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Created where it is absent.")],
    db: Database = None,
) -> None:
    """Publish the index, and a SQLite catalogue with it, as a generation in FOLDER.

    It appears at once and whole, with the SHA-256 of its files; the two newest ones are kept.
    """
    from recommender.search.published import export_index

    with open_catalog(db) as catalog:
        published = export_index(catalog, folder)
    say(f"{folder / published.name}: {_size(published)}")


@index_app.command("import")
def index_import_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where it was exported to.")],
    every: Annotated[
        float | None,
        typer.Option(
            "--every", metavar="SECONDS", help="Go on, and look for a newer one so often."
        ),
    ] = None,
    db: Database = None,
) -> None:
    """Take over the newest generation in FOLDER, once all its digests are right.

    A server that runs on this catalogue goes on, and uses it from its next look on. A SQLite
    catalogue becomes a copy of the published one; a database server is left as it is.
    """
    from recommender.search.published import import_index

    if every is not None and not every > 0:
        raise UsageError("--every takes a number of seconds above 0.")
    while True:
        try:
            with hint(CatalogError, DATABASE_HINT):
                published, changed = import_index(db, folder)
        except (RecsysError, OSError) as error:
            if every is None:
                raise
            say(f"left as it is: {error}")
        else:
            if changed or every is None:
                text = _size(published) if changed else "is here already"
                say(f"{folder / published.name}: {text}")
        if every is None:
            return
        time.sleep(every)


def _size(published: "Published") -> str:
    size = sum(size for size, _ in published.files.values()) / 1e6
    return f"revision {published.state.revision}, {size:,.1f} MB"

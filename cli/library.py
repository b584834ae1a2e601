"""`recsys library`: the music folders of the catalogue."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.options import AsJson, Database
from recommender.cli.output import confirm, counted, open_catalog, print_json, print_table, say
from recommender.cli.table_layout import Column, Cut
from recommender.errors import UsageError

if TYPE_CHECKING:
    from recommender.catalog import Catalog

library_app = typer.Typer(
    help="List, move and remove the music folders of the catalogue.", no_args_is_help=True
)


@library_app.command("list")
def library_list_command(as_json: AsJson = False, db: Database = None) -> None:
    """List the music folders, whether they are there, and how many tracks they hold."""
    with open_catalog(db) as catalog:
        libraries = _described(catalog)
    if as_json:
        print_json(libraries)
        return
    columns = (
        Column("id", number=True),
        Column("state", least=11),
        Column("analysed", number=True),
        Column("missing", number=True, drop=2),
        Column("unavailable", number=True, drop=1),
        Column("failed", number=True, drop=3),
        Column("folder", least=30, cut=Cut.START),
    )
    print_table(columns, ([library[key] for key in _COLUMN_KEYS] for library in libraries))


_COLUMN_KEYS = ("id", "state", "analysed", "missing", "unavailable", "failed", "root")


def _described(catalog: "Catalog") -> list[dict[str, Any]]:
    """The libraries, each with its state on disk and its tracks by state."""
    from recommender.catalog import TrackState

    counts = catalog.library_counts()
    return [
        {
            **asdict(library),
            "state": folder_state(library.root),
            **{state.value: counts.get(library.id, {}).get(state, 0) for state in TrackState},
        }
        for library in catalog.libraries()
    ]


def folder_state(root: Path) -> str:
    """What a folder is like now: available, empty, absent or unreadable."""
    try:
        return "available" if any(root.iterdir()) else "empty"
    except FileNotFoundError:
        return "absent"
    except OSError:
        return "unreadable"


@library_app.command("map")
def library_map_command(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="The folder as other hosts see it.")],
    here: Annotated[Path, typer.Argument(metavar="HERE", help="The same folder on this host.")],
    db: Database = None,
) -> None:
    """Record that this host sees a music folder under another path than others.

    For hosts that share one catalogue. A host goes by its name, or by $RECSYS_HOST.
    """
    if not here.is_dir():
        raise UsageError(f"there is no folder {here}: mount it, or check the path.")
    with open_catalog(db) as catalog:
        library = catalog.map_library(root, here)
    say(f"On this host, {root} is {library.root}.")


@library_app.command("move")
def library_move_command(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Where the folder was.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Where it is now.")],
    db: Database = None,
) -> None:
    """Record that a music folder has moved; nothing is analysed again."""
    if not new.is_dir():
        raise UsageError(f"there is no folder {new}: mount it, or check the path.")
    with open_catalog(db) as catalog:
        library = catalog.move_library(old, new)
    say(f"the library is now at {library.root}")


@library_app.command("remove")
def library_remove_command(
    root: Annotated[
        Path, typer.Argument(metavar="ROOT", help="The folder, as 'recsys library list' shows it.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    db: Database = None,
) -> None:
    """Drop a music folder and all its tracks from the catalogue; no file is touched."""
    with open_catalog(db) as catalog:
        if not yes:
            confirm(f"Drop {root} and what was analysed of its tracks?")
        dropped = catalog.remove_library(root)
    say(f"{root} removed from the catalogue with {counted(dropped, 'track')}.")

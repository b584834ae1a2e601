"""What every command shares: the database option, JSON, tables, progress."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from recommender.catalog import Catalog
    from recommender.catalog.records import Track

Database = Annotated[
    str | None,
    typer.Option(
        "--db",
        envvar="RECSYS_DB",
        help="Catalogue: a SQLite file or an SQLAlchemy URL. Default: the user's data folder.",
        show_default=False,
    ),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def open_catalog(url: str | None) -> "Catalog":
    """The catalogue a command works on."""
    from recommender.catalog import Catalog

    return Catalog.open(url)


def say(text: str = "") -> None:
    """A line on standard output, safe for names that are not valid text."""
    typer.echo(printable(text))


def note(text: str) -> None:
    """A line on standard error: progress and remarks that are not the result."""
    typer.echo(printable(text), err=True)


def printable(text: str) -> str:
    """Undecodable bytes and line breaks of file names shown as escapes."""
    shown = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in shown)


def one_line(text: str) -> str:
    """`printable` for a name in a table: a line break in it is an escape, too."""
    return printable(text).replace("\n", "\\n")


def print_json(value: Any) -> None:
    """JSON on standard output, ASCII only, so that any path survives any pipe."""
    typer.echo(json.dumps(value, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table that fits a terminal, and is never cut in a pipe."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        right = heading.startswith(">")
        table.add_column(heading.lstrip(">"), justify="right" if right else "left")
    for row in rows:
        table.add_row(*(Text("" if cell is None else one_line(str(cell))) for cell in row))
    terminal = sys.stdout.isatty()
    Console(width=None if terminal else 10_000, soft_wrap=not terminal).print(table)


def progress_bar() -> "Progress":
    """A bar on standard error; it shows nothing in a pipe."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def track_as_dict(track: "Track") -> dict[str, Any]:
    """A track for JSON: everything but the library object."""
    from dataclasses import asdict

    values = asdict(track)
    values["library"] = str(track.library.root)
    values["file"] = str(track.file)
    values["genre_heard"] = track.genre_heard
    return values

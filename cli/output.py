"""What every command shares: the database option, JSON, tables, progress."""

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.utils.terminal_text import one_line, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from recommender.catalog import Catalog
    from recommender.catalog.records import Track

Database = Annotated[
    str | None,
    typer.Option(
        "--db",
        envvar="RECSYS_DB",
        metavar="FILE|URL",
        help="The catalogue: a SQLite file or an SQLAlchemy URL. Default: catalog.db in the "
        "user's data folder.",
        show_default=False,
    ),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

GtzanPath = Annotated[
    Path,
    typer.Option(
        "--gtzan",
        metavar="PATH",
        help="GTZAN: a folder of ten genre folders, or a log-Mel archive.",
    ),
]

Threads = Annotated[
    int | None, typer.Option(min=1, help="Processor threads. Default: torch's choice.")
]

WIDTH_IN_A_PIPE = 1_000_000
"""No table is as wide, so that a program that reads one finds every row on one line."""


class Device(StrEnum):
    """Where to compute."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class RankedBy(StrEnum):
    """What orders recommendations."""

    NEIGHBOURHOOD = "reranked"
    COSINE = "cosine"


RankingChoice = Annotated[
    RankedBy,
    typer.Option(
        help="What orders tracks: the neighbourhoods of the whole catalogue (which 100 tracks "
        "make), or the bare cosines of embeddings."
    ),
]


def torch_device(device: Device) -> str:
    """What torch calls it. Raises `UsageError` when a GPU is asked for and torch sees none."""
    import torch

    from recommender.errors import UsageError

    visible = device is not Device.CPU and torch.cuda.is_available()
    if device is Device.CUDA and not visible:
        raise UsageError("torch sees no GPU: use --device cpu.")
    return "cuda" if visible else "cpu"


def open_catalog(url: str | None, *, create: bool = False) -> "Catalog":
    """The catalogue a command works on; only an ingest makes a new one."""
    from recommender.catalog import Catalog

    return Catalog.open(url, create=create)


def say(text: str = "") -> None:
    """A line on standard output, safe for names that are not valid text."""
    typer.echo(printable(text))


def note(text: str) -> None:
    """A line on standard error: remarks that are not the result."""
    typer.echo(printable(text), err=True)


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 track", "2 tracks", "1,000 tracks".

    Args:
        count: how many.
        one: the noun for one of them.
        many: for any other number; `one` with an s when None.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def figure(value: float) -> str:
    """A rate in a table; a dash where it is undefined (NaN)."""
    return "-" if math.isnan(value) else f"{value:.3f}"


def probability(p: float) -> str:
    """A p in a table; a dash where it is undefined (NaN)."""
    return "-" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def interval(low: float, high: float, form: str = ".3f") -> str:
    """An interval in a table; empty where there is none (NaN)."""
    return "" if math.isnan(low) else f"[{low:{form}}, {high:{form}}]"


def print_json(value: Any) -> None:
    """JSON on standard output, ASCII only, so that any path survives any pipe."""
    typer.echo(json.dumps(value, indent=2, default=_plain, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table that is folded to fit a terminal, and never cut or folded in a pipe.

    A heading that begins with ``>`` is that of a column of numbers.
    """
    table = _table()
    for heading in headings:
        right = heading.startswith(">")
        justify: Any = "right" if right else "left"
        table.add_column(heading.lstrip(">"), justify=justify, overflow="fold", no_wrap=right)
    _print_rows(table, rows)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Names and values, a line each."""
    table = _table(show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    _print_rows(table, facts)


def _table(*, show_header: bool = True) -> "Table":
    from rich.table import Table

    return Table(box=None, pad_edge=False, header_style="bold", show_header=show_header)


def _print_rows(table: "Table", rows: Iterable[Sequence[object]]) -> None:
    from rich.console import Console
    from rich.text import Text

    for row in rows:
        table.add_row(*(Text("" if cell is None else one_line(str(cell))) for cell in row))
    terminal = sys.stdout.isatty()
    Console(width=None if terminal else WIDTH_IN_A_PIPE, soft_wrap=not terminal).print(table)


def progress_bar() -> "Progress":
    """A bar on standard error; it shows nothing in a pipe."""
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
        # File names may hold what rich would take for markup.
        TextColumn("{task.fields[detail]}", markup=False),
        console=_error_console(),
        disable=not sys.stderr.isatty(),
        transient=True,
    )


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar for `what`; gives the function to be told (done, in all)."""
    with progress_bar() as bar:
        task = bar.add_task(what, total=None, detail="")

        def told(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield told


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Say on a terminal that `what` takes a moment."""
    if not sys.stderr.isatty():
        yield
        return
    with _error_console().status(what):
        yield


def _error_console() -> "Console":
    from rich.console import Console

    return Console(stderr=True)


@contextmanager
def writing_file(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write `path` into a `UsageError`."""
    from recommender.errors import UsageError

    try:
        yield
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error


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
    values["predicted_genre"] = track.predicted_genre
    return values

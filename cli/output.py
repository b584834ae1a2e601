"""What commands print: text, JSON, tables and progress."""

import json
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from recommender.cli.table_layout import Column, columns_of, fact_lines, table_lines
from recommender.errors import CatalogError, RecsysError
from recommender.utils.terminal_text import printable

if TYPE_CHECKING:
    from rich.progress import Progress

    from recommender.catalog import Catalog
    from recommender.catalog.records import Track
    from recommender.ingestion.worker_limits import FileLimits
    from recommender.recommendation.service import SimilarityService


DATABASE_HINT = "(--db FILE|URL or RECSYS_DB gives another catalogue.)"


@contextmanager
def hint(kind: type[RecsysError], text: str) -> Iterator[None]:
    """Add `text` to errors of a kind: where an option helps, as the library knows of none."""
    try:
        yield
    except kind as error:
        raise type(error)(f"{error} {text}") from error


def open_catalog(url: str | None, *, create: bool = False) -> "Catalog":
    """The catalogue a command works on; only an ingest makes a new one."""
    from recommender.catalog import Catalog

    with hint(CatalogError, DATABASE_HINT):
        return Catalog.open(url, create=create)


def open_service(
    url: str | None, device: str = "auto", limits: "FileLimits | None" = None
) -> "SimilarityService":
    """The service of the catalogue a command works on."""
    from recommender.recommendation.service import SimilarityService

    with hint(CatalogError, DATABASE_HINT):
        return SimilarityService.open(url, device=device, limits=limits)


def output_width() -> int | None:
    """Cells in a line of standard output: ``$COLUMNS`` or the terminal's; None in a pipe."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def say(text: str = "") -> None:
    """A line on standard output, safe for names that are not valid text."""
    typer.echo(_wrapped(printable(text)))


def confirm(question: str) -> None:
    """Ask on a terminal; exits where the answer is no.

    Raises `UsageError` elsewhere, as nobody could answer.
    """
    from recommender.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError("--yes is needed where nobody can be asked; nothing was removed.")
    if not typer.confirm(question):
        note("nothing was removed.")
        raise typer.Exit(1)


def print_page(text: str) -> None:
    """A page of Markdown on standard output, its lines as they are."""
    typer.echo(text.rstrip("\n"))


def note(text: str) -> None:
    """A line on standard error: remarks that are not the result."""
    typer.echo(_wrapped(printable(text)), err=True)


def _wrapped(text: str) -> str:
    """`text` broken at blanks to fit the terminal; names and paths stay whole."""
    width = output_width()
    if width is None or len(text) <= width:
        return text
    indent = text[: len(text) - len(text.lstrip())]
    return textwrap.fill(
        text,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


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


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def print_json(value: Any) -> None:
    """JSON on standard output, ASCII only, so that any path survives any pipe."""
    typer.echo(json.dumps(value, indent=2, default=_plain, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def track_as_dict(track: "Track") -> dict[str, Any]:
    """A track for JSON: everything but the library object, and the title that tables show."""
    from dataclasses import asdict

    values = asdict(track)
    values["library"] = str(track.library.root)
    values["file"] = str(track.file)
    values["title"] = track.title
    values["artist"] = track.artist
    values["predicted_genre"] = track.predicted_genre
    return values


def print_table(headings: Sequence[str | Column], rows: Iterable[Sequence[object]]) -> None:
    """A table that fits the terminal, and is never cut in a pipe; see `table_layout`.

    A heading in plain text that begins with ``>`` is that of a column of numbers.
    """
    first, *lines = table_lines(columns_of(headings), rows, output_width())
    _print_lines([_bold(first), *lines])


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Names and values, a line each."""
    _print_lines(fact_lines(facts, output_width()))


def _print_lines(lines: Sequence[str]) -> None:
    typer.echo("\n".join(lines))


def _bold(text: str) -> str:
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return typer.style(text, bold=True) if coloured else text


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
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar for `what`; yields the callback for (done, in all)."""
    with progress_bar() as bar:
        task = bar.add_task(what, total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield update


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Show on a terminal that `what` takes a moment."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


@contextmanager
def writing_file(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write `path` into a `UsageError`."""
    from recommender.errors import UsageError

    try:
        yield
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error

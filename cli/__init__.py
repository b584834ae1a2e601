"""The command line: thin Typer commands that open, call one method and print."""

import logging
import os
import sys
from typing import Annotated

import typer

from recommender.cli import (
    adapt,
    browse,
    compare,
    demo,
    evaluate,
    ingest,
    library,
    maintenance,
    models,
    reproduce,
    similar,
    train,
)
from recommender.cli.help import CONTEXT, PanelGroup, with_panels
from recommender.errors import AmbiguousTrack, RecsysError, WeightsNotShipped
from recommender.utils.terminal_text import one_line, printable
from recommender.version import __version__

DEBUG = "RECSYS_DEBUG"
"""With this environment variable set, an unexpected error shows its traceback."""

LISTENING, CATALOGUE, RESEARCH = "Listening", "Catalogue", "Models and research"

app = typer.Typer(
    name="recsys",
    help="Recommend music that sounds alike, by its sound alone.",
    cls=PanelGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=CONTEXT,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"recsys {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Recommend music that sounds alike, by its sound alone."""


for panel, commands in {
    LISTENING: {
        "similar": similar.similar_command,
        "list": browse.list_command,
        "show": browse.show_command,
        "demo": demo.demo_command,
    },
    CATALOGUE: {
        "ingest": ingest.ingest_command,
        "status": browse.status_command,
        "failures": browse.failures_command,
        "verify": maintenance.verify_command,
        "prune": maintenance.prune_command,
        "export": browse.export_command,
    },
    RESEARCH: {
        "models": models.models_command,
        "evaluate": evaluate.evaluate_command,
        "compare": compare.compare_command,
        "adapt": adapt.adapt_command,
        "train": train.train_command,
    },
}.items():
    for name, command in commands.items():
        app.command(name, rich_help_panel=panel)(command)
app.add_typer(library.library_app, name="library", rich_help_panel=CATALOGUE)
app.add_typer(maintenance.database_app, name="db", rich_help_panel=CATALOGUE)
app.add_typer(reproduce.study_app, name="study", rich_help_panel=RESEARCH)
with_panels(app)


def main() -> None:
    """Run the `recsys` command; an error is one line on standard error, and status 1."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows few characters gets escapes for the others, not a crash.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if logging.lastResort is not None:  # warnings go to standard error
        logging.getLogger("recommender").addHandler(logging.lastResort)
    try:
        app(prog_name="recsys")
    except RecsysError as error:
        # Only the list of an ambiguous track's candidates is meant to have several lines.
        show = printable if isinstance(error, AmbiguousTrack) else one_line
        text = str(error)
        if isinstance(error, WeightsNotShipped):
            folder = f"runs/{error.model}"
            text += f" (recsys train {error.model} --gtzan GTZAN --out {folder}; --model {folder})"
        _end(show(text))
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        _end(one_line(_unexpected(error)))


def _unexpected(error: Exception) -> str:
    """One line for an error that no command foresees."""
    if isinstance(error, MemoryError):
        return "there is not enough memory; close other programs, or use fewer workers."
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("recommender"):
        return f"the Python package {error.name!r} is missing: install it, or recsys again."
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"unexpected error, {reason} ({DEBUG}=1 shows where it happened)."


def _end(message: str) -> None:
    print(f"recsys: {message}", file=sys.stderr)  # noqa: T201
    raise SystemExit(1) from None

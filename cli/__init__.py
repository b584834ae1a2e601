"""The command line: thin Typer commands that parse, call one method and print."""

import sys

import typer

from recommender.cli import (
    adapt,
    browse,
    demo,
    evaluate,
    ingest,
    maintenance,
    models,
    reproduce,
    similar,
    train,
)
from recommender.errors import AmbiguousTrack, RecsysError
from recommender.utils.terminal_text import one_line, printable

app = typer.Typer(
    name="recsys",
    help="Recommend music that sounds alike, by listening to it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help needs no rich, and comes in half the time
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("ingest")(ingest.ingest_command)
app.command("similar")(similar.similar_command)
app.command("evaluate")(evaluate.evaluate_command)
app.command("adapt")(adapt.adapt_command)
app.command("list")(browse.list_command)
app.command("show")(browse.show_command)
app.command("status")(browse.status_command)
app.command("failures")(browse.failures_command)
app.command("export")(browse.export_command)
app.command("verify")(maintenance.verify_command)
app.command("prune")(maintenance.prune_command)
app.command("models")(models.models_command)
app.command("train")(train.train_command)
app.command("demo")(demo.demo_command)
app.add_typer(reproduce.study_app, name="study")
app.add_typer(maintenance.library_app, name="library")
app.add_typer(maintenance.database_app, name="db")


def main() -> None:
    """Run the `recsys` command; errors a user can cure are one line and status 1."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows few characters gets escapes for the others, not a crash.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        app(prog_name="recsys")
    except RecsysError as error:
        # Only the list of an ambiguous track's candidates is meant to have several lines.
        show = printable if isinstance(error, AmbiguousTrack) else one_line
        print(f"recsys: {show(str(error))}", file=sys.stderr)  # noqa: T201
        raise SystemExit(1) from None

"""The command line: thin Typer commands that open, call one method and print."""

import errno
import gc
import logging
import os
import sys
from contextlib import suppress
from typing import Annotated, TextIO

import typer

from recommender.cli import (
    adapt,
    browse,
    compare,
    demo,
    duplicates,
    evaluate,
    exclude,
    history,
    index,
    ingest,
    library,
    library_map,
    link,
    maintenance,
    mix,
    models,
    mpd,
    playlist,
    proxy,
    reproduce,
    search,
    serve,
    similar,
    similar_groups,
    tag,
    today,
    train,
)
from recommender.cli.help import CONTEXT, PanelGroup, with_panels
from recommender.errors import (
    AmbiguousTrack,
    BackupFailed,
    RecsysError,
    TooMuchMemory,
    WeightsNotShipped,
    WorkerTimedOut,
)
from recommender.utils.terminal_text import one_line, printable
from recommender.version import __version__

DEBUG = "RECSYS_DEBUG"
"""With this environment variable set, an unexpected error shows its traceback."""

LISTENING, KEEPING = "Listening", "Playlists and history"
CATALOGUE, RESEARCH = "Catalogue", "Models and research"

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
        "mix": mix.mix_command,
        "radio": mix.radio_command,
        "path": mix.path_command,
        "order": mix.order_command,
        "grow": mix.grow_command,
        "today": today.today_command,
        "artists": similar_groups.artists_command,
        "albums": similar_groups.albums_command,
        "map": library_map.map_command,
        "clusters": library_map.clusters_command,
        "search": search.search_command,
        "list": browse.list_command,
        "show": browse.show_command,
        "demo": demo.demo_command,
        "proxy": proxy.proxy_command,
    },
    KEEPING: {
        "like": history.like_command,
        "skip": history.skip_command,
        "played": history.played_command,
        "mpd": mpd.mpd_command,
        "link": link.link_command,
        "unlink": link.unlink_command,
    },
    CATALOGUE: {
        "ingest": ingest.ingest_command,
        "status": browse.status_command,
        "failures": browse.failures_command,
        "duplicates": duplicates.duplicates_command,
        "verify": maintenance.verify_command,
        "prune": maintenance.prune_command,
        "export": browse.export_command,
        "tag": tag.tag_command,
    },
    RESEARCH: {
        "evaluate": evaluate.evaluate_command,
        "compare": compare.compare_command,
        "adapt": adapt.adapt_command,
        "train": train.train_command,
    },
}.items():
    for name, command in commands.items():
        app.command(name, rich_help_panel=panel)(command)
app.add_typer(serve.serve_app, name="serve", rich_help_panel=LISTENING)
playlist.playlist_app.command("push")(link.playlist_push_command)
app.add_typer(playlist.playlist_app, name="playlist", rich_help_panel=KEEPING)
app.add_typer(exclude.exclude_app, name="exclude", rich_help_panel=KEEPING)
app.add_typer(history.history_app, name="history", rich_help_panel=KEEPING)
app.add_typer(library.library_app, name="library", rich_help_panel=CATALOGUE)
app.add_typer(index.index_app, name="index", rich_help_panel=CATALOGUE)
app.add_typer(maintenance.database_app, name="db", rich_help_panel=CATALOGUE)
app.add_typer(models.models_app, name="models", cls=models.ModelsGroup, rich_help_panel=RESEARCH)
app.add_typer(reproduce.study_app, name="study", rich_help_panel=RESEARCH)
with_panels(app)


_ALLOCATIONS = 200_000
"""Objects after which Python looks for garbage that refers to itself. By default it does so after
every 700, which takes a sixth of the time of a command that imports much and answers one query."""


def main() -> None:
    """Run the `recsys` command; an error is one line on standard error, and status 1."""
    gc.set_threshold(_ALLOCATIONS)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows few characters gets escapes for the others, not a crash.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if logging.lastResort is not None:  # warnings go to standard error
        logging.getLogger("recommender").addHandler(logging.lastResort)
    try:
        try:
            app(prog_name="recsys")
        finally:
            sys.stdout.flush()  # a full disk is an error of the command, not of the interpreter
    except RecsysError as error:
        # Only the list of an ambiguous track's candidates is meant to have several lines.
        show = printable if isinstance(error, AmbiguousTrack) else one_line
        text = str(error)
        if isinstance(error, WeightsNotShipped):
            folder = f"runs/{error.model}"
            text += f" (recsys train {error.model} --gtzan GTZAN --out {folder}; --model {folder})"
        if isinstance(error, TooMuchMemory | WorkerTimedOut):
            text += " (--limits SIZE,TIME allows more.)"
        if isinstance(error, BackupFailed):
            text += " (--no-backup upgrades without one.)"
        _end(show(text))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # libraries in Rust panic with errors that are no `Exception`
        if os.environ.get(DEBUG):
            raise
        _end(one_line(_unexpected(error)))


def _unexpected(error: BaseException) -> str:
    """One line for an error that no command foresees."""
    if isinstance(error, MemoryError):
        return "there is not enough memory; close other programs, or use fewer workers."
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("recommender"):
        return f"the Python package {error.name!r} is missing: install it, or recsys again."
    if isinstance(error, OSError) and error.errno in _OF_THE_SYSTEM:
        where = (
            f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        )
        return f"{where}{error.strerror}. {_OF_THE_SYSTEM[error.errno]}"
    text = str(error).strip()[:_LONGEST]
    reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return (
        f"unexpected error, {reason} ({DEBUG}=1 shows where it happened). This is a bug: please "
        "report it with what that shows."
    )


_LONGEST = 300
"""Characters of an unexpected error that are shown."""

_OF_THE_SYSTEM = {
    errno.ENOSPC: "Free some space, and run the command again.",
    errno.EDQUOT: "Free some space, and run the command again.",
    errno.EFBIG: "Write to another disk, or raise the limit on the size of files.",
    errno.EROFS: "Write elsewhere.",
    errno.EACCES: "Check the permissions.",
    errno.EPERM: "Check the permissions.",
    errno.EIO: "Check the disk.",
    errno.ENOTDIR: "Check the path.",
    errno.EISDIR: "Give a file.",
    errno.ENAMETOOLONG: "Give a shorter name.",
    errno.ELOOP: "Check the links on the way there.",
    errno.EMFILE: "Close other programs, or raise the limit on open files.",
    errno.ENFILE: "Close other programs.",
    errno.ENOMEM: "Close other programs, or use fewer workers.",
    errno.EAGAIN: "Close other programs, or raise the limit on processes.",
}
"""What to do about errors of the operating system, which are no bugs."""


def _end(message: str) -> None:
    # What is left of the output cannot be written, and would be an error once more at exit.
    with suppress(OSError):
        print(f"recsys: {message}", file=sys.stderr)  # noqa: T201
    if _is_unwritable(sys.stdout):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(1) from None


def _is_unwritable(stream: TextIO) -> bool:
    try:
        stream.flush()
    except OSError:
        return True
    return False

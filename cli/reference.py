"""The command reference `cli/README.md`, made from the help texts.

``python -m recommender.cli.reference > cli/README.md`` writes it anew; a test compares the two.
"""

from collections.abc import Iterator
from typing import Any

import typer.main

from recommender.cli import app

WIDTH = 80

INTRODUCTION = """\
# Command reference

Made from the help texts by `python -m recommender.cli.reference > cli/README.md`.

Every listing has `--json` ([JSON.md](JSON.md) explains the keys); remarks and errors go to standard
error; an error is one line and status 1, wrong usage is status 2, and Ctrl-C is status 130. Tables
are as wide as the terminal (or `$COLUMNS`): texts are shortened with an ellipsis, then columns are
left out; in a pipe they are whole. `RECSYS_DB` names the catalogue in place of `--db`,
`RECSYS_USER` the user in place of `--user`, `RECSYS_MODELS` the folder of added models, and with
`RECSYS_DEBUG=1` an unexpected error shows its traceback.
"""


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it, groups before what is in them."""
    yield from _below((), typer.main.get_command(app))


def _below(path: tuple[str, ...], group: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if not command.hidden:
            yield (*path, name), command
            if hasattr(command, "commands"):
                yield from _below((*path, name), command)


def help_text(path: tuple[str, ...], command: Any) -> str:
    """The text of ``recsys … --help`` in a terminal of `WIDTH` columns."""
    context = typer.Context(
        command, info_name=" ".join(("recsys", *path)), terminal_width=WIDTH, obj={}
    )
    context.help_option_names = ["-h", "--help"]
    text: str = command.get_help(context)
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def reference() -> str:
    """The whole page, in Markdown."""
    root = typer.main.get_command(app)
    sections = [INTRODUCTION, f"## recsys\n\n```text\n{help_text((), root)}\n```\n"]
    for path, command in commands():
        title = "#" * (2 + (len(path) > 1)) + " recsys " + " ".join(path)
        sections.append(f"{title}\n\n```text\n{help_text(path, command)}\n```\n")
    return "\n".join(sections)


if __name__ == "__main__":
    typer.echo(reference(), nl=False)

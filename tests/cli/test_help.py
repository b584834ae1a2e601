"""Help, as it is printed and as `cli/README.md` has it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from command_line import recsys

from recommender.cli import app


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        if below is None:
            yield (name,), command
        else:
            yield from (((name, inner), found) for inner, found in below.items())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_option_is_explained(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    assert all(parameter.help for parameter in command.params)
    shown = recsys(*path, "--help")
    assert (shown.status, shown.err) == (0, "")
    assert f"recsys {' '.join(path)}" in shown.out
    for parameter in command.params:
        assert parameter.help.split()[0] in shown.out
    assert recsys(*path, "-h") == shown


def test_help_names_every_command() -> None:
    shown = recsys("--help")
    assert {path[0] for path in COMMANDS} <= set(shown.out.split())
    assert max(map(len, shown.out.splitlines())) <= 80
    for group in ("library", "db"):
        assert recsys(group, "--help").status == 0


def test_the_readme_names_every_command() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    code = " ".join(re.findall(r"`([^`]+)`", text))
    for path in COMMANDS:
        assert all(re.search(rf"\b{re.escape(word)}\b", code) for word in path), path


def test_the_installed_script_runs() -> None:
    script = Path(sys.executable).with_name("recsys")
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    assert "similar" in done.stdout

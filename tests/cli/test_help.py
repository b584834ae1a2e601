"""Help, as it is printed and as `cli/README.md` has it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import recsys

from recommender.cli.reference import commands, help_text, reference
from recommender.version import __version__

REPOSITORY = Path(__file__).parents[2]

COMMANDS: dict[tuple[str, ...], Any] = dict(commands())
PLAIN_COMMANDS = {path: found for path, found in COMMANDS.items() if not hasattr(found, "commands")}


@pytest.mark.parametrize("path", PLAIN_COMMANDS, ids=" ".join)
def test_every_command_and_option_is_explained(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    assert all(parameter.help or parameter.hidden for parameter in command.params)
    shown = recsys(*path, "--help")
    assert (shown.status, shown.err) == (0, "")
    assert f"recsys {' '.join(path)}" in shown.out
    for parameter in command.params:
        assert parameter.hidden or parameter.help.split()[0] in shown.out
    assert recsys(*path, "-h") == shown


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("path", [(), *COMMANDS], ids=" ".join)
def test_help_fits_and_is_not_cut_off(
    path: tuple[str, ...], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    text = recsys(*path, "--help").out
    assert max(map(len, text.splitlines())) <= width
    assert "..." not in text.replace("COMMAND [ARGS]...", "")
    assert not re.search(r"<[a-z].*>", text)  # a Python type instead of a word


def test_help_names_every_command_in_a_panel() -> None:
    text = recsys("--help").out
    assert {path[0] for path in COMMANDS} <= set(text.split())
    panels = re.findall(r"^(\S.*):$", text, flags=re.MULTILINE)
    assert panels == [
        "Options",
        "Listening",
        "Playlists and history",
        "Catalogue",
        "Models and research",
    ]
    for group in ("library", "db"):
        assert recsys(group, "--help").status == 0


def test_rare_options_come_last() -> None:
    text = recsys("similar", "--help").out
    common, advanced = text.split("\nAdvanced:\n")
    assert "--m3u" in common
    assert "--device" in advanced


def test_former_names_of_options_are_not_listed() -> None:
    text = reference()
    for former in ("--heard", "neighbourhood", "--compare"):
        assert former not in text


def test_version() -> None:
    assert recsys("--version").out == f"recsys {__version__}\n"


def test_the_command_reference_is_up_to_date() -> None:
    page = (REPOSITORY / "cli" / "README.md").read_text(encoding="utf-8")
    assert page == reference(), "run: python -m recommender.cli.reference > cli/README.md"


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_command_reference_has_every_command(path: tuple[str, ...]) -> None:
    page = (REPOSITORY / "cli" / "README.md").read_text(encoding="utf-8")
    assert f"# recsys {' '.join(path)}\n" in page
    assert help_text(path, COMMANDS[path]) in page


def test_the_installed_script_runs() -> None:
    script = Path(sys.executable).with_name("recsys")
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    assert "similar" in done.stdout

"""Groups of options as one argument of a command."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from recommender.cli.option_groups import grouped


@dataclass(frozen=True)
class Size:
    width: Annotated[int, typer.Option(min=1, help="In cells.")] = 80
    deep: Annotated[bool, typer.Option("--deep", help="With a bottom.")] = False


@dataclass(frozen=True)
class Paint(Size):
    colour: Annotated[str, typer.Option("--colour", help="Of the paint.")] = "red"


@grouped
def box(
    name: Annotated[str, typer.Argument(help="A name.")], *, size: Size, paint: str = ""
) -> None:
    """Make a box."""
    typer.echo(f"{name} {size} {paint!r}")


@grouped
def door(*, paint: Paint) -> None:
    """Make a door."""
    typer.echo(str(paint))


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    made.command()(box)
    made.command()(door)
    return made


def test_the_fields_of_a_group_are_options(app: typer.Typer) -> None:
    run = CliRunner().invoke(app, ["box", "toy", "--width", "3", "--deep", "--paint", "oil"])
    assert run.output == "toy Size(width=3, deep=True) 'oil'\n"
    run = CliRunner().invoke(app, ["door", "--colour", "blue"])
    assert run.output == "Paint(width=80, deep=False, colour='blue')\n"
    assert CliRunner().invoke(app, ["box", "toy", "--width", "0"]).exit_code == 2
    assert "In cells." in CliRunner().invoke(app, ["box", "--help"]).output


def test_a_command_with_groups_is_called_as_a_function(capsys: pytest.CaptureFixture[str]) -> None:
    box("toy", width=5)
    assert capsys.readouterr().out == "toy Size(width=5, deep=False) ''\n"
    with pytest.raises(TypeError, match="height"):
        box("toy", height=5)

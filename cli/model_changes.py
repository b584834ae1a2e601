"""`recsys models add` and `remove`: models of others."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from recommender.cli.output import busy, hint, say
from recommender.errors import WeightsNotFetched


class Addable(StrEnum):
    """Models that can be added."""

    MUSICNN = "musicnn"


AddedName = Annotated[
    Addable,
    typer.Argument(
        metavar="NAME",
        help="musicnn: tagging networks of Pons & Serra (ISC licence).",
    ),
]
WheelFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The wheel musicnn-0.1.0-py3-none-any.whl, on a machine without network. Default: pip "
        "downloads it from PyPI (20 MB).",
        show_default=False,
    ),
]
RemovedName = Annotated[str, typer.Argument(metavar="NAME", help="An added model.")]


def models_add_command(name: AddedName, wheel: WheelFile = None) -> None:
    """Add a model that others have trained to the user's data folder.

    The file is the very one that this version of recsys knows, or nothing is added. Nothing of it
    is run or installed: its weights are read, checked and written as a model of recsys.
    """
    from recommender.pretrained.musicnn import add_musicnn

    with busy("adding"), hint(WeightsNotFetched, "(--wheel FILE)"):
        added = add_musicnn(wheel)
    for files in added:
        say(f"added: {files.card.name} ({files.folder})")
    say("'recsys models NAME' shows its licence and figures; 'recsys ingest --model NAME' uses it.")


def models_remove_command(name: RemovedName) -> None:
    """Delete an added model; catalogues that it has analysed are recommended as before."""
    from recommender.pretrained.model_folders import remove_model

    say(f"removed: {remove_model(name)}")

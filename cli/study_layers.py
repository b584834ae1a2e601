"""`--layers` of `recsys study`: layers of the spectrograms as further input."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.output import print_page

if TYPE_CHECKING:
    from recommender.research.reproduction.outcomes import Outcome

Layers = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,…",
        help="Layers of the spectrograms as further input, of harmonic, percussive, vocal and "
        "accompaniment; the outcomes have a folder of their own in --out.",
        show_default=False,
    ),
]


def chosen_layers(names: str | None, folder: Path) -> tuple[tuple[str, ...], Path]:
    """The layers of an option's text, and the folder of the outcomes with them."""
    from recommender.research.reproduction.layers import checked_layers, layer_folder

    chosen = checked_layers([name.strip() for name in names.split(",")]) if names else ()
    return chosen, folder / layer_folder(chosen)


def compare_layers(outcomes: list["Outcome"], names: str, folder: Path) -> None:
    """Print the comparison with `outcomes`, those without layers in the same folder.

    Raises:
        UsageError: there are no outcomes with these layers.
    """
    from recommender.errors import UsageError
    from recommender.research.reproduction.layer_comparison import comparison_text
    from recommender.research.reproduction.outcomes import read_outcomes

    layers, own = chosen_layers(names, folder)
    layered = read_outcomes(own)
    if not layered:
        raise UsageError(
            f"{own} holds no outcomes: 'recsys study run --gtzan GTZAN --out {folder} --layers "
            f"{','.join(layers)}' adds them."
        )
    print_page(comparison_text(outcomes, layered, layers))

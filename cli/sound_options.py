"""Options that filter by musical descriptors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.output import counted, note

if TYPE_CHECKING:
    from recommender.recommendation.sound_filters import SoundFilters

SOUND = "Sound"
"""Help panel of these options."""


def _share(name: str, what: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        f"--{name}", metavar="RANGE", help=what, show_default=False, rich_help_panel=SOUND
    )
    return option


Tempo = Annotated[
    str | None,
    typer.Option(
        metavar="BPM",
        help="Only tracks of this tempo: 120-130, 120 (within 2 %), '>120', or 5%: within 5 % of "
        "the seed's. Of an ambiguous tempo either reading counts.",
        show_default=False,
        rich_help_panel=SOUND,
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        help="Only tracks in this key: Am, 'F# major', 8A (Camelot), several with commas; same as "
        "the seed's; or compatible: that, its relative key, a fifth up or down.",
        show_default=False,
        rich_help_panel=SOUND,
    ),
]
Energy = Annotated[str | None, _share("energy", "Only tracks of this energy: '>.6', .2-.5.")]
Danceability = Annotated[str | None, _share("danceability", "The same for danceability.")]
Acousticness = Annotated[str | None, _share("acousticness", "The same for acousticness.")]
Vocals = Annotated[str | None, _share("vocals", "The same for the likelihood of a voice.")]


@dataclass(frozen=True)
class SoundOptions:
    """Which musical descriptors tracks have."""

    tempo: Tempo = None
    key: Key = None
    energy: Energy = None
    danceability: Danceability = None
    acousticness: Acousticness = None
    vocals: Vocals = None

    def filters(self) -> "SoundFilters":
        """As the library has them. Raises `UsageError`."""
        from recommender.recommendation.sound_filters import SoundFilters

        return SoundFilters(**vars(self))


def note_lacking(lacking: Mapping[str, int]) -> None:
    """Say how many tracks lack what was filtered by."""
    for name, count in lacking.items():
        note(
            f"{counted(count, 'track')} left out for want of "
            f"{'an' if name[0] in 'ae' else 'a'} {name}: it could not be told, or was not computed."
        )

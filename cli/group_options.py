"""Options of groups of features: why a track is listed, and what is to count for more or less."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.sound_options import SOUND

if TYPE_CHECKING:
    from recommender.recommendation.explanation import Explanation


class Group(StrEnum):
    """A group of features; see `embedding.input_groups`."""

    TIMBRE = "timbre"
    RHYTHM = "rhythm"
    HARMONY = "harmony"
    DYNAMICS = "dynamics"
    NETWORK = "network"


@dataclass(frozen=True)
class GroupOptions:
    """What counts for more or less, and whether lists are explained."""

    more: Annotated[
        list[Group] | None,
        typer.Option(
            help="Let a group of features count twice; named twice, four times. What is listed is "
            "nearer in it, and less like TRACK altogether. Harmony is of how long tones last and "
            "of their partials; --key is of keys.",
            show_default=False,
            rich_help_panel=SOUND,
        ),
    ] = None
    less: Annotated[
        list[Group] | None,
        typer.Option(help="Let it count half.", show_default=False, rich_help_panel=SOUND),
    ] = None
    why: Annotated[
        bool,
        typer.Option(
            "--why",
            help="Say of each track what makes it and TRACK alike: what groups of features "
            "contribute to the similarity, which is their sum, and what musical descriptors have "
            "in common.",
        ),
    ] = False

    @property
    def weights(self) -> dict[str, float]:
        """Group → what it is multiplied by, of those that are named."""
        from recommender.recommendation.weighted_lists import weights_of_steps

        more, less = ([group.value for group in named or ()] for named in (self.more, self.less))
        return weights_of_steps(more, less)


def explanation_as_dict(why: "Explanation") -> dict[str, Any]:
    """For JSON."""
    return {
        "groups": {name: round(value, 4) for name, value in why.groups.items()},
        "reranking": {name: round(value, 4) for name, value in why.reranking.items()},
        "alike": list(why.alike),
        "differ": list(why.differ),
        "words": str(why),
    }

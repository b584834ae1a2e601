"""The options of the commands that make lists: seeds, length and rules."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.options import parse_duration
from recommender.cli.output import note
from recommender.cli.seed_arguments import lasting_name
from recommender.cli.similar_options import Damaged
from recommender.cli.sound_options import (
    Acousticness,
    Danceability,
    Energy,
    Key,
    Tempo,
    Vocals,
)
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog import Catalog
    from recommender.playlists.repeats import Repeats
    from recommender.recommendation.mix_request import Length, Rules

RULES = "Rules"
"""Help panel of what is left out of a list."""


class ChristmasChoice(StrEnum):
    """When Christmas music may be listed."""

    DECEMBER = "december"
    ALWAYS = "always"
    NEVER = "never"


Seeds = Annotated[
    list[str],
    typer.Argument(
        metavar="SEED…",
        help="What the list is to be like, one or several: a track id, a path (in the catalogue or "
        "not), words that match one title (in quotes), or a playlist file.",
    ),
]
Unlike = Annotated[
    list[str] | None,
    typer.Option(
        "--not",
        metavar="SEED",
        help="What the list is to be unlike; may be given several times.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class LengthOptions:
    """Where a list ends."""

    tracks: Annotated[
        int | None,
        typer.Option(
            "-k",
            "--tracks",
            min=1,
            metavar="N",
            help="At most N tracks. Default, unless --minutes is given: 25; of a radio 50; to add "
            "to a list 10.",
            show_default=False,
        ),
    ] = None
    minutes: Annotated[
        float | None,
        typer.Option(metavar="N", help="At most so many minutes.", show_default=False),
    ] = None

    def length(self) -> "Length":
        """As the library has it. Raises `UsageError`."""
        from recommender.recommendation.mix_request import Length

        return Length(self.tracks, self.minutes)


Gap = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="No artist twice among N tracks in a row; 0: no such rule. Default: 15 in a radio, "
        "else 0.",
        show_default=False,
        rich_help_panel=RULES,
    ),
]
AlbumGap = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="The same for albums. Default: 30 in a radio, else 0.",
        show_default=False,
        rich_help_panel=RULES,
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="End the list where no track keeps the gaps. Otherwise they are then shortened.",
        rich_help_panel=RULES,
    ),
]
MostPerArtist = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="At most N tracks by any one artist; 0: no limit. Default: 1 on a path, none in a "
        "radio, else 2.",
        show_default=False,
        rich_help_panel=RULES,
    ),
]
TaggedGenre = Annotated[
    str | None,
    typer.Option(
        "--genre",
        metavar="GENRE",
        help="Only tracks that are tagged with this genre.",
        rich_help_panel=RULES,
    ),
]
GuessedGenre = Annotated[
    str | None,
    typer.Option(
        "--predicted-genre",
        metavar="GENRE",
        help="Only tracks for which the model predicts this genre.",
        rich_help_panel=RULES,
    ),
]
ShortestTrack = Annotated[
    float | None,
    typer.Option(
        "--min-duration",
        parser=parse_duration,
        metavar="TIME",
        help="Only tracks of at least this length: 180, 3:00, 1:02:03 or 3m.",
        rich_help_panel=RULES,
    ),
]
LongestTrack = Annotated[
    float | None,
    typer.Option(
        "--max-duration",
        parser=parse_duration,
        metavar="TIME",
        help="Only tracks of at most this length; 0: any. Default: 15:00.",
        show_default=False,
        rich_help_panel=RULES,
    ),
]
Speech = Annotated[
    bool,
    typer.Option(
        "--speech",
        help="Also audiobooks, podcasts and other speech, which are known by their genre tag.",
        rich_help_panel=RULES,
    ),
]
ChristmasOption = Annotated[
    ChristmasChoice,
    typer.Option(
        "--christmas",
        metavar="december|always|never",
        help="When Christmas music is listed, which is known by words in title, album and genre.",
        rich_help_panel=RULES,
    ),
]
Exclusions = Annotated[
    bool,
    typer.Option(
        "--exclusions/--no-exclusions",
        help="Whether what 'recsys exclude' names is left out.",
        rich_help_panel=RULES,
    ),
]
Previous = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PLAYLIST",
        help="Repeat nothing of this playlist (a file, or the name of a stored one), such as the "
        "queue so far; may be given several times. With --save it is read again whenever the list "
        "is made anew.",
        show_default=False,
        rich_help_panel=RULES,
    ),
]
NotPlayed = Annotated[
    float | None,
    typer.Option(
        "--not-played",
        min=0,
        metavar="DAYS",
        help="Repeat nothing that was played in the last DAYS, as the history has it; with --save "
        "in the last DAYS before the list is made anew.",
        show_default=False,
        rich_help_panel=RULES,
    ),
]
Variety = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        metavar="0..1",
        help="0: the same list each time; 1: drawn from many more tracks.",
        rich_help_panel=RULES,
    ),
]
RandomSeed = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="With --variety: the same N gives the same list. Default: another one each time.",
        show_default=False,
        rich_help_panel=RULES,
    ),
]


@dataclass(frozen=True)
class GapOptions:
    """How far apart a list keeps tracks by one artist, or of one album."""

    artist_gap: Gap = None
    album_gap: AlbumGap = None
    strict: Strict = False


@dataclass(frozen=True)
class TrackRuleOptions:
    """What no list begins with."""

    max_duration: LongestTrack = None
    speech: Speech = False
    christmas: ChristmasOption = ChristmasChoice.DECEMBER
    exclusions: Exclusions = True

    def track_rules(self) -> "Rules":
        """As the library has them."""
        from recommender.recommendation.mix_request import Rules

        return Rules(
            max_duration=_longest(self.max_duration),
            speech=self.speech,
            christmas=self.christmas.value,
            exclusions=self.exclusions,
        )


def _longest(given: float | None) -> float | None:
    """Seconds as the library has them: the default for None, no limit for 0."""
    from recommender.recommendation.mix_request import LONGEST_S

    return LONGEST_S if given is None else given or None


@dataclass(frozen=True)
class RuleOptions:
    """What is left out of a list."""

    per_artist: MostPerArtist = None
    genre: TaggedGenre = None
    predicted_genre: GuessedGenre = None
    min_duration: ShortestTrack = None
    max_duration: LongestTrack = None
    speech: Speech = False
    christmas: ChristmasOption = ChristmasChoice.DECEMBER
    exclusions: Exclusions = True
    previous: Previous = None
    not_played: NotPlayed = None
    variety: Variety = 0.0
    random_seed: RandomSeed = None
    damaged: Damaged = True
    tempo: Tempo = None
    key: Key = None
    energy: Energy = None
    danceability: Danceability = None
    acousticness: Acousticness = None
    vocals: Vocals = None

    def rules(
        self, catalog: "Catalog", gaps: GapOptions | None = None, repeats: "Repeats | None" = None
    ) -> "Rules":
        """As the library has them.

        Args:
            catalog: stays open.
            gaps: None for the defaults.
            repeats: is looked up; what of its playlists cannot be used is noted.

        Raises `UsageError`, and `PlaylistError` for a playlist that is not there.
        """
        from recommender.recommendation.mix_request import Rules

        gaps = gaps or GapOptions()
        notes: list[str] = []
        previous = () if repeats is None else repeats.track_ids(catalog, notes=notes)
        for remark in notes:
            note(one_line(remark))
        return Rules(
            artist_gap=gaps.artist_gap,
            album_gap=gaps.album_gap,
            strict=gaps.strict,
            per_artist=self.per_artist,
            genre=self.genre,
            predicted_genre=self.predicted_genre,
            min_duration=self.min_duration,
            max_duration=_longest(self.max_duration),
            damaged=self.damaged,
            speech=self.speech,
            christmas=self.christmas.value,
            exclusions=self.exclusions,
            previous=previous,
            variety=self.variety,
            random_seed=self._random_seed(),
            tempo=self.tempo,
            key=self.key,
            energy=self.energy,
            danceability=self.danceability,
            acousticness=self.acousticness,
            vocals=self.vocals,
        )

    def repeats(self, catalog: "Catalog", user: str) -> "Repeats":
        """What is not to be repeated, with names that mean the same later. Raises `UsageError`."""
        from recommender.playlists.repeats import Repeats

        names = tuple(lasting_name(catalog, name, user) for name in self.previous or ())
        return Repeats(self.not_played, names, user)

    def _random_seed(self) -> int:
        if self.random_seed is not None or not self.variety:
            return self.random_seed or 0
        from secrets import randbelow

        drawn = randbelow(1_000_000)
        note(f"(--random-seed {drawn} gives this list again.)")
        return drawn

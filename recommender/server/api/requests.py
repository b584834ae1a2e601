"""What clients ask for: seeds, rules and lengths, as `recommendation.mix_request` has them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from recommender.playlists.repeats import MOST_DAYS
from recommender.recommendation.filters import Filters
from recommender.recommendation.mix_request import MOST_STEPS, Length, MixRequest, Rules, SeedSet
from recommender.recommendation.weighted_lists import weights_of_steps
from recommender.server.api.models import Given, Id
from recommender.server.settings import MOST_TRACKS

MOST_PREVIOUS = 10_000
MOST_PLAYLISTS = 20

_Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
_Gap = Annotated[int, Field(ge=0, le=1000)]
_Text = Annotated[str, Field(max_length=200)]
_Groups = list[Literal["timbre", "rhythm", "harmony", "dynamics", "network"]]


_Sound = Annotated[
    str | None,
    Field(max_length=200, description="A range, such as >.6, <.3 or .2-.5.", examples=[">.6"]),
]


class SoundModel(BaseModel):
    """Filters by musical descriptors; tracks that lack the value are left out."""

    tempo: str | None = Field(
        default=None,
        max_length=200,
        description="Beats a minute: 120-130, 120, >120, or 5%: within 5 % of a seed's.",
        examples=["120-130"],
    )
    key: str | None = Field(
        default=None,
        max_length=200,
        description="Am, F# major, 8A (Camelot), several with commas; same; compatible.",
        examples=["compatible"],
    )
    energy: _Sound = None
    danceability: _Sound = None
    acousticness: _Sound = None
    vocals: _Sound = None


class FilterQuery(SoundModel):
    """Length and filters of a list of similar tracks, in the address."""

    k: int = Field(default=10, ge=1, le=MOST_TRACKS, description="Length of the list.")
    genre: _Text | None = Field(default=None, description="Only tracks tagged with this genre.")
    predicted_genre: _Text | None = Field(
        default=None, description="Only tracks of this predicted genre."
    )
    per_artist: int = Field(
        default=2, ge=0, le=1000, description="Most tracks of any one artist; 0 for any number."
    )
    same_artist: bool = Field(default=True, description="Whether the seed's artists may be listed.")
    min_duration: _Seconds | None = Field(default=None, description="Seconds.")
    max_duration: _Seconds | None = Field(default=None, description="Seconds.")
    keep_duplicates: bool = Field(default=False, description="Whether to list copies, too.")
    damaged: bool = Field(default=True, description="Whether to list tracks whose file is damaged.")
    speech: bool = Field(default=True, description="Whether to list speech.")
    more: _Groups = Field(
        default_factory=list,
        max_length=8,
        description="Groups of features that count twice; named twice, four times.",
    )
    less: _Groups = Field(
        default_factory=list, max_length=8, description="Groups of features that count half."
    )
    why: bool = Field(default=False, description="Whether to say what makes tracks alike.")

    def filters(self) -> Filters:
        """As the library takes them. Raises `UsageError`."""
        own = self.model_dump(exclude={"k", "more", "less", "why"})
        return Filters(**{**own, "per_artist": self.per_artist or None})

    def weights(self) -> dict[str, float]:
        """Group of features → what it is multiplied by."""
        return weights_of_steps(self.more, self.less)


class SeedsModel(Given):
    """Ids of the tracks that a list is to be like, and unlike."""

    like: list[Id] = Field(min_length=1, max_length=MOST_TRACKS, examples=[[17, 42]])
    unlike: list[Id] = Field(default_factory=list, max_length=MOST_TRACKS, examples=[[]])


class RulesModel(Given, SoundModel):
    """What is left out of a list; the defaults are those of its kind.

    `artist_gap` and `album_gap`: among so many entries in a row no two share an artist, an album.
    `previous`: ids of the queue so far and of earlier sittings, which are not repeated.
    `not_played`: nothing is repeated that the user played in the last so many days;
    `previous_playlists`: nor anything of the playlists with these ids.
    `variety`: from 0, the same list each time, to 1.
    """

    artist_gap: _Gap | None = None
    album_gap: _Gap | None = None
    strict: bool = False
    per_artist: _Gap | None = None
    genre: _Text | None = None
    predicted_genre: _Text | None = None
    min_duration: _Seconds | None = None
    max_duration: _Seconds | None = 900.0
    damaged: bool = True
    speech: bool = False
    christmas: Literal["december", "always", "never"] = "december"
    exclusions: bool = True
    previous: list[Id] = Field(default_factory=list, max_length=MOST_PREVIOUS)
    not_played: float | None = Field(default=None, ge=0, le=MOST_DAYS)
    previous_playlists: list[Id] = Field(default_factory=list, max_length=MOST_PLAYLISTS)
    variety: float = Field(default=0.0, ge=0, le=1)
    random_seed: int = Field(default=0, ge=0, le=2**53 - 1)

    def rules(self) -> Rules:
        """As the library takes them, without what is looked up. Raises `UsageError`."""
        own = self.model_dump(exclude={"not_played", "previous_playlists"})
        return Rules(**{**own, "previous": tuple(self.previous)})


class LengthModel(Given):
    """Where a list ends: whichever comes first."""

    tracks: int | None = Field(default=None, ge=1, le=MOST_TRACKS)
    minutes: float | None = Field(default=None, gt=0, le=10_000, allow_inf_nan=False)


class ListRequest(Given):
    """Seeds, rules and a length."""

    seeds: SeedsModel
    rules: RulesModel = RulesModel()
    length: LengthModel = LengthModel()

    def request(self, kind: Any, **more: Any) -> MixRequest:
        """As the library takes it. Raises `UsageError`."""
        seeds = SeedSet(tuple(self.seeds.like), tuple(self.seeds.unlike))
        length = Length(**self.length.model_dump())
        if length.tracks is None and (length.minutes is not None or "threshold" in more):
            length = Length(MOST_TRACKS, length.minutes)
        return MixRequest(kind, seeds, self.rules.rules(), length, **more)


class GrowRequest(ListRequest):
    """A playlist to grow; with `threshold` every track that is at least so similar is added."""

    threshold: float | None = Field(default=None, ge=-1, le=1)


class PathRequest(Given):
    """Two tracks, and the number of steps from the first to the second."""

    start: Id = Field(examples=[17])
    end: Id = Field(examples=[42])
    steps: int = Field(default=10, ge=1, le=MOST_STEPS)
    rules: RulesModel = RulesModel()


class OrderRequest(Given):
    """Tracks to bring into their smoothest order, by sound or by tempo and key.

    `first` comes first.
    """

    track_ids: list[Id] = Field(min_length=1, max_length=MOST_TRACKS, examples=[[17, 42, 5]])
    first: Id | None = None
    by: Literal["sound", "tempo-key"] = "sound"

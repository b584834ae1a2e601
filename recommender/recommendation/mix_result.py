"""What a listener gets: a list with what it was made of, similar artists and albums, duplicates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar, overload

from recommender.catalog.records import Track
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.embedding.space import SpaceId
from recommender.recommendation.mix_request import MixRequest
from recommender.recommendation.result_list import Neighbour
from recommender.recommendation.seeds import Seed

CATALOGUE_RULES = (
    "seed",
    "played before",
    "genre",
    "predicted genre",
    "length",
    "damaged",
    "tempo",
    "key",
    "energy",
    "danceability",
    "acousticness",
    "vocals",
    "speech",
    "Christmas",
    "excluded",
)
"""Rules that look at one track alone, in the order in which they are applied."""

LIST_RULES = ("copy", "artist limit", "artist gap", "album gap")
"""Rules that look at what is in the list already, likewise. The first also leaves out copies of
seeds and of previous tracks."""


@dataclass(frozen=True)
class MixEntry:
    """A track in a list.

    Attributes:
        track: what is listed.
        position: from 1.
        similarity: cosine of its embedding with what the list is to be like: in a mix and a radio
            with the mean of those seeds that sound alike, and of several such groups with the
            nearest; in a list to grow with the nearest seed; in a path and an order, whose first
            entry has 1, with the entry before.
        close: as `Neighbour.close`, for that similarity.
    """

    track: Track
    position: int
    similarity: float
    close: bool | None = None


@dataclass(frozen=True)
class Mix:
    """A list and how it came about.

    Attributes:
        entries: in their order.
        request: what was asked for.
        left_out: rule → number of tracks that it left out, in the order in which rules are
            applied; a track counts for the first rule that leaves it out. Of rules that look at
            one track alone (`CATALOGUE_RULES`) all tracks of the catalogue that they leave out; of
            the others (`LIST_RULES`) the candidates that were passed over, which sound more like
            what was asked for than the last one that was taken.
        notes: whatever else is to be known, as sentences: seeds that are unknown, that nothing is
            near, why the list ended early, where a gap could not be kept.
        seeds: the liked seeds, without those that are unknown.
        unlike: the others.
        catalogue: number of tracks that could be recommended without any rule.
        space: the embedding space of the similarities.
        calibration: what similarities in that space mean; None where it was not measured.
        shortest_artist_gap: the shortest distance between two entries of one artist, previous ones
            included; None where no two are.
        shortest_album_gap: the same for albums.
    """

    entries: list[MixEntry]
    request: MixRequest
    left_out: Mapping[str, int]
    notes: list[str]
    seeds: list[Seed]
    unlike: list[Seed]
    catalogue: int
    space: SpaceId
    calibration: SimilarityCalibration | None = None
    shortest_artist_gap: int | None = None
    shortest_album_gap: int | None = None

    @property
    def minutes(self) -> float:
        """How long it lasts."""
        return sum(entry.track.duration for entry in self.entries) / 60


_Group = TypeVar("_Group")


@dataclass(frozen=True)
class SimilarGroupList(Sequence[_Group], Generic[_Group]):
    """Similar artists or albums, and why there are no others.

    Attributes:
        entries: best first.
        left_out: reason → number of tracks that cannot be begun with: `CATALOGUE_RULES`, where any
            rules were given, then "no artist" or "no album".
        catalogue: number of tracks that could be recommended without any rule.
    """

    entries: list[_Group]
    left_out: Mapping[str, int]
    catalogue: int

    def __len__(self) -> int:
        """How many there are."""
        return len(self.entries)

    @overload
    def __getitem__(self, at: int) -> _Group: ...

    @overload
    def __getitem__(self, at: slice) -> list[_Group]: ...

    def __getitem__(self, at: int | slice) -> _Group | list[_Group]:
        """One of them, or some."""
        return self.entries[at]


@dataclass(frozen=True)
class SimilarArtist:
    """An artist that sounds like another.

    Attributes:
        artist: as most of its tracks name it.
        similarity: cosine of the mean embeddings of both.
        tracks: number of tracks.
        entry_points: its tracks nearest to what is playing, or to the other artist; best first.
        close: as `Neighbour.close`, for `similarity`.
    """

    artist: str
    similarity: float
    tracks: int
    entry_points: list[Neighbour]
    close: bool | None = None


@dataclass(frozen=True)
class SimilarAlbum:
    """An album that sounds like another, or like a track.

    Attributes:
        album: as tagged.
        artist: of the album, or of its tracks where they are all by one; None for several.
        similarity: cosine of the mean embedding of its tracks with that of the seed.
        tracks: number of tracks.
        entry_points: its tracks nearest to the seed, best first.
        close: as `Neighbour.close`, for `similarity`.
    """

    album: str
    artist: str | None
    similarity: float
    tracks: int
    entry_points: list[Neighbour]
    close: bool | None = None


@dataclass(frozen=True)
class DuplicateEvidence:
    """Why two tracks are copies of one recording.

    Attributes:
        one, other: their ids.
        same_sound: whether their files hold the very same sound data, whatever their tags.
        similarity: cosine of what duplicate detection compares.
        seconds_apart: difference of their lengths.
    """

    one: int
    other: int
    same_sound: bool
    similarity: float
    seconds_apart: float

    @property
    def text(self) -> str:
        """In words."""
        if self.same_sound:
            return "the same sound data"
        return f"similarity {self.similarity:.4f}, lengths {self.seconds_apart:.2f} s apart"


@dataclass(frozen=True)
class DuplicateGroup:
    """Copies of one recording.

    Attributes:
        tracks: by path.
        evidence: of each pair that is known to be one; every track is in some.
    """

    tracks: list[Track]
    evidence: list[DuplicateEvidence] = field(default_factory=list)

"""Filters on the neighbours of a seed."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from types import NoneType

import numpy as np

from recommender.errors import UsageError
from recommender.musical_descriptors import MusicalDescriptors
from recommender.recommendation.sound_filters import SoundFilters
from recommender.utils.arguments import require_type


@dataclass(frozen=True)
class Filters:
    """Which neighbours to list. Names are compared without case and accents.

    A track counts for each of its artists, those featured included ("A feat. B", "A; B", and "A &
    B" where the catalogue has tracks by A or B alone). Names such as "Various Artists" and "Unknown
    Artist" name nobody.

    Attributes:
        same_artist: whether tracks that share an artist with the seed may be listed.
        per_artist: most tracks of any one artist in the list, the seed's artists included; None for
            no limit. Tracks without an artist are not limited.
        genre: only tracks tagged with this genre (the first one, where a tag names several; case,
            accents, spaces and hyphens do not matter, as in the evaluation by tags).
        predicted_genre: only tracks for which the model predicts this genre, compared likewise.
        min_duration: seconds.
        max_duration: seconds.
        damaged: whether tracks whose file is damaged may be listed (see `audio.damage`).
        keep_duplicates: also list duplicates of the seed, and of one another.
        tempo, key, energy, danceability, acousticness, vocals: as of `SoundFilters`, which reads
            them; tracks that lack the descriptor are not listed.
        speech: whether speech may be listed: by its likelihood, or else by genre tag.

    Raises `UsageError` for values that contradict each other, and `TypeError` for those of a wrong
    type.
    """

    same_artist: bool = True
    per_artist: int | None = 2
    genre: str | None = None
    predicted_genre: str | None = None
    min_duration: float | None = None
    max_duration: float | None = None
    keep_duplicates: bool = False
    damaged: bool = True
    tempo: str | None = None
    key: str | None = None
    energy: str | None = None
    danceability: str | None = None
    acousticness: str | None = None
    vocals: str | None = None
    speech: bool = True

    def __post_init__(self) -> None:
        """Refuse what no track can meet."""
        for name in ("genre", "predicted_genre"):
            require_type(getattr(self, name), (str, NoneType), name, "a str or None")
        for name in ("min_duration", "max_duration"):
            seconds = (int, float, np.number, NoneType)
            require_type(getattr(self, name), seconds, name, "a number of seconds or None")
        require_type(self.per_artist, (int, np.integer, NoneType), "per_artist", "an int or None")
        if self.per_artist is not None and self.per_artist < 1:
            raise UsageError(f"tracks per artist must be at least 1, not {self.per_artist}.")
        if (
            self.min_duration is not None
            and self.max_duration is not None
            and self.min_duration > self.max_duration
        ):
            raise UsageError(
                f"no track lasts at least {self.min_duration:g} s and at most "
                f"{self.max_duration:g} s; swap or drop one of the two."
            )
        self.sound  # noqa: B018  # refuses what it does not understand

    @property
    def sound(self) -> SoundFilters:
        """Those by musical descriptors. Raises `UsageError`."""
        names = (field.name for field in fields(SoundFilters))
        return SoundFilters(**{name: getattr(self, name) for name in names})

    def relative_to(self, seeds: Sequence[MusicalDescriptors | None]) -> "Filters":
        """As of `SoundFilters`."""
        return replace(self, **vars(self.sound.relative_to(seeds)))

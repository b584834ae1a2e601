"""What a listener wants of the neighbours besides nearness."""

from dataclasses import dataclass

from recommender.catalog.records import TrackFacts
from recommender.errors import UsageError
from recommender.utils.names import genre_key, name_key


@dataclass(frozen=True)
class Filters:
    """Which neighbours to list. Names are compared without case and accents.

    Attributes:
        same_artist: whether the seed's own artist may be listed.
        per_artist: most tracks of any one artist in the list, the seed's artist included; None for
            no limit. Tracks without an artist are not limited.
        genre: only tracks tagged with this genre (the first one, where a tag names several; case,
            accents, spaces and hyphens do not matter, as in `recsys evaluate`).
        analysed: only tracks in which the network analyses this genre.
        min_duration: seconds.
        max_duration: seconds.
        keep_duplicates: list copies of the seed, and of one another, as well.

    Raises `UsageError` for values that contradict each other.
    """

    same_artist: bool = True
    per_artist: int | None = 2
    genre: str | None = None
    analysed: str | None = None
    min_duration: float | None = None
    max_duration: float | None = None
    keep_duplicates: bool = False

    def __post_init__(self) -> None:
        """Refuse what no track can meet."""
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

    def admits(self, track: TrackFacts) -> bool:
        """Whether genre and duration of `track` are as wanted; artists depend on the list.

        Raises `UsageError` when `analysed` is no label of the network.
        """
        if self.genre is not None and genre_key(track.genre) != genre_key(self.genre):
            return False
        if self.min_duration is not None and track.duration < self.min_duration:
            return False
        if self.max_duration is not None and track.duration > self.max_duration:
            return False
        return self.analysed is None or self._predicted_as(track, self.analysed)

    @staticmethod
    def _predicted_as(track: TrackFacts, genre: str) -> bool:
        analysed = {name_key(label): p for label, p in track.genre_probabilities.items()}
        if analysed and name_key(genre) not in analysed:
            known = ", ".join(sorted(track.genre_probabilities))
            raise UsageError(f"the network knows no genre {genre!r}; it knows {known}.")
        return bool(analysed) and max(analysed, key=lambda label: analysed[label]) == name_key(
            genre
        )

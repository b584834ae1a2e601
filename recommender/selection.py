"""Going through candidates, nearest first, and keeping those a listener wants."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recommender.catalog.records import Track, TrackState
from recommender.errors import UsageError
from recommender.filters import Filters, name_key
from recommender.recordings import Recording, SameRecording
from recommender.space import FloatArray

BATCH = 512
"""Tracks read from the catalogue at a time; the rest of the candidates may not be needed."""


@dataclass(frozen=True)
class Seed:
    """What the neighbours are neighbours of.

    Attributes:
        vector: np.ndarray [shape=(p,)], float32 unit vector in the projected space.
        recording: for finding its copies; None for a bare vector.
        artist: as tagged.
        track_id: None for what is not in the catalogue.
    """

    vector: FloatArray
    recording: Recording | None = None
    artist: str | None = None
    track_id: int | None = None


@dataclass(frozen=True)
class Neighbour:
    """A track, its cosine similarity to the seed in [-1, 1], and its place in the list from 1."""

    track: Track
    similarity: float
    rank: int


class Selection:
    """The list of neighbours while it grows.

    Attributes:
        neighbours: those kept so far, nearest first.
    """

    def __init__(
        self,
        seed: Seed,
        k: int,
        filters: Filters,
        same_recording: SameRecording,
        activations_of: Callable[[int], FloatArray | None],
    ) -> None:
        """Keep up to `k` neighbours; `activations_of` gives those of a track id."""
        if k < 1:
            raise UsageError(f"the number of neighbours must be at least 1, not {k}.")
        self.neighbours: list[Neighbour] = []
        self._seed = seed
        self._k = k
        self._filters = filters
        self._same_recording = same_recording
        self._activations_of = activations_of
        self._per_artist: Counter[str] = Counter()
        self._activations: dict[int, FloatArray | None] = {}

    @property
    def full(self) -> bool:
        """Whether there are k neighbours."""
        return len(self.neighbours) >= self._k

    def offer(
        self,
        candidates: Sequence[tuple[int, float]],
        tracks: Callable[[Sequence[int]], list[Track]],
    ) -> None:
        """Keep what is wanted of `candidates` (track id, similarity), which come nearest first.

        `tracks` reads rows of the catalogue; only as many as needed are read.
        """
        others = [(i, similarity) for i, similarity in candidates if i != self._seed.track_id]
        for start in range(0, len(others), BATCH):
            if self.full:
                return
            batch = others[start : start + BATCH]
            rows = tracks([track_id for track_id, _ in batch])
            for track, (_, similarity) in zip(rows, batch, strict=True):
                if not self.full and self._wanted(track):
                    self._keep(track, similarity)

    def _keep(self, track: Track, similarity: float) -> None:
        self._per_artist[name_key(track.artist)] += 1
        self.neighbours.append(Neighbour(track, similarity, len(self.neighbours) + 1))

    def _wanted(self, track: Track) -> bool:
        return (
            track.state is TrackState.HEARD
            and self._filters.admits(track)
            and self._artist_admitted(name_key(track.artist))
            and (self._filters.keep_duplicates or not self._is_copy(track))
        )

    def _artist_admitted(self, artist: str) -> bool:
        if not artist:
            return True
        if not self._filters.same_artist and artist == name_key(self._seed.artist):
            return False
        limit = self._filters.per_artist
        return limit is None or self._per_artist[artist] < limit

    def _is_copy(self, track: Track) -> bool:
        """Whether the seed, or a track already in the list, is the same recording."""
        seed = self._seed.recording
        if seed is not None and self._same(track, seed.duration, seed.activations):
            return True
        return any(
            self._same(track, kept.track.duration, self._remembered(kept.track.id))
            for kept in self.neighbours
            if self._same_recording.durations_agree(track.duration, kept.track.duration)
        )

    def _same(self, track: Track, duration: float, activations: FloatArray | None) -> bool:
        if not self._same_recording.durations_agree(track.duration, duration):
            return False
        own = self._remembered(track.id)
        if own is None or activations is None:
            return False
        return self._same_recording(
            Recording(own, track.duration), Recording(activations, duration)
        )

    def _remembered(self, track_id: int) -> FloatArray | None:
        if track_id not in self._activations:
            self._activations[track_id] = self._activations_of(track_id)
        return self._activations[track_id]

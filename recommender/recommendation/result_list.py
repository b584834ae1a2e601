"""Going through candidates, best first, and keeping those a listener wants."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from recommender.catalog.records import Track, TrackFacts, TrackState
from recommender.embedding.duplicates import DuplicateDetector, Recording
from recommender.errors import UsageError
from recommender.recommendation.filters import Filters
from recommender.utils.arrays import FloatArray
from recommender.utils.names import name_key

BATCH = 512
"""Candidates looked up in the catalogue at a time; the rest of them may not be needed."""


class TrackReader(Protocol):
    """What is asked about candidates; a `Catalog` is one."""

    def facts(
        self, ids: Sequence[int], *, with_probabilities: bool = False
    ) -> Mapping[int, TrackFacts]:
        """What decides whether tracks are listed, by id."""

    def tracks(self, ids: Sequence[int]) -> list[Track]:
        """All there is to say of tracks, in the order of `ids`."""


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
    """A track in a list of recommendations.

    Attributes:
        track: what is recommended.
        similarity: plain cosine of its embedding with the seed's, in [-1, 1]: can be compared from
            list to list.
        rank: place in the list, from 1.
        score: what the list is ordered by, see `neighbourhood`: can be compared within a list, but
            for the nearest, which leads with the best score there is. The similarity itself in
            catalogues below `neighbourhood.LEAST` tracks.
    """

    track: Track
    similarity: float
    rank: int
    score: float


class Candidate(NamedTuple):
    """What the index says of a track; see `Neighbour`."""

    track_id: int
    score: float
    similarity: float


class Selection:
    """The list of neighbours while it grows.

    Full tracks are read only of those that are kept: a filter that few tracks pass makes thousands
    of candidates.
    """

    def __init__(
        self,
        seed: Seed,
        k: int,
        filters: Filters,
        duplicate_detector: DuplicateDetector,
        activations_of: Callable[[int], FloatArray | None],
        reader: TrackReader,
    ) -> None:
        """Keep up to `k` neighbours; `activations_of` gives those of a track id."""
        if k < 1:
            raise UsageError(f"the number of neighbours must be at least 1, not {k}.")
        self._kept: list[tuple[TrackFacts, Candidate]] = []
        self._seed = seed
        self._k = k
        self._filters = filters
        self._duplicates = duplicate_detector
        self._activations_of = activations_of
        self._reader = reader
        self._per_artist: Counter[str] = Counter()
        self._views: dict[int, FloatArray | None] = {}

    @property
    def full(self) -> bool:
        """Whether there are k neighbours."""
        return len(self._kept) >= self._k

    def neighbours(self) -> list[Neighbour]:
        """Those kept so far, best first."""
        tracks = self._reader.tracks([facts.id for facts, _ in self._kept])
        return [
            Neighbour(track, found.similarity, rank, found.score)
            for rank, (track, (_, found)) in enumerate(
                zip(tracks, self._kept, strict=True), start=1
            )
        ]

    def offer(self, candidates: Sequence[Candidate]) -> None:
        """Keep what is wanted of `candidates`, which come best first."""
        others = [found for found in candidates if found.track_id != self._seed.track_id]
        for start in range(0, len(others), BATCH):
            if self.full:
                return
            batch = others[start : start + BATCH]
            known = self._reader.facts(
                [found.track_id for found in batch],
                with_probabilities=self._filters.analysed is not None,
            )
            for found in batch:
                track = known.get(found.track_id)
                if track is not None and not self.full and self._wanted(track):
                    self._keep(track, found)

    def _keep(self, track: TrackFacts, found: Candidate) -> None:
        self._per_artist[name_key(track.artist)] += 1
        self._kept.append((track, found))

    def _wanted(self, track: TrackFacts) -> bool:
        return (
            track.state is TrackState.ANALYSED
            and self._filters.admits(track)
            and self._artist_admitted(name_key(track.artist))
            and (self._filters.keep_duplicates or not self._is_duplicate(track))
        )

    def _artist_admitted(self, artist: str) -> bool:
        if not artist:
            return True
        if not self._filters.same_artist and artist == name_key(self._seed.artist):
            return False
        limit = self._filters.per_artist
        return limit is None or self._per_artist[artist] < limit

    def _is_duplicate(self, track: TrackFacts) -> bool:
        """Whether the seed, or a track already in the list, is the same recording."""
        seed = self._seed.recording
        if seed is not None and self._same(track, seed.duration, seed.view):
            return True
        return any(
            self._same(track, kept.duration, self._remembered(kept.id))
            for kept, _ in self._kept
            if self._duplicates.durations_agree(track.duration, kept.duration)
        )

    def _same(self, track: TrackFacts, duration: float, view: FloatArray | None) -> bool:
        if not self._duplicates.durations_agree(track.duration, duration):
            return False
        own = self._remembered(track.id)
        if own is None or view is None:
            return False
        return self._duplicates(Recording(own, track.duration), Recording(view, duration))

    def _remembered(self, track_id: int) -> FloatArray | None:
        """What is compared of a track's activations; None where it has none."""
        if track_id not in self._views:
            activations = self._activations_of(track_id)
            self._views[track_id] = (
                None if activations is None else self._duplicates.view(activations)
            )
        return self._views[track_id]

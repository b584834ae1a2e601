"""Filters, per-artist cap and duplicate detection applied to a ranked list."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.catalog.records import Track
from recommender.embedding.duplicates import DuplicateDetector
from recommender.errors import UsageError
from recommender.recommendation.filters import Filters
from recommender.recommendation.seeds import SearchSeed
from recommender.recommendation.snapshot import Snapshot
from recommender.search.index import TrackIndex
from recommender.search.ranker import Ranked
from recommender.search.reranking import RankingMethod
from recommender.utils.arrays import FloatArray, IntArray

FIRST_FETCH, FETCH_PER_RESULT = 128, 4
"""Candidates that are ranked at first, at least and for each result; a per-artist cap may drop
most of them."""

FETCH_GROWTH = 4
"""By how much more candidates are ranked each time too few of them pass the filters."""


@dataclass(frozen=True)
class Neighbour:
    """A track in a list of recommendations.

    Attributes:
        track: what is recommended.
        similarity: plain cosine of its embedding with the seed's, in [-1, 1]: comparable from list
            to list.
        rank: position in the list, from 1.
        score: what the list is ordered by (`search.reranking`): comparable within a list, but for
            the nearest, which is pinned first with the best score there is. The similarity itself
            where lists are ordered by cosine.
        close: whether seed and track are more likely of one genre than not; None where the
            projection has no similarity calibration.
    """

    track: Track
    similarity: float
    rank: int
    score: float
    close: bool | None = None


@dataclass(frozen=True)
class Hit:
    """An entry of a `ResultList`; see `Neighbour`."""

    track_id: int
    score: float
    similarity: float


class ResultList:
    """The k best candidates that pass the filters, while candidates come in, best first."""

    def __init__(
        self,
        seed: SearchSeed,
        k: int,
        filters: Filters,
        snapshot: Snapshot,
        duplicate_detector: DuplicateDetector,
    ) -> None:
        """Empty. Raises `UsageError` for k below 1 or a genre that the model does not predict."""
        if k < 1:
            raise UsageError(f"the number of neighbours must be at least 1, not {k}.")
        self.hits: list[Hit] = []
        self._seed = seed
        self._k = k
        self._filters = filters
        self._snapshot = snapshot
        self._detector = duplicate_detector
        self._admitted = snapshot.admitted(filters, seed.seed.artists)
        self._per_artist: Counter[int] = Counter()
        # Of the hits: what duplicate detection compares further candidates with.
        width = snapshot.index.columns["view"].shape[1]
        self._views = np.empty((min(k, len(snapshot.index)), width), dtype=np.float32)
        self._durations = np.empty(len(self._views))

    @property
    def full(self) -> bool:
        """Whether there are k hits."""
        return len(self.hits) >= self._k

    def offer(self, ids: IntArray, scores: FloatArray, similarities: FloatArray) -> None:
        """Add those of the candidates, which come best first, that pass the filters.

        Args:
            ids: np.ndarray [shape=(m,)], tracks of the index.
            scores, similarities: np.ndarray [shape=(m,)], float32.
        """
        rows = self._snapshot.rows(ids)
        wanted = np.flatnonzero(self._admitted[rows] & (ids != self._seed_id))
        for position in wanted.tolist():
            if self.full:
                return
            row = int(rows[position])
            artists = self._snapshot.artists.at(row)
            if self._any_is_full(artists) or self._is_duplicate(row):
                continue
            self._take(row, artists)
            self.hits.append(
                Hit(int(ids[position]), float(scores[position]), float(similarities[position]))
            )

    @property
    def _seed_id(self) -> int:
        return -1 if self._seed.track_id is None else self._seed.track_id

    def _any_is_full(self, artists: Iterable[int]) -> bool:
        limit = self._filters.per_artist
        return limit is not None and any(self._per_artist[artist] >= limit for artist in artists)

    def _is_duplicate(self, row: int) -> bool:
        """Whether the seed, or a track already in the list, is the same recording."""
        if self._filters.keep_duplicates:
            return False
        recording, seed = self._snapshot.recording(row), self._seed.recording
        if seed is not None and self._detector(seed, recording):
            return True
        count = len(self.hits)
        found = self._detector.duplicates(recording, self._views[:count], self._durations[:count])
        return bool(found.any())

    def _take(self, row: int, artists: Iterable[int]) -> None:
        self._per_artist.update(artists)
        recording = self._snapshot.recording(row)
        self._views[len(self.hits)] = recording.view
        self._durations[len(self.hits)] = recording.duration


def fill_lists(
    lists: Sequence[ResultList],
    seeds: Sequence[SearchSeed],
    k: int,
    index: TrackIndex,
    ranking: RankingMethod,
) -> None:
    """Rank more and more candidates until every list is full or has been offered all there are."""
    fetch, done = max(FIRST_FETCH, FETCH_PER_RESULT * k), 0
    waiting = list(zip(lists, seeds, strict=True))
    while waiting and done < len(index):
        for batch, ranked in _ranked(waiting, fetch, index, ranking):
            columns = (ranked.ids, ranked.scores, ranked.similarities)
            for found, *row in zip(batch, *columns, strict=True):
                found.offer(*(column[done:] for column in row))
        done, fetch = min(fetch, len(index)), fetch * FETCH_GROWTH
        waiting = [(found, seed) for found, seed in waiting if not found.full]


def _ranked(
    waiting: Sequence[tuple[ResultList, SearchSeed]],
    fetch: int,
    index: TrackIndex,
    ranking: RankingMethod,
) -> Iterator[tuple[list[ResultList], Ranked]]:
    """Candidates for lists: those of tracks of the index, then those of other vectors."""
    tracks = [(found, seed) for found, seed in waiting if seed.row is not None]
    if tracks:
        ids = np.array([seed.track_id for _, seed in tracks], dtype=np.int64)
        yield [found for found, _ in tracks], index.rank_tracks(ids, fetch, ranking)
    others = [(found, seed.vector) for found, seed in waiting if seed.vector is not None]
    if others:
        vectors = np.stack([vector for _, vector in others])
        yield [found for found, _ in others], index.rank(vectors, fetch, ranking)

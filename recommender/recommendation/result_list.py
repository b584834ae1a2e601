"""Filters, per-artist cap and duplicate detection applied to a ranked list."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.catalog.records import Track
from recommender.embedding.duplicates import DuplicateDetector
from recommender.errors import UsageError
from recommender.recommendation.copies import ListedCopies, copies_of
from recommender.recommendation.explanation import Explanation
from recommender.recommendation.filters import Filters
from recommender.recommendation.seeds import SearchSeed
from recommender.recommendation.snapshot import Snapshot
from recommender.search.index import TrackIndex
from recommender.search.ranker import Ranked
from recommender.search.reranking import RankingMethod
from recommender.utils.arrays import BoolArray, FloatArray, IntArray
from recommender.utils.codes import NO_NAME

FIRST_FETCH, FETCH_PER_RESULT = 32, 3
"""Candidates that are ranked at first, at least and for each result; the cap for each artist may
drop most of them."""

FETCH_GROWTH = 3
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
        why: what makes it and the seed alike; None where nobody asked.
    """

    track: Track
    similarity: float
    rank: int
    score: float
    close: bool | None = None
    why: Explanation | None = None


@dataclass(frozen=True)
class Hit:
    """An entry of a `ResultList`; see `Neighbour`."""

    track_id: int
    score: float
    similarity: float


class ResultList:
    """The k best candidates that pass the filters."""

    def __init__(
        self,
        seed: SearchSeed,
        k: int,
        filters: Filters,
        snapshot: Snapshot,
        duplicate_detector: DuplicateDetector,
    ) -> None:
        """Empty. Raises `UsageError` for k below 1."""
        if k < 1:
            raise UsageError(f"the number of neighbours must be at least 1, not {k}.")
        self.hits: list[Hit] = []
        self._seed = seed
        self._k = k
        self._limit = math.inf if filters.per_artist is None else filters.per_artist
        self._artists = snapshot.artists
        self._barred = frozenset() if filters.same_artist else self._artists_of_seed()
        self._index = snapshot.index
        self._detector = None if filters.keep_duplicates else duplicate_detector

    @property
    def full(self) -> bool:
        """Whether there are k hits."""
        return len(self.hits) >= self._k

    def fill(
        self, rows: IntArray, ids: IntArray, scores: FloatArray, similarities: FloatArray
    ) -> None:
        """Make the list of candidates, which come best first.

        Args:
            rows, ids: np.ndarray [shape=(m,)], tracks of the index that pass the filters that
                look at one track alone.
            scores, similarities: np.ndarray [shape=(m,)], float32.
        """
        self.hits = []
        candidates = self._candidates(rows)
        rows = rows[candidates]
        values = zip(*(v[candidates].tolist() for v in (ids, scores, similarities)), strict=True)
        copies = self._listed_copies(rows)
        per_artist: Counter[int] = Counter()
        for place, (own, hit) in enumerate(zip(self._artists.at(rows), values, strict=True)):
            if self._is_barred(own, per_artist) or (copies and copies.has_copy_of(place)):
                continue
            for artist in own:
                per_artist[artist] += 1
            if copies:
                copies.take(place)
            self.hits.append(Hit(*hit))
            if self.full:
                return

    def _candidates(self, rows: IntArray) -> IntArray:
        """Places of candidates that are neither the seed nor copies of one from outside."""
        row, recording = self._seed.row, self._seed.recording
        kept = np.ones(len(rows), dtype=np.bool_) if row is None else rows != row
        if recording is not None and self._detector is not None:
            kept &= ~copies_of(recording, self._index, rows, self._detector)
        return np.flatnonzero(kept)

    def _listed_copies(self, rows: IntArray) -> ListedCopies | None:
        """What finds copies among candidates; the seed, behind them, is taken already."""
        if self._detector is None:
            return None
        if self._seed.row is None:
            return ListedCopies(self._index, rows, self._detector)
        with_seed = np.append(rows, self._seed.row)
        copies = ListedCopies(self._index, with_seed, self._detector)
        copies.take(len(rows))
        return copies

    def _artists_of_seed(self) -> frozenset[int]:
        if self._seed.row is None:
            return frozenset(self._artists.codes_of(self._seed.seed.artists))
        return frozenset(self._artists.at(np.array([self._seed.row]))[0]) - {NO_NAME}

    def _is_barred(self, artists: Sequence[int], listed: Counter[int]) -> bool:
        for artist in artists:
            if artist != NO_NAME and (artist in self._barred or listed[artist] >= self._limit):
                return True
        return False


def fill_lists(
    lists: Sequence[ResultList],
    seeds: Sequence[SearchSeed],
    k: int,
    index: TrackIndex,
    ranking: RankingMethod,
    allowed: BoolArray | None,
) -> None:
    """Rank more and more candidates until every list is full or has been offered all there are.

    Args:
        allowed: np.ndarray [shape=(n,)], bool: the tracks of the index that are candidates; None
            for all.
    """
    fetch = max(FIRST_FETCH, FETCH_PER_RESULT * k)
    waiting = list(zip(lists, seeds, strict=True))
    while waiting:
        most = 0
        for batch, ranked in _ranked(waiting, fetch, index, ranking, allowed):
            columns = (ranked.rows, ranked.ids, ranked.scores, ranked.similarities)
            for found, *row in zip(batch, *columns, strict=True):
                found.fill(*row)
            most = max(most, ranked.ids.shape[1])
        if most < fetch:  # there are no more
            return
        fetch *= FETCH_GROWTH
        waiting = [(found, seed) for found, seed in waiting if not found.full]


def _ranked(
    waiting: Sequence[tuple[ResultList, SearchSeed]],
    fetch: int,
    index: TrackIndex,
    ranking: RankingMethod,
    allowed: BoolArray | None,
) -> Iterator[tuple[list[ResultList], Ranked]]:
    """Candidates for lists: those of tracks of the index, then those of other vectors."""
    tracks = [(found, seed) for found, seed in waiting if seed.row is not None]
    if tracks:
        ids = np.array([seed.track_id for _, seed in tracks], dtype=np.int64)
        yield [found for found, _ in tracks], index.rank_tracks(ids, fetch, ranking, allowed)
    others = [(found, seed.vector) for found, seed in waiting if seed.vector is not None]
    if others:
        vectors = np.stack([vector for _, vector in others])
        yield [found for found, _ in others], index.rank(vectors, fetch, ranking, allowed)

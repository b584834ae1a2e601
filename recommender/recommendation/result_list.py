"""Filters, per-artist cap and duplicate detection applied to a ranked list."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.catalog.records import Track
from recommender.embedding.duplicates import DuplicateDetector
from recommender.errors import UsageError
from recommender.recommendation.copies import ListedRecordings
from recommender.recommendation.filters import Filters
from recommender.recommendation.seeds import SearchSeed
from recommender.recommendation.snapshot import Snapshot
from recommender.search.index import TrackIndex
from recommender.search.ranker import Ranked
from recommender.search.reranking import RankingMethod
from recommender.utils.arrays import BoolArray, FloatArray, IntArray
from recommender.utils.codes import NO_NAME

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
        """Empty. Raises `UsageError` for k below 1."""
        if k < 1:
            raise UsageError(f"the number of neighbours must be at least 1, not {k}.")
        self.hits: list[Hit] = []
        self._seed = seed
        self._k = k
        self._limit = filters.per_artist
        self._artists = snapshot.artists
        self._per_artist: Counter[int] = Counter()
        self._barred = frozenset() if filters.same_artist else self._artists_of_seed()
        self._copies = (
            None
            if filters.keep_duplicates
            else ListedRecordings(snapshot.index, duplicate_detector, seed)
        )

    @property
    def full(self) -> bool:
        """Whether there are k hits."""
        return len(self.hits) >= self._k

    def offer(
        self, rows: IntArray, ids: IntArray, scores: FloatArray, similarities: FloatArray
    ) -> None:
        """Add those of the candidates, which come best first, that pass the filters.

        Args:
            rows, ids: np.ndarray [shape=(m,)], tracks of the index that pass the filters that
                look at one track alone.
            scores, similarities: np.ndarray [shape=(m,)], float32.
        """
        if self.full or not len(rows):
            return
        new = (
            np.ones(len(rows), dtype=np.bool_) if self._copies is None else self._copies.offer(rows)
        )
        artists = self._artists.at(rows)
        names = ids.tolist()
        for place in np.flatnonzero(new & (ids != self._seed_id)).tolist():
            own = [artist for artist in artists[place] if artist != NO_NAME]
            if self._is_barred(own) or (
                self._copies is not None and self._copies.is_copy(place, names[place])
            ):
                continue
            self._per_artist.update(own)
            if self._copies is not None:
                self._copies.add(place, names[place])
            self.hits.append(Hit(names[place], float(scores[place]), float(similarities[place])))
            if self.full:
                return

    @property
    def _seed_id(self) -> int:
        return -1 if self._seed.track_id is None else self._seed.track_id

    def _artists_of_seed(self) -> frozenset[int]:
        if self._seed.row is None:
            return frozenset(self._artists.codes_of(self._seed.seed.artists))
        return frozenset(self._artists.at(np.array([self._seed.row]))[0]) - {NO_NAME}

    def _is_barred(self, artists: Sequence[int]) -> bool:
        limit = self._limit
        for artist in artists:
            if artist in self._barred or (limit is not None and self._per_artist[artist] >= limit):
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
    fetch, done = max(FIRST_FETCH, FETCH_PER_RESULT * k), 0
    waiting = list(zip(lists, seeds, strict=True))
    while waiting and done < len(index):
        most = 0
        for batch, ranked in _ranked(waiting, fetch, index, ranking, allowed):
            columns = (ranked.rows, ranked.ids, ranked.scores, ranked.similarities)
            for found, *row in zip(batch, *columns, strict=True):
                found.offer(*(column[done:] for column in row))
            most = max(most, ranked.ids.shape[1])
        if most < fetch:
            return
        done, fetch = fetch, fetch * FETCH_GROWTH
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

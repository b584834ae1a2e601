"""Every track as a query against the others: the score of each query, and hubness.

Vectors are compared by inner product; their rows have length 1, so that is the cosine similarity.
A `Ranking` (reranked lists) or `GivenSimilarities` can take their place: see `Comparable`. Equal
similarities keep the order of the rows. The similarities of all pairs are never held at once:
queries are processed in chunks. `metrics` defines the measures, `report` summarises them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.errors import UsageError
from recommender.evaluation import metrics
from recommender.evaluation.labelled_vectors import (
    Comparable,
    LabelledVectors,
    checked,
    checked_mask,
    similarities,
)
from recommender.evaluation.metrics import DEFAULT_K
from recommender.utils.arrays import BoolArray, IntArray, Scores

CHUNK_CELLS = 2**19
"""Similarities held at a time, whatever the number of tracks: about 15 MB of work space."""


@dataclass(frozen=True)
class Hubness:
    """How evenly tracks occur in the lists of k nearest neighbours.

    Attributes:
        k: length of the lists.
        lists: how many lists there are.
        skewness: of the k-occurrence N_k.
        anti_hub_rate: share of the gallery that is in no list.
        largest: how many lists the largest hub is in.
        largest_index: its row in the vectors.
    """

    k: int
    lists: int
    skewness: float
    anti_hub_rate: float
    largest: int
    largest_index: int


@dataclass(frozen=True)
class QueryScores:
    """The scores of each query; every array has shape (q,). Excluded queries have `relevant` 0.

    Attributes:
        rows: the query's row in the vectors.
        precision: precision@k.
        hit: 1.0 where a relevant track is in the first k.
        average_precision: NaN for excluded queries.
        relevant: relevant candidates.
        candidates: candidates left after the artist filter.
    """

    rows: IntArray
    precision: Scores
    hit: Scores
    average_precision: Scores
    relevant: IntArray
    candidates: IntArray


def score_queries(tracks: LabelledVectors, k: int, *, artist_filter: bool) -> QueryScores:
    """Rank the gallery for each query, without the query itself (and without its artist).

    The scores of single queries serve paired tests between two sets of vectors.

    Raises:
        UsageError: k is below 1.
    """
    _check_k(k)
    parts = []
    for rows, hits, lengths, relevant in _ranked(tracks, artist_filter):
        precision = metrics.precision_at_k(hits, k, lengths)
        found = metrics.hit_at_k(hits, k)
        average = metrics.average_precision(hits)
        parts.append((rows, precision, found, average, relevant, lengths))
    return QueryScores(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def query_precision(
    vectors: Comparable,
    labels: Sequence[str | None],
    artists: Sequence[str | None] | None,
    *,
    k: int = DEFAULT_K,
    queries: BoolArray | None = None,
    gallery: BoolArray | None = None,
) -> Scores:
    """precision@k with artist filter of each labelled query, as `score_queries` has it; quicker.

    Args:
        vectors: np.ndarray [shape=(n, d)], rows of length 1; or another `Comparable`.
        labels: n genres; None or blank is unlabelled.
        artists: n artists; None or blank equals no other.
        k: length of the lists.
        queries: np.ndarray [shape=(n,)], bool: rows that are queries; all when None.
        gallery: np.ndarray [shape=(n,)], bool: rows that are candidates; all when None.

    Returns:
        np.ndarray [shape=(q,)], in the order of the rows of labelled queries; NaN where none of the
        candidates is relevant.

    Raises:
        UsageError: as `LabelledVectors.of` does, or k is below 1.
    """
    _check_k(k)
    tracks = LabelledVectors.of(vectors, labels, artists, queries, gallery)
    parts = []
    for _, hits, lengths, relevant in _ranked(tracks, artist_filter=True, first=k):
        precision = metrics.precision_at_k(hits, k, lengths)
        parts.append(np.where(relevant > 0, precision, np.nan))
    return np.concatenate(parts)


def mean_precision(
    vectors: Comparable,
    labels: Sequence[str | None],
    artists: Sequence[str | None] | None,
    *,
    k: int = DEFAULT_K,
    queries: BoolArray | None = None,
    gallery: BoolArray | None = None,
) -> float:
    """Mean of `query_precision` over the queries with a relevant candidate; NaN without any.

    Arguments and errors are those of `query_precision`.
    """
    by_query = query_precision(vectors, labels, artists, k=k, queries=queries, gallery=gallery)
    judged = by_query[~np.isnan(by_query)]
    return float(judged.mean()) if len(judged) else float("nan")


def _ranked(
    tracks: LabelledVectors, artist_filter: bool, first: int | None = None
) -> Iterator[tuple[IntArray, BoolArray, IntArray, IntArray]]:
    """The ranked gallery of every query, in chunks of c queries.

    Args:
        tracks: queries and gallery.
        artist_filter: whether tracks by the query's artist are excluded.
        first: only so many of each list; all when None.

    Yields:
        rows [c] of the queries; hits [c, first], best first, False beyond the end of a list; number
        of candidates [c]; number of relevant candidates [c].
    """
    gallery, genres, artists = tracks.gallery, tracks.genre_codes, tracks.artist_codes
    for rows in _chunks(tracks.queries, len(gallery)):
        excluded = rows[:, None] == gallery
        if artist_filter:
            excluded |= (artists[rows, None] == artists[gallery]) & (artists[rows, None] >= 0)
        order = metrics.rank(similarities(tracks.vectors, rows, gallery), excluded, first)
        same_genre = genres[gallery] == genres[rows, None]
        hits = np.take_along_axis(same_genre, order, axis=1)
        lengths = len(gallery) - excluded.sum(axis=1)
        hits &= np.arange(order.shape[1]) < lengths[:, None]
        yield rows, hits, lengths, (same_genre & ~excluded).sum(axis=1)


def hubness(
    vectors: Comparable,
    k: int = DEFAULT_K,
    queries: BoolArray | None = None,
    gallery: BoolArray | None = None,
) -> Hubness:
    """How evenly the tracks of the gallery occur in the queries' lists of k nearest neighbours.

    Args:
        vectors: np.ndarray [shape=(n, d)], rows of length 1; or another `Comparable`.
        k: length of the lists.
        queries: np.ndarray [shape=(n,)], bool: rows that are queries; all when None.
        gallery: np.ndarray [shape=(n,)], bool: rows that are candidates; all when None.

    Raises:
        UsageError: vectors that are not finite or not of length 1, k below 1, no query or no
            candidate.
    """
    lists = neighbour_lists(vectors, k, queries, gallery)
    candidates = np.flatnonzero(checked_mask(gallery, len(vectors), "gallery"))
    occurrences = np.bincount(lists[lists >= 0], minlength=len(vectors))[candidates]
    largest = int(occurrences.argmax())
    return Hubness(
        k=k,
        lists=len(lists),
        skewness=metrics.skewness(occurrences),
        anti_hub_rate=float(np.mean(occurrences == 0)),
        largest=int(occurrences[largest]),
        largest_index=int(candidates[largest]),
    )


def neighbour_lists(
    vectors: Comparable,
    k: int = DEFAULT_K,
    queries: BoolArray | None = None,
    gallery: BoolArray | None = None,
) -> IntArray:
    """The k nearest of the gallery for each query, without the query itself.

    Arguments and errors are those of `hubness`.

    Returns:
        np.ndarray [shape=(q, min(k, gallery))], int64: rows of `vectors`, nearest first; -1 where
        there is no further one.
    """
    _check_k(k)
    vectors = checked(vectors)
    query_rows = np.flatnonzero(checked_mask(queries, len(vectors), "queries"))
    candidates = np.flatnonzero(checked_mask(gallery, len(vectors), "gallery"))
    if not len(query_rows) or not len(candidates):
        raise UsageError("hubness needs at least one query and one candidate.")
    lists = []
    for rows in _chunks(query_rows, len(candidates)):
        excluded = rows[:, None] == candidates
        nearest = metrics.rank(similarities(vectors, rows, candidates), excluded, k)
        lengths = len(candidates) - excluded.sum(axis=1)
        within = np.arange(nearest.shape[1]) < lengths[:, None]
        lists.append(np.where(within, candidates[nearest], -1))
    return np.concatenate(lists)


def _check_k(k: int) -> None:
    if k < 1:
        raise UsageError(f"k is the length of a list of neighbours: at least 1, not {k}.")


def _chunks(rows: IntArray, width: int) -> Iterator[IntArray]:
    height = max(1, CHUNK_CELLS // max(1, width))
    for start in range(0, len(rows), height):
        yield rows[start : start + height]

"""Every track as a query against the others: what each query scores, and which tracks are hubs.

Vectors are compared by inner product; their rows have length 1, so that is the cosine similarity.
Where tracks are ranked by other scores, a `neighbourhood.Ranking` stands in their place; where a
measure of similarity is no inner product, `GivenSimilarities`.
Equal similarities keep the order of the rows. The similarities of all pairs are never held at once:
queries are taken a chunk at a time. `metrics` defines the measures, `evaluation` reports them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.errors import UsageError
from recommender.evaluation import metrics
from recommender.search.reranking import Ranking
from recommender.utils.arrays import BoolArray, FloatArray, IntArray, Scores, is_unit

CHUNK_CELLS = 2**19
"""Similarities held at a time, whatever the number of tracks: about 15 MB of work space."""


@dataclass(frozen=True, eq=False)
class GivenSimilarities:
    """Similarities of all pairs of n tracks, found in any way.

    Attributes:
        matrix: np.ndarray [shape=(n, n)], float32, finite; row i says how near the tracks are to
            track i. Its diagonal is not looked at.
    """

    matrix: FloatArray

    def __len__(self) -> int:
        return len(self.matrix)


Comparable = FloatArray | GivenSimilarities | Ranking
"""Unit vectors [shape=(n, d)], or the similarities or the scores of n tracks."""


@dataclass(frozen=True)
class LabelledVectors:
    """The tracks of an evaluation, checked and encoded; made by `of`.

    Attributes:
        vectors: np.ndarray [shape=(n, d)], float32, rows of length 1; or what else is comparable.
        genres: the distinct labels, sorted.
        genre_codes: np.ndarray [shape=(n,)]: place in `genres`, -1 for unlabelled tracks.
        artist_codes: np.ndarray [shape=(n,)]: equal for equal artists, -1 for blank ones.
        queries: rows that are asked: labelled ones.
        gallery: rows that can be answered: labelled ones.
    """

    vectors: Comparable
    genres: tuple[str, ...]
    genre_codes: IntArray
    artist_codes: IntArray
    queries: IntArray
    gallery: IntArray

    @classmethod
    def of(
        cls,
        vectors: Comparable,
        labels: Sequence[str | None],
        artists: Sequence[str | None] | None = None,
        queries: BoolArray | None = None,
        gallery: BoolArray | None = None,
    ) -> "LabelledVectors":
        """Check and encode the arguments of `evaluation.evaluate_retrieval`, which tells them.

        Raises:
            UsageError: vectors that are not finite or not of length 1, arguments of different
                lengths, or no labelled query.
        """
        vectors = _checked(vectors)
        count = len(vectors)
        genre_codes, genres = _codes(labels, count, "labels")
        artist_codes, _ = _codes([None] * count if artists is None else artists, count, "artists")
        labelled = genre_codes >= 0
        asked = np.flatnonzero(labelled & _mask(queries, count, "queries"))
        answers = np.flatnonzero(labelled & _mask(gallery, count, "gallery"))
        if not len(asked):
            raise UsageError("no track to ask about has a genre: label some tracks first.")
        return cls(vectors, genres, genre_codes, artist_codes, asked, answers)


@dataclass(frozen=True)
class Hubness:
    """How evenly tracks occur in the lists of k nearest neighbours.

    Attributes:
        k: length of the lists.
        lists: how many lists there are.
        skewness: of the k-occurrence N_k.
        never: share of the gallery that is in no list (anti-hubs).
        largest: how many lists the largest hub is in.
        largest_index: its row in the vectors.
    """

    k: int
    lists: int
    skewness: float
    never: float
    largest: int
    largest_index: int


@dataclass(frozen=True)
class QueryScores:
    """What each query scored; every array has shape (queries,). Excluded queries have `relevant` 0.

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

    The outcome of single queries serves paired tests between two sets of vectors.

    Raises:
        UsageError: k is below 1.
    """
    _check_k(k)
    gallery, genres, artists = tracks.gallery, tracks.genre_codes, tracks.artist_codes
    parts = []
    for rows in _chunks(tracks.queries, len(gallery)):
        excluded = rows[:, None] == gallery
        if artist_filter:
            excluded |= (artists[rows, None] == artists[gallery]) & (artists[rows, None] >= 0)
        order = metrics.rank(_similarities(tracks.vectors, rows, gallery), excluded)
        lengths = len(gallery) - excluded.sum(axis=1)
        hits = genres[gallery][order] == genres[rows, None]
        hits &= np.arange(len(gallery)) < lengths[:, None]
        precision = metrics.precision_at_k(hits, k, lengths)
        found = metrics.hit_at_k(hits, k)
        average = metrics.average_precision(hits)
        parts.append((rows, precision, found, average, hits.sum(axis=1), lengths))
    return QueryScores(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def hubness(
    vectors: Comparable,
    k: int = 10,
    queries: BoolArray | None = None,
    gallery: BoolArray | None = None,
) -> Hubness:
    """How evenly the tracks of the gallery occur in the queries' lists of k nearest neighbours.

    Args:
        vectors: np.ndarray [shape=(n, d)], rows of length 1; or what else is comparable.
        k: length of the lists.
        queries: np.ndarray [shape=(n,)], bool: rows that are asked; all when None.
        gallery: np.ndarray [shape=(n,)], bool: rows that can be answered; all when None.

    Raises:
        UsageError: vectors that are not finite or not of length 1, k below 1, nothing to ask or
            to answer.
    """
    lists = neighbour_lists(vectors, k, queries, gallery)
    answers = np.flatnonzero(_mask(gallery, len(vectors), "gallery"))
    occurrences = np.bincount(lists[lists >= 0], minlength=len(vectors))[answers]
    largest = int(occurrences.argmax())
    return Hubness(
        k=k,
        lists=len(lists),
        skewness=metrics.skewness(occurrences),
        never=float(np.mean(occurrences == 0)),
        largest=int(occurrences[largest]),
        largest_index=int(answers[largest]),
    )


def neighbour_lists(
    vectors: Comparable,
    k: int = 10,
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
    vectors = _checked(vectors)
    asked = np.flatnonzero(_mask(queries, len(vectors), "queries"))
    answers = np.flatnonzero(_mask(gallery, len(vectors), "gallery"))
    if not len(asked) or not len(answers):
        raise UsageError("hubness needs at least one query and one track that can be answered.")
    lists = []
    for rows in _chunks(asked, len(answers)):
        excluded = rows[:, None] == answers
        nearest = metrics.rank(_similarities(vectors, rows, answers), excluded, k)
        lengths = len(answers) - excluded.sum(axis=1)
        real = np.arange(nearest.shape[1]) < lengths[:, None]
        lists.append(np.where(real, answers[nearest], -1))
    return np.concatenate(lists)


def checked_vectors(vectors: FloatArray) -> FloatArray:
    """`vectors` as float32; raises `UsageError` unless they are unit vectors [shape=(n, d)]."""
    vectors = np.asarray(vectors, dtype=np.float32)
    if vectors.ndim != 2:
        raise UsageError(f"vectors must have shape (n, d), not {vectors.shape}.")
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(broken):
        raise UsageError(
            f"{len(broken)} vectors hold NaN or infinity, the first in row {broken[0]}: "
            "leave those tracks out or analyse them again."
        )
    odd = np.flatnonzero(~is_unit(vectors))
    if len(odd):
        raise UsageError(
            f"{len(odd)} vectors are not of length 1, the first in row {odd[0]}: "
            "divide every vector by its length."
        )
    return vectors


def _checked(vectors: Comparable) -> Comparable:
    if isinstance(vectors, Ranking):
        return _checked_ranking(vectors)
    if not isinstance(vectors, GivenSimilarities):
        return checked_vectors(vectors)
    matrix = vectors.matrix
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise UsageError(f"similarities must be finite, of shape (n, n), not {matrix.shape}.")
    return vectors


def _checked_ranking(scores: Ranking) -> Ranking:
    query_vectors, database_vectors = scores.query_vectors, scores.database_vectors
    fits = query_vectors.ndim == 2 and query_vectors.shape == database_vectors.shape
    if not fits or not np.isfinite(query_vectors).all() or not np.isfinite(database_vectors).all():
        raise UsageError(
            "what asks and what answers must be finite and of one shape (n, e), not "
            f"{query_vectors.shape} and {database_vectors.shape}."
        )
    pinned_first = scores.pinned_first
    if pinned_first is not None and not (
        pinned_first.shape == (len(query_vectors),)
        and np.isin(pinned_first, np.arange(len(query_vectors))).all()
    ):
        raise UsageError(
            f"what leads must be {len(query_vectors)} rows of the tracks, one for each."
        )
    return scores


def _similarities(vectors: Comparable, rows: IntArray, columns: IntArray) -> FloatArray:
    """Of the tracks `rows` with the tracks `columns`: np.ndarray [shape=(rows, columns)]."""
    if isinstance(vectors, GivenSimilarities):
        given: FloatArray = vectors.matrix[np.ix_(rows, columns)]
        return given
    if isinstance(vectors, Ranking):
        scores: FloatArray = vectors.query_vectors[rows] @ vectors.database_vectors[columns].T
        if vectors.pinned_first is not None:
            leads = vectors.pinned_first[rows][:, None] == columns
            scores[leads] = np.inf
        return scores
    inner: FloatArray = vectors[rows] @ vectors[columns].T
    return inner


def _check_k(k: int) -> None:
    if k < 1:
        raise UsageError(f"k is the length of a list of neighbours: at least 1, not {k}.")


def _codes(names: Sequence[str | None], count: int, what: str) -> tuple[IntArray, tuple[str, ...]]:
    """Each name as its number in the sorted distinct names; -1 for None and blank."""
    if len(names) != count:
        raise UsageError(f"{len(names)} {what} were given for {count} vectors.")
    stripped = [(name or "").strip() for name in names]
    distinct = tuple(sorted({name for name in stripped if name}))
    numbers = {name: number for number, name in enumerate(distinct)}
    return np.array([numbers.get(name, -1) for name in stripped], dtype=np.int64), distinct


def _mask(mask: BoolArray | None, count: int, what: str) -> BoolArray:
    if mask is None:
        return np.ones(count, dtype=np.bool_)
    mask = np.asarray(mask)
    if mask.shape != (count,) or mask.dtype != np.bool_:
        raise UsageError(f"{what} must be {count} booleans, one for each vector.")
    return mask


def _chunks(rows: IntArray, width: int) -> Iterator[IntArray]:
    height = max(1, CHUNK_CELLS // max(1, width))
    for start in range(0, len(rows), height):
        yield rows[start : start + height]

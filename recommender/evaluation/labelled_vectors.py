"""The tracks of an evaluation: vectors, similarities or a ranking, with labels and artists."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.errors import UsageError
from recommender.search.reranking import Ranking
from recommender.utils.arrays import BoolArray, FloatArray, IntArray, checked_vectors


@dataclass(frozen=True, eq=False)
class GivenSimilarities:
    """Similarities of all pairs of n tracks, computed in any way.

    Attributes:
        matrix: np.ndarray [shape=(n, n)], float32, finite; row i has the similarities of all tracks
            with track i. The diagonal is not used.
    """

    matrix: FloatArray

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.matrix)


Comparable = FloatArray | GivenSimilarities | Ranking
"""Unit vectors [shape=(n, d)], or the similarities or the scores of n tracks."""


@dataclass(frozen=True)
class LabelledVectors:
    """The tracks of an evaluation, checked and encoded; made by `of`.

    Attributes:
        vectors: np.ndarray [shape=(n, d)], float32, rows of length 1; or another `Comparable`.
        genres: the distinct labels, sorted.
        genre_codes: np.ndarray [shape=(n,)]: index into `genres`, -1 for unlabelled tracks.
        artist_codes: np.ndarray [shape=(n,)]: equal for equal artists, -1 for blank ones.
        queries: rows of the query tracks, all labelled.
        gallery: rows of the candidates, all labelled.
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
        """Check and encode the arguments of `report.evaluate_retrieval`, where they are described.

        Raises:
            UsageError: vectors that are not finite or not of length 1, arguments of different
                lengths, or no labelled query.
        """
        vectors = checked(vectors)
        count = len(vectors)
        genre_codes, genres = _codes(labels, count, "labels")
        artist_codes, _ = _codes([None] * count if artists is None else artists, count, "artists")
        labelled = genre_codes >= 0
        query_rows = np.flatnonzero(labelled & checked_mask(queries, count, "queries"))
        gallery_rows = np.flatnonzero(labelled & checked_mask(gallery, count, "gallery"))
        if not len(query_rows):
            raise UsageError("no query track has a genre: label some tracks first.")
        return cls(vectors, genres, genre_codes, artist_codes, query_rows, gallery_rows)


def checked(vectors: Comparable) -> Comparable:
    """`vectors`, as float32 where they are an array.

    Raises:
        UsageError: values are not finite, rows not of length 1, or shapes do not fit.
    """
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
            "query and database vectors must be finite and of one shape (n, e), not "
            f"{query_vectors.shape} and {database_vectors.shape}."
        )
    pinned_first = scores.pinned_first
    if pinned_first is not None and not (
        pinned_first.shape == (len(query_vectors),)
        and np.isin(pinned_first, np.arange(len(query_vectors))).all()
    ):
        raise UsageError(
            f"the tracks pinned first must be {len(query_vectors)} rows, one for each track."
        )
    return scores


def similarities(vectors: Comparable, rows: IntArray, columns: IntArray) -> FloatArray:
    """Of the tracks `rows` with the tracks `columns`: np.ndarray [shape=(rows, columns)].

    The track that a ranking pins first has infinite similarity.
    """
    if isinstance(vectors, GivenSimilarities):
        given: FloatArray = vectors.matrix[np.ix_(rows, columns)]
        return given
    if isinstance(vectors, Ranking):
        scores: FloatArray = vectors.query_vectors[rows] @ vectors.database_vectors[columns].T
        if vectors.pinned_first is not None:
            pinned = vectors.pinned_first[rows][:, None] == columns
            scores[pinned] = np.inf
        return scores
    inner: FloatArray = vectors[rows] @ vectors[columns].T
    return inner


def _codes(names: Sequence[str | None], count: int, what: str) -> tuple[IntArray, tuple[str, ...]]:
    """Each name as its number in the sorted distinct names; -1 for None and blank."""
    if len(names) != count:
        raise UsageError(f"{len(names)} {what} were given for {count} vectors.")
    stripped = [(name or "").strip() for name in names]
    distinct = tuple(sorted({name for name in stripped if name}))
    numbers = {name: number for number, name in enumerate(distinct)}
    return np.array([numbers.get(name, -1) for name in stripped], dtype=np.int64), distinct


def checked_mask(mask: BoolArray | None, count: int, what: str) -> BoolArray:
    """`mask` [shape=(count,)], bool; all true when None. Raises `UsageError` for anything else."""
    if mask is None:
        return np.ones(count, dtype=np.bool_)
    mask = np.asarray(mask)
    if mask.shape != (count,) or mask.dtype != np.bool_:
        raise UsageError(f"{what} must be {count} booleans, one for each vector.")
    return mask

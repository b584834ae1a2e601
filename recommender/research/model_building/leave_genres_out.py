"""How well are genres found that nothing was trained on?

Listeners' music is mostly of kinds that GTZAN does not have. To measure that with GTZAN, some of
its genres are left out of training and asked for afterwards: what is fitted analyses the training
tracks of the other seven genres alone; queries are the tracks of the genres left out, and the
gallery they are looked for in holds all ten. precision@10 with artist filter, the mean over the
queries of a fold, then over the folds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recommender.errors import UsageError
from recommender.evaluation.retrieval import Comparable, LabelledVectors, score_queries
from recommender.research.datasets import gtzan
from recommender.utils.arrays import IntArray

FOLDS: tuple[tuple[str, ...], ...] = (
    ("blues", "hiphop", "rock"),
    ("classical", "jazz", "reggae"),
    ("country", "metal", "pop"),
    ("disco", "hiphop", "jazz"),
)
"""Genres left out together. Every genre is left out once, hip hop and jazz twice."""

GALLERIES: dict[str, tuple[str, ...]] = {"valid": ("valid",), "valid+test": ("valid", "test")}
"""StudySplit of the filtered split that are asked and answered: 197 tracks to choose by, and the 487
that are reported and that nothing is chosen by."""

NEIGHBOURS = 10

Encoder = Callable[[IntArray], Comparable]
"""Rows of the data set [shape=(n,)] to unit vectors [shape=(n, d)], or the similarities of n."""

Fit = Callable[[IntArray, IntArray], Encoder]
"""Rows of the tracks to learn from and their labels (0 to the number of genres less one, both
[shape=(m,)]) to what was learned."""


@dataclass(frozen=True)
class HeldOutGenrePrecision:
    """precision@10 with artist filter of genres left out of training.

    Attributes:
        gallery: name in `GALLERIES`.
        folds: one figure for each of `FOLDS`.
    """

    gallery: str
    folds: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of the folds."""
        return float(np.mean(self.folds))


@dataclass(frozen=True)
class HeldOutGenreFigures:
    """The same of one embedding in two orders.

    Attributes:
        bare: by cosine.
        ranked: as recommended (`neighbourhood`).
    """

    bare: HeldOutGenrePrecision
    ranked: HeldOutGenrePrecision


def unseen_precision(data: gtzan.Gtzan, fit: Fit, gallery: str = "valid") -> HeldOutGenrePrecision:
    """Fit once a fold, and ask for what was left out.

    Args:
        data: GTZAN with the tracks of the filtered split.
        fit: learns from the filtered training tracks of seven genres; what it returns encodes the
            whole gallery.
        gallery: name in `GALLERIES`.

    Raises:
        UsageError: no such gallery.
        DatasetError: tracks are absent (other than the one corrupt in circulation).
    """
    if gallery not in GALLERIES:
        raise UsageError(f"there is no gallery {gallery!r}: {' or '.join(GALLERIES)}.")
    rows = np.concatenate([rows_of(data, side) for side in GALLERIES[gallery]])
    folds = []
    for left_out in FOLDS:
        encode = fit(*training_rows(data, left_out))
        folds.append(fold_precision(data, encode(rows), rows, left_out))
    return HeldOutGenrePrecision(gallery, tuple(folds))


def training_rows(data: gtzan.Gtzan, left_out: tuple[str, ...]) -> tuple[IntArray, IntArray]:
    """Rows and labels of the filtered training tracks without the genres `left_out`.

    The labels number the genres that are left from 0, in the order of `gtzan.GENRES`.
    """
    rows = rows_of(data, "train")
    kept = rows[~_is_of(data, rows, left_out)]
    _, labels = np.unique(data.labels[kept], return_inverse=True)
    return kept, labels.astype(np.int64)


def fold_precision(
    data: gtzan.Gtzan, vectors: Comparable, rows: IntArray, left_out: tuple[str, ...]
) -> float:
    """precision@10 with artist filter of the gallery's tracks of the genres `left_out`.

    Args:
        data: GTZAN.
        vectors: of the gallery, one for each of `rows`.
        rows: np.ndarray [shape=(n,)], rows of the data set.
        left_out: genres that are asked for.
    """
    known = gtzan.artists()
    genres = [gtzan.GENRES[label] for label in data.labels[rows]]
    artists = [known[data.track_ids[row]] for row in rows]
    asked = _is_of(data, rows, left_out)
    tracks = LabelledVectors.of(vectors, genres, artists, queries=asked)
    scores = score_queries(tracks, NEIGHBOURS, artist_filter=True)
    return float(scores.precision[scores.relevant > 0].mean())


def rows_of(data: gtzan.Gtzan, side: str) -> IntArray:
    """Rows of one side of the filtered split. Raises `DatasetError` where tracks are absent."""
    return data.select(gtzan.split_ids("filtered", side), gtzan.CORRUPT_IN_CIRCULATION)


def _is_of(
    data: gtzan.Gtzan, rows: IntArray, genres: tuple[str, ...]
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.isin(data.labels[rows], [gtzan.GENRES.index(genre) for genre in genres])

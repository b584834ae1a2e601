"""Paired comparison of models by how often neighbours share the query's genre. Arrays only.

Every model is evaluated on the same tracks, labels and queries (see `report`), so that the
comparison is paired: each query has a score with each model, and their difference is tested.

Conventions
    *difference*: precision@k of a model less that of the first model named, query by query.
    *p*: two-sided permutation test of their mean, `significance.sign_flip_p`. Each p is that of
        one comparison: none is corrected for their number.
    *interval*: of the mean difference, by bootstrap over queries as in `report`. Queries of one
        artist are not independent, so intervals are rather too narrow, and p rather too small.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recommender.errors import UsageError
from recommender.evaluation.labelled_vectors import Comparable, LabelledVectors
from recommender.evaluation.metrics import DEFAULT_K
from recommender.evaluation.report import ALL_GENRES, GenreScores, mean_scores, without_nan
from recommender.evaluation.retrieval import Hubness, QueryScores, hubness, score_queries
from recommender.evaluation.significance import bootstrap_interval, sign_flip_p
from recommender.utils.arrays import Scores


@dataclass(frozen=True)
class Difference:
    """Mean difference of precision@k to the first model, its interval, and p; NaN if undefined."""

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class ModelScores:
    """One model, with or without artist filter.

    Attributes:
        model: its name.
        scores: over the queries of all genres.
        difference: to the first model; None for the first itself.
    """

    model: str
    scores: GenreScores
    difference: Difference | None


@dataclass(frozen=True)
class Comparison:
    """The outcome of `compare_models`; models are in the order they were named in.

    Attributes:
        k: length of the lists.
        tracks: vectors of each model.
        unlabelled: those without a label, which are neither query nor candidate.
        without_artist: labelled tracks whose artist is blank.
        without_filter: scores with the query's own artist among the candidates.
        with_filter: scores under the artist filter; None when no artist is known.
        hubness: by model, over all tracks and without the filter.
        bootstrap, permutations, seed: resamples of the intervals, of the tests, their seed.
    """

    k: int
    tracks: int
    unlabelled: int
    without_artist: int
    without_filter: tuple[ModelScores, ...]
    with_filter: tuple[ModelScores, ...] | None
    hubness: Mapping[str, Hubness]
    bootstrap: int
    permutations: int
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """Nested plain values for JSON; what is undefined is None."""
        plain: dict[str, Any] = without_nan(asdict(self))
        return plain


def compare_models(
    vectors: Mapping[str, Comparable],
    labels: Sequence[str | None],
    artists: Sequence[str | None] | None = None,
    *,
    k: int = DEFAULT_K,
    bootstrap: int = 1000,
    permutations: int = 9999,
    seed: int = 0,
) -> Comparison:
    """Evaluate several models on the same tracks, and compare each with the first.

    Args:
        vectors: model → np.ndarray [shape=(n, d)], rows of length 1, or another `Comparable`; d may
            differ by model.
        labels: n genres; None or blank is unlabelled. Compared as they are spelled.
        artists: n artists; None or blank equals no other. None: no artist is known.
        k: length of the lists.
        bootstrap: resamples behind each interval; 0 gives none.
        permutations: resamples behind each p.
        seed: of both.

    Raises:
        UsageError: fewer than two models, vectors that are not finite or not of length 1,
            arguments of different lengths, k below 1, or no labelled query.
        RecsysError: scipy is not installed.
    """
    if len(vectors) < 2:
        raise UsageError(f"a comparison takes at least two models, not {len(vectors)}.")
    tracks = {model: LabelledVectors.of(rows, labels, artists) for model, rows in vectors.items()}
    first = next(iter(tracks.values()))
    blank = first.artist_codes < 0

    def scores(artist_filter: bool) -> tuple[ModelScores, ...]:
        per_query = {
            model: score_queries(own, k, artist_filter=artist_filter)
            for model, own in tracks.items()
        }
        return _model_scores(per_query, k, bootstrap, permutations, seed)

    return Comparison(
        k=k,
        tracks=len(blank),
        unlabelled=int(np.sum(first.genre_codes < 0)),
        without_artist=int(np.sum(blank & (first.genre_codes >= 0))),
        without_filter=scores(False),
        with_filter=None if blank.all() else scores(True),
        hubness={model: hubness(own.vectors, k) for model, own in tracks.items()},
        bootstrap=bootstrap,
        permutations=permutations,
        seed=seed,
    )


def _model_scores(
    per_query: Mapping[str, QueryScores], k: int, bootstrap: int, permutations: int, seed: int
) -> tuple[ModelScores, ...]:
    """The models with or without artist filter; all have the same queries with relevant tracks."""
    first = next(iter(per_query.values()))
    judged = first.relevant > 0
    every_query = np.ones(len(judged), dtype=np.bool_)
    rows = []
    for model, own in per_query.items():
        scores = mean_scores(ALL_GENRES, own, every_query, k, bootstrap, seed)
        difference = None
        if own is not first:
            by_query = own.precision[judged] - first.precision[judged]
            difference = mean_difference(by_query, bootstrap, permutations, seed)
        rows.append(ModelScores(model, scores, difference))
    return tuple(rows)


def mean_difference(
    by_query: Scores, bootstrap: int = 1000, permutations: int = 9999, seed: int = 0
) -> Difference:
    """The mean of paired differences, its bootstrap interval (95 %) and its p (sign flips).

    Args:
        by_query: np.ndarray [shape=(q,)], finite. Without any, all is NaN; a single one has no
            interval and no p.
        bootstrap: resamples of the interval; 0 gives none.
        permutations: resamples of the signs; all 2^q where that is no more.
        seed: of both.

    Raises:
        RecsysError: scipy is not installed.
    """
    if len(by_query) < 2:
        value = float(by_query[0]) if len(by_query) else math.nan
        return Difference(value, math.nan, math.nan, math.nan)
    lows, highs = bootstrap_interval(by_query[:, None], bootstrap, seed)
    p = sign_flip_p(by_query, permutations, seed)
    return Difference(float(by_query.mean()), float(lows[0]), float(highs[0]), p)

"""Cross-validation of the candidates over folds of whole artists.

Each fold in turn is held out: candidates are fitted on the others, then every held-out track is a
query against the held-out tracks alone, so that no track that was fitted on is retrieved. They are
ranked as they would be recommended if they were the catalogue (`reranking.ranking`; by plain cosine
where they are few). The measure is the best that the catalogue's labels allow:

*genre*: precision@k with artist filter, as `evaluation` defines it.
*artist*: hit@k of the artist, without the filter: share of tracks with another one by their artist
    among the k nearest.
*hubs*: only the skewness of the k-occurrence, which is measured in any case.

An evaluation of the whole catalogue has the same ranking and the same precision@k, but ranks each
track among all others instead of those of its fold, so that its figures are others; and of an
adapted projection they are optimistic, as it was fitted on these tracks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from recommender.adaptation.candidates import Candidate, candidates, fit_all
from recommender.adaptation.training_data import TrainingData
from recommender.evaluation import metrics
from recommender.evaluation.labelled_vectors import LabelledVectors
from recommender.evaluation.retrieval import neighbour_lists, query_precision, score_queries
from recommender.search.reranking import Ranking, RankingMethod, effective_method, ranking
from recommender.utils.arrays import BoolArray, IntArray, Scores


class Measure(StrEnum):
    """What a candidate is selected by."""

    GENRE = "genre"
    ARTIST = "artist"
    HUBS = "hubs"

    def description(self, k: int) -> str:
        """The name of its figure for lists of length `k`; evaluations use the same names."""
        return {
            Measure.GENRE: f"precision@{k} with artist filter",
            Measure.ARTIST: f"hit@{k} of the artist, without artist filter",
            Measure.HUBS: f"skewness of the {k}-occurrence",
        }[self]


@dataclass(frozen=True, eq=False)
class HeldOutResult:
    """One candidate on all folds.

    Attributes:
        candidate: the candidate.
        scores: np.ndarray [shape=(q,)] of the queries with a relevant track; empty for
            `Measure.HUBS`.
        groups: np.ndarray [shape=(q,)]: the artist of each, as in `TrainingData`.
        skewness: np.ndarray [shape=(folds,)], of the k-occurrence.
        anti_hub_rate: share of tracks in no list, over all folds.
        common: mean share of a list that is in the list as shipped, too.
    """

    candidate: Candidate
    scores: Scores
    groups: IntArray
    skewness: Scores
    anti_hub_rate: float
    common: float

    @property
    def value(self) -> float:
        """The mean score; NaN without scores."""
        return float(self.scores.mean()) if len(self.scores) else float("nan")


def measure_of(data: TrainingData) -> Measure:
    """The best measure that the labels allow."""
    if data.training_genres:
        return Measure.GENRE
    return Measure.ARTIST if data.has_artist_queries else Measure.HUBS


def list_length(data: TrainingData) -> int:
    """Length of the lists. Raises `UsageError` as `TrainingData.folds` does."""
    smallest = min(int(fold.sum()) for fold in data.folds)
    return min(data.settings.k, smallest // data.settings.lists_per_fold)


def ranking_method(data: TrainingData) -> RankingMethod:
    """How held-out tracks are ranked: by plain cosine where any fold is too small to rerank."""
    return effective_method("reranked", min(int(fold.sum()) for fold in data.folds))


def cross_validate(
    data: TrainingData, measure: Measure, progress: Callable[[int, int], None] | None = None
) -> list[HeldOutResult]:
    """Evaluate every candidate on held-out tracks, `AS_SHIPPED` first.

    Args:
        data: see `TrainingData.folds` for what it must have.
        measure: one that `data` has the labels for.
        progress: called with (done, total).

    Raises:
        UsageError: there are too few tracks, or too few artists.
        RecsysError: scikit-learn is not installed, and there are genres for LDA.
    """
    k, tried = list_length(data), candidates(measure is Measure.GENRE, data.settings)
    results: dict[Candidate, list[_FoldResult]] = {candidate: [] for candidate in tried}
    for number, fold in enumerate(data.folds):
        fitted = fit_all(tried, data.projected[~fold], data.codes[~fold], data.settings.min_genres)
        shipped = None
        for index, candidate in enumerate(tried):
            ranked = ranking(fitted[candidate].apply(data.projected[fold]))
            lists = neighbour_lists(ranked, k)
            shipped = lists if shipped is None else shipped
            scores, groups = _scores(data, fold, ranked, measure, k)
            results[candidate].append(_FoldResult(scores, groups, lists, _overlap(lists, shipped)))
            if progress is not None:
                progress(number * len(tried) + index + 1, len(data.folds) * len(tried))
    return [_merged(candidate, folds) for candidate, folds in results.items()]


@dataclass(frozen=True, eq=False)
class _FoldResult:
    """One candidate on one fold of m tracks: scores and groups of its queries, its lists [m, k],
    their overlap with the lists as shipped [m]."""

    scores: Scores
    groups: IntArray
    lists: IntArray
    common: Scores

    @property
    def occurrences(self) -> IntArray:
        return np.bincount(self.lists[self.lists >= 0], minlength=len(self.lists))


def _merged(candidate: Candidate, folds: Sequence[_FoldResult]) -> HeldOutResult:
    occurrences = [fold.occurrences for fold in folds]
    return HeldOutResult(
        candidate,
        np.concatenate([fold.scores for fold in folds]),
        np.concatenate([fold.groups for fold in folds]),
        np.array([metrics.skewness(counts) for counts in occurrences]),
        float(np.mean(np.concatenate(occurrences) == 0)),
        float(np.mean(np.concatenate([fold.common for fold in folds]))),
    )


def _scores(
    data: TrainingData, fold: BoolArray, ranked: Ranking, measure: Measure, k: int
) -> tuple[Scores, IntArray]:
    """Scores and groups of the queries of one fold that have a relevant track."""
    rows = np.flatnonzero(fold)
    artists = [data.artists[row] for row in rows]
    genres = [data.genres[row] for row in rows]
    if measure is Measure.GENRE and any(genres):
        scores = query_precision(ranked, genres, artists, k=k)
        queries = rows[[bool((genre or "").strip()) for genre in genres]]
        judged = ~np.isnan(scores)
    elif measure is Measure.ARTIST and any(artists):
        found = score_queries(LabelledVectors.of(ranked, artists), k, artist_filter=False)
        scores, queries, judged = found.hit, rows[found.rows], found.relevant > 0
    else:
        return np.zeros(0), np.zeros(0, dtype=np.int64)
    return scores[judged], data.groups[queries[judged]]


def _overlap(lists: IntArray, others: IntArray) -> Scores:
    """Share of each list [shape=(m, k)] that is in the other list of the same row, too."""
    shared: Scores = (lists[:, :, None] == others[:, None, :]).any(axis=2).mean(axis=1)
    return shared

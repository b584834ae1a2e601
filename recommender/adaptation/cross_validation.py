"""What each candidate gives on tracks that it was not fitted on.

Each fold in turn is held out: candidates are fitted on the others, then every held-out track asks
for its neighbours among the held-out tracks alone, so that nothing fitted on is retrieved. They are
ranked as they would be recommended if they were the catalogue (`neighbourhood.ranking`; by bare
cosines where they are few). Artists are in one fold each. What is measured is the best that the
catalogue's labels allow:

*genre*: precision@k with artist filter, as `evaluation` defines it.
*artist*: share of tracks with another by their artist among their k nearest, without the filter.
*hubs*: nothing but the skewness of the k-occurrence, which is told in any case.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from recommender.adaptation.candidates import Candidate, candidates, fit_all
from recommender.adaptation.training_data import Music
from recommender.evaluation import metrics
from recommender.evaluation.retrieval import LabelledVectors, neighbour_lists, score_queries
from recommender.search.reranking import Ranking, ranking
from recommender.utils.arrays import BoolArray, IntArray, Scores

NEIGHBOURS = 10
SMALLEST_SHARE = 5
"""Lists are at most a fifth of the smallest fold, or they would hold near and far alike."""


class Measure(StrEnum):
    """What counts for a candidate."""

    GENRE = "genre"
    ARTIST = "artist"
    HUBS = "hubs"


@dataclass(frozen=True, eq=False)
class HeldOut:
    """One candidate on all folds.

    Attributes:
        candidate: which.
        scores: np.ndarray [shape=(q,)] of the queries that can be judged; none for `Measure.HUBS`.
        groups: np.ndarray [shape=(q,)]: the artist of each, as in `Music`.
        skewness: np.ndarray [shape=(folds,)], of the k-occurrence.
        never: share of tracks in no list, over all folds.
        common: mean share of a list that the list as shipped has, too.
    """

    candidate: Candidate
    scores: Scores
    groups: IntArray
    skewness: Scores
    never: float
    common: float

    @property
    def value(self) -> float:
        """The mean score; NaN where nothing is judged."""
        return float(self.scores.mean()) if len(self.scores) else float("nan")


def measure_of(music: Music) -> Measure:
    """The best measure that genres and artists are enough for."""
    if music.taught:
        return Measure.GENRE
    return Measure.ARTIST if music.artists_shared else Measure.HUBS


def list_length(folds: Sequence[BoolArray]) -> int:
    """How many neighbours are looked at."""
    return min(NEIGHBOURS, min(int(fold.sum()) for fold in folds) // SMALLEST_SHARE)


def held_out(music: Music, progress: Callable[[int, int], None] | None = None) -> list[HeldOut]:
    """Every candidate on held-out tracks, `AS_SHIPPED` first.

    Args:
        music: see `Music.folds` for what it must have.
        progress: told (done, in all).

    Raises:
        UsageError: there are too few tracks, or too few artists.
        RecsysError: scikit-learn is not installed, and genres are to be learned.
    """
    folds, measure = music.folds(), measure_of(music)
    k, tried = list_length(folds), candidates(measure is Measure.GENRE)
    outcomes: dict[Candidate, list[_Fold]] = {candidate: [] for candidate in tried}
    codes = music.codes
    for number, fold in enumerate(folds):
        fitted = fit_all(tried, music.projected[~fold], codes[~fold])
        shipped = None
        for place, candidate in enumerate(tried):
            ranked = ranking(fitted[candidate].apply(music.projected[fold]))
            lists = neighbour_lists(ranked, k)
            shipped = lists if shipped is None else shipped
            found = _Fold(
                *_scores(music, fold, ranked, measure, k), lists, _in_common(lists, shipped)
            )
            outcomes[candidate].append(found)
            if progress is not None:
                progress(number * len(tried) + place + 1, len(folds) * len(tried))
    return [_together(candidate, parts) for candidate, parts in outcomes.items()]


@dataclass(frozen=True, eq=False)
class _Fold:
    """One candidate on one fold: scores and groups of its queries, its lists [m, k], their overlap
    with those as shipped [m]."""

    scores: Scores
    groups: IntArray
    lists: IntArray
    common: Scores

    @property
    def occurrences(self) -> IntArray:
        return np.bincount(self.lists[self.lists >= 0], minlength=len(self.lists))


def _together(candidate: Candidate, folds: Sequence[_Fold]) -> HeldOut:
    occurrences = [fold.occurrences for fold in folds]
    return HeldOut(
        candidate,
        np.concatenate([fold.scores for fold in folds]),
        np.concatenate([fold.groups for fold in folds]),
        np.array([metrics.skewness(counts) for counts in occurrences]),
        float(np.mean(np.concatenate(occurrences) == 0)),
        float(np.mean(np.concatenate([fold.common for fold in folds]))),
    )


def _scores(
    music: Music, fold: BoolArray, ranked: Ranking, measure: Measure, k: int
) -> tuple[Scores, IntArray]:
    """Scores and groups of the queries of one fold that can be judged."""
    rows = np.flatnonzero(fold)
    artists = [music.artists[row] for row in rows]
    labels = artists if measure is Measure.ARTIST else [music.genres[row] for row in rows]
    if measure is Measure.HUBS or not any(labels):
        return np.zeros(0), np.zeros(0, dtype=np.int64)
    if measure is Measure.ARTIST:
        scored = score_queries(LabelledVectors.of(ranked, labels), k, artist_filter=False)
    else:
        tracks = LabelledVectors.of(ranked, labels, artists)
        scored = score_queries(tracks, k, artist_filter=True)
    judged = scored.relevant > 0
    values = scored.hit if measure is Measure.ARTIST else scored.precision
    return values[judged], music.groups[rows[scored.rows[judged]]]


def _in_common(lists: IntArray, others: IntArray) -> Scores:
    """Share of each list [shape=(m, k)] that the other list of the same row has, too."""
    shared: Scores = (lists[:, :, None] == others[:, None, :]).any(axis=2).mean(axis=1)
    return shared

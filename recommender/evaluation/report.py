"""Retrieval by genre: a report of how often neighbours share the query's genre. Arrays only.

Every labelled track is a query against all other labelled tracks, ranked by cosine similarity or by
a `Ranking` (equal scores in the order of the rows). A track counts as relevant when it has the
query's genre: a proxy for "sounds alike" that can be counted.
`metrics` defines the measures, `retrieval` ranks, and here they are summarised.

Conventions
    *artist filter*: all tracks of the query's artist are dropped from its candidates. Without it,
        a high rate mostly says that an artist (or an album's sound) was recognised: Flexer &
        Schnitzer, "Effects of album and artist filters in audio similarity computed for very large
        music databases", Computer Music Journal 34(3), 2010. Both figures are always given. A blank
        artist equals no other.
    *excluded queries*: those without a relevant track among their candidates, so that no ranking
        could find one. They are counted, and no mean includes them.
    *intervals*: 95 % percentile bootstrap over queries (Efron, "Bootstrap methods: another look at
        the jackknife", Annals of Statistics 7(1), 1979). Queries are drawn as if independent; those
        of one artist are not, so the intervals are rather too narrow, and those of a genre with
        few queries certainly are. One query gives none (NaN).
    *chance*: the expectation under a random order of each query's own candidates.
    *hubness* is measured without the artist filter and over unlabelled tracks too: Radovanović,
        Nanopoulos & Ivanović 2010; Flexer & Stevens, "Mutual proximity graphs for improved
        reachability in music recommendation", 2018, for the anti-hub rate.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.evaluation import metrics
from recommender.evaluation.labelled_vectors import Comparable, LabelledVectors
from recommender.evaluation.retrieval import Hubness, QueryScores, hubness, score_queries
from recommender.evaluation.significance import bootstrap_interval
from recommender.utils.arrays import BoolArray

ALL_GENRES = "all"
"""Name of the row over the queries of every genre."""


@dataclass(frozen=True)
class Rate:
    """A mean over queries, its bootstrap interval, and chance; NaN where undefined."""

    value: float
    low: float
    high: float
    chance: float

    @property
    def ratio(self) -> float:
        """How many times better than chance."""
        return self.value / self.chance if self.chance > 0 else math.nan


@dataclass(frozen=True)
class GenreScores:
    """The measures over the queries of one genre, or of all.

    Attributes:
        genre: the label, or `ALL_GENRES`.
        queries: queries the means are over.
        excluded: queries left out because no relevant track was left for them.
        precision: precision@k.
        hit: share of queries with at least one hit in the first k.
        average_precision: MAP over the full ranking.
        attainable: precision@k of a perfect ranking (below 1 where fewer than k are relevant).
    """

    genre: str
    queries: int
    excluded: int
    precision: Rate
    hit: Rate
    average_precision: Rate
    attainable: float


@dataclass(frozen=True)
class FilterScores:
    """All queries together, and genre by genre (alphabetical)."""

    overall: GenreScores
    genres: tuple[GenreScores, ...]


@dataclass(frozen=True)
class RetrievalReport:
    """The outcome of `evaluate_retrieval`.

    Attributes:
        k: length of the lists.
        tracks: number of vectors.
        unlabelled: those without a label, which are neither query nor candidate.
        without_artist: labelled tracks whose artist is blank.
        without_filter: scores with the query's own artist among the candidates.
        with_filter: scores under the artist filter; None when no artist is known.
        hubness: over all tracks, without the filter.
        bootstrap, seed: resamples and seed of the intervals.
    """

    k: int
    tracks: int
    unlabelled: int
    without_artist: int
    without_filter: FilterScores
    with_filter: FilterScores | None
    hubness: Hubness
    bootstrap: int
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """Nested plain values for JSON; what is undefined is None."""
        plain: dict[str, Any] = without_nan(asdict(self))
        return plain

    def rows(self) -> list[dict[str, Any]]:
        """One flat row per artist filter and genre, 'all' first, for CSV or a data frame."""
        rows = []
        for name, scores in (("off", self.without_filter), ("on", self.with_filter)):
            for row in (scores.overall, *scores.genres) if scores else ():
                flat: dict[str, Any] = {"artist_filter": name, "genre": row.genre, "k": self.k}
                flat |= {"queries": row.queries, "excluded": row.excluded}
                for measure in ("precision", "hit", "average_precision"):
                    rate = getattr(row, measure)
                    flat |= {measure: rate.value, f"{measure}_low": rate.low}
                    flat |= {f"{measure}_high": rate.high, f"{measure}_chance": rate.chance}
                flat["attainable_precision"] = row.attainable
                rows.append(without_nan(flat))
        return rows


def evaluate_retrieval(
    vectors: Comparable,
    labels: Sequence[str | None],
    artists: Sequence[str | None] | None = None,
    *,
    k: int = metrics.DEFAULT_K,
    queries: BoolArray | None = None,
    gallery: BoolArray | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> RetrievalReport:
    """Rank every labelled track's neighbours and report how often they share its genre.

    Args:
        vectors: np.ndarray [shape=(n, d)], rows of length 1; or another `Comparable`.
        labels: n genres; None or blank is unlabelled. Compared as they are spelled.
        artists: n artists; None or blank equals no other. None: no artist is known.
        k: length of the lists.
        queries: np.ndarray [shape=(n,)], bool: rows that are queries; all when None.
        gallery: np.ndarray [shape=(n,)], bool: rows that are candidates; all when None.
        bootstrap: resamples behind each interval; 0 gives none.
        seed: of the resamples.

    Raises:
        UsageError: vectors that are not finite or not of length 1, arguments of different lengths,
            k below 1, or no labelled query.
    """
    tracks = LabelledVectors.of(vectors, labels, artists, queries, gallery)
    blank = tracks.artist_codes < 0

    def scores(artist_filter: bool) -> FilterScores:
        per_query = score_queries(tracks, k, artist_filter=artist_filter)
        return _summarise(tracks, per_query, k, bootstrap, seed)

    return RetrievalReport(
        k=k,
        tracks=len(blank),
        unlabelled=int(np.sum(tracks.genre_codes < 0)),
        without_artist=int(np.sum(blank & (tracks.genre_codes >= 0))),
        without_filter=scores(False),
        with_filter=None if blank.all() else scores(True),
        hubness=hubness(tracks.vectors, k, queries, gallery),
        bootstrap=bootstrap,
        seed=seed,
    )


def _summarise(
    tracks: LabelledVectors, per_query: QueryScores, k: int, bootstrap: int, seed: int
) -> FilterScores:
    """Means over all queries and over those of each genre."""
    codes = tracks.genre_codes[per_query.rows]
    groups = [(ALL_GENRES, np.ones(len(codes), dtype=np.bool_))]
    groups += [(tracks.genres[code], codes == code) for code in np.unique(codes)]
    overall, *by_genre = (
        mean_scores(name, per_query, members, k, bootstrap, seed) for name, members in groups
    )
    return FilterScores(overall, tuple(by_genre))


def mean_scores(
    genre: str, per_query: QueryScores, members: BoolArray, k: int, bootstrap: int, seed: int
) -> GenreScores:
    """The means over those of `members` (np.ndarray [shape=(q,)], bool) with a relevant candidate.

    Args:
        genre: name of the row.
        per_query: from `score_queries`, for lists of length `k`.
        members: which of its q queries are meant.
        k: length of the lists.
        bootstrap, seed: as in `evaluate_retrieval`.
    """
    judged = members & (per_query.relevant > 0)
    relevant, candidates = per_query.relevant[judged], per_query.candidates[judged]
    values = np.stack([per_query.precision, per_query.hit, per_query.average_precision], axis=1)
    values = values[judged]
    chances = (
        metrics.chance_precision(relevant, candidates),
        metrics.chance_hit(relevant, candidates, k),
        metrics.chance_average_precision(relevant, candidates),
    )
    lows, highs = bootstrap_interval(values, bootstrap, seed)
    precision, hit, average_precision = (
        Rate(_mean(column), float(low), float(high), _mean(chance))
        for column, low, high, chance in zip(values.T, lows, highs, chances, strict=True)
    )
    shown = np.minimum(candidates, k)
    attainable = _mean(np.minimum(relevant, shown) / shown)
    return GenreScores(
        genre=genre,
        queries=int(judged.sum()),
        excluded=int(members.sum() - judged.sum()),
        precision=precision,
        hit=hit,
        average_precision=average_precision,
        attainable=attainable,
    )


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else math.nan


def without_nan(value: Any) -> Any:
    """NaN, which JSON does not know, as None, at any depth."""
    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value

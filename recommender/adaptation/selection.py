"""Selection of a candidate: the model's own projection, unless held-out tracks are convincing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.adaptation.candidates import Candidate
from recommender.adaptation.cross_validation import HeldOutResult, Measure
from recommender.adaptation.settings import DEFAULT_SETTINGS, AdaptationSettings
from recommender.evaluation.significance import sign_flip_p


@dataclass(frozen=True)
class Tried:
    """A candidate's figures on held-out tracks.

    Attributes:
        name: of the candidate.
        value: mean score; NaN for `Measure.HUBS`.
        difference: to the value as shipped, over the same queries.
        p: two-sided, with random signs of artists, times the number of candidates (at most 1); NaN
            as shipped and for `Measure.HUBS`.
        skewness: of the k-occurrence, mean over the folds.
        anti_hub_rate: share of tracks that are in no list.
        common: mean share of a list that is in the list as shipped, too.
    """

    name: str
    value: float
    difference: float
    p: float
    skewness: float
    anti_hub_rate: float
    common: float


@dataclass(frozen=True)
class Choice:
    """The candidate that is kept, and why.

    Attributes:
        kept: the candidate.
        reason: in words.
        tried: the figures of all, `AS_SHIPPED` first.
    """

    kept: Candidate
    reason: str
    tried: tuple[Tried, ...]


def choose(
    results: Sequence[HeldOutResult],
    measure: Measure,
    settings: AdaptationSettings = DEFAULT_SETTINGS,
) -> Choice:
    """The best candidate, if it is significantly better; else that as shipped.

    Args:
        results: that as shipped first; the queries of all are the same.
        measure: with which they were evaluated.
        settings: what is convincing.

    Raises:
        RecsysError: SciPy is not installed, and more than hubness is measured.
    """
    tried = tuple(_figures(result, results[0], len(results) - 1) for result in results)
    shipped, *others = zip(results, tried, strict=True)
    select = _least_hubness if measure is Measure.HUBS else _best_score
    best, reason = select(shipped, others, settings)
    return Choice(best.candidate, reason, tried)


_Pair = tuple[HeldOutResult, Tried]


def _figures(result: HeldOutResult, shipped: HeldOutResult, number: int) -> Tried:
    difference, p = math.nan, math.nan
    if result is not shipped and len(result.scores):
        by_query = result.scores - shipped.scores
        difference = float(by_query.mean())
        # Queries of one artist are not independent: the artist is the unit of the test.
        by_artist = np.bincount(result.groups, weights=by_query).astype(np.float64)
        p = min(1.0, number * sign_flip_p(by_artist))
    return Tried(
        result.candidate.name,
        result.value,
        difference,
        p,
        float(result.skewness.mean()),
        result.anti_hub_rate,
        result.common,
    )


def _best_score(
    shipped: _Pair, others: Sequence[_Pair], settings: AdaptationSettings
) -> tuple[HeldOutResult, str]:
    better = [pair for pair in others if pair[1].difference > 0]
    if not better:
        return shipped[0], "no candidate scored higher on held-out tracks."
    ceiling = max(shipped[1].skewness + settings.skewness_tolerance, settings.harmless_skewness)
    allowed = [pair for pair in better if pair[1].skewness <= ceiling]
    if not allowed:
        return shipped[0], "every candidate that scored higher on held-out tracks has more hubs."
    best, figures = max(allowed, key=lambda pair: pair[1].difference)
    scored = f"scored highest on held-out tracks ({figures.difference:+.3f}, p = {figures.p:.3f})"
    if figures.p >= settings.level:
        return shipped[0], f"{figures.name} {scored}, which may be chance."
    return best, f"it {scored}."


def _least_hubness(
    shipped: _Pair, others: Sequence[_Pair], settings: AdaptationSettings
) -> tuple[HeldOutResult, str]:
    """The candidate whose lists are most like those as shipped, of those with least hubness."""
    unmeasured = "genres and artists are too few to measure more than hubs"
    fewer = [
        (result, figures)
        for result, figures in others
        if (result.skewness < shipped[0].skewness).all()
        and figures.skewness < shipped[1].skewness - settings.skewness_tolerance
        and figures.common >= settings.min_common
    ]
    if not fewer:
        return shipped[0], (
            f"{unmeasured}, and no candidate makes them clearly smaller while half of each list "
            "stays."
        )
    least = min(figures.skewness for _, figures in fewer) + settings.skewness_tolerance
    best, _ = max(
        (pair for pair in fewer if pair[1].skewness <= least), key=lambda pair: pair[1].common
    )
    return best, f"{unmeasured}; it makes them clearly smaller."

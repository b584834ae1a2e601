"""Which candidate is kept: the model's own projection, unless held-out tracks are convincing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.adaptation.candidates import Candidate
from recommender.adaptation.cross_validation import HeldOut, Measure
from recommender.evaluation.significance import sign_flip_p

LEVEL = 0.05
"""Of p, after Bonferroni's correction for the number of candidates tried."""

SKEWNESS_COUNTS = 0.3
"""A change in skewness that counts: hubs may not grow by more, whatever else is gained; and where
nothing else is measured, they must shrink by more."""

HARMLESS_SKEWNESS = 1.0
"""Up to here no few tracks fill the lists, so that skewness may grow up to here in any case."""

LEAST_COMMON = 0.5
"""Where nothing is measured but hubs, so much of the lists must stay."""


@dataclass(frozen=True)
class Tried:
    """A candidate's figures on held-out tracks.

    Attributes:
        name: of the candidate.
        value: mean score; NaN for `Measure.HUBS`.
        difference: of it to that as shipped, over the same queries.
        p: two-sided, artists' signs tossed, times the number of candidates (at most 1); NaN as
            shipped and for `Measure.HUBS`.
        skewness: of the k-occurrence, mean over the folds.
        never: share of tracks that are in no list.
        common: mean share of a list that is in the list as shipped, too.
    """

    name: str
    value: float
    difference: float
    p: float
    skewness: float
    never: float
    common: float


@dataclass(frozen=True)
class Choice:
    """What is kept, and why.

    Attributes:
        kept: the candidate.
        reason: in words.
        tried: all of them, that as shipped first.
    """

    kept: Candidate
    reason: str
    tried: tuple[Tried, ...]


def choose(found: Sequence[HeldOut], measure: Measure) -> Choice:
    """The best candidate, if it is better beyond doubt; else that as shipped.

    Args:
        found: that as shipped first; the queries of all are the same.
        measure: what was measured.

    Raises:
        RecsysError: SciPy is not installed, and something is measured but hubs.
    """
    tried = tuple(_tried(one, found[0], len(found) - 1) for one in found)
    shipped, *others = zip(found, tried, strict=True)
    by_hubs = measure is Measure.HUBS
    best, reason = _least_hubs(shipped, others) if by_hubs else _most_found(shipped, others)
    return Choice(best.candidate, reason, tried)


_Pair = tuple[HeldOut, Tried]


def _tried(one: HeldOut, shipped: HeldOut, number: int) -> Tried:
    difference, p = math.nan, math.nan
    if one is not shipped and len(one.scores):
        by_query = one.scores - shipped.scores
        difference = float(by_query.mean())
        # Queries of one artist rise and fall together: the artist is what was drawn.
        by_artist = np.bincount(one.groups, weights=by_query).astype(np.float64)
        p = min(1.0, number * sign_flip_p(by_artist))
    skewness = float(one.skewness.mean())
    return Tried(one.candidate.name, one.value, difference, p, skewness, one.never, one.common)


def _most_found(shipped: _Pair, others: Sequence[_Pair]) -> tuple[HeldOut, str]:
    better = [pair for pair in others if pair[1].difference > 0]
    if not better:
        return shipped[0], "no candidate found more on tracks held out."
    ceiling = max(shipped[1].skewness + SKEWNESS_COUNTS, HARMLESS_SKEWNESS)
    allowed = [pair for pair in better if pair[1].skewness <= ceiling]
    if not allowed:
        return shipped[0], "every candidate that found more on tracks held out makes greater hubs."
    best, figures = max(allowed, key=lambda pair: pair[1].difference)
    told = f"found most on tracks held out ({figures.difference:+.3f}, p = {figures.p:.3f})"
    if figures.p >= LEVEL:
        return shipped[0], f"{figures.name} {told}, which may be chance."
    return best, f"it {told}."


def _least_hubs(shipped: _Pair, others: Sequence[_Pair]) -> tuple[HeldOut, str]:
    unmeasured = "genres and artists are too few to measure more than hubs"
    fewer = [
        (one, figures)
        for one, figures in others
        if (one.skewness < shipped[0].skewness).all()
        and figures.skewness < shipped[1].skewness - SKEWNESS_COUNTS
        and figures.common >= LEAST_COMMON
    ]
    if not fewer:
        return shipped[0], (
            f"{unmeasured}, and no candidate makes them clearly smaller while half of each list "
            "stays."
        )
    least = min(figures.skewness for _, figures in fewer) + SKEWNESS_COUNTS
    best, _ = max(
        (pair for pair in fewer if pair[1].skewness <= least), key=lambda pair: pair[1].common
    )
    return best, f"{unmeasured}; it makes them clearly smaller."

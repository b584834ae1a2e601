"""Kinds of claims about runs, and how each is decided from the outcomes.

A claim is "inconclusive" where its runs are missing, where differences are not significant, and
where a run was not run at full length, unless more epochs could not change the answer.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from recommender.evaluation.significance import bootstrap_interval, holm
from recommender.research.reproduction.aggregation import Results, RunResults
from recommender.research.reproduction.formatting import listed, p_value, percent, points
from recommender.research.reproduction.paired_tests import (
    LEVEL,
    Difference,
    compare_accuracy,
)

SEED = 0
"""Of the resampling of intervals."""

MARGIN = 0.05
"""A difference whose 95 % interval stays within this counts as none."""


class Verdict(StrEnum):
    """Whether the figures support a claim."""

    HOLDS = "holds"
    FAILS = "does not hold"
    OPEN = "inconclusive"


@dataclass(frozen=True)
class Finding:
    """A verdict with the figures it rests on."""

    verdict: Verdict
    figures: str


@dataclass(frozen=True)
class Claim:
    """A statement about the runs under one protocol.

    Attributes:
        statement: in words.
        decide: from the results of one protocol.
    """

    statement: str
    decide: Callable[[Results], Finding]


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """Of claims joined by "and": one that fails decides, then one that is inconclusive."""
    found = set(verdicts)
    for verdict in (Verdict.FAILS, Verdict.OPEN):
        if verdict in found:
            return verdict
    return Verdict.HOLDS


def beats(first: str, second: str) -> Claim:
    """`first` classifies more of the test tracks correctly than `second`, by the paired test."""

    def decide(results: Results) -> Finding:
        def verdict(difference: Difference) -> Verdict:
            if not difference.significant:
                return Verdict.OPEN
            return Verdict.HOLDS if difference.value > 0 else Verdict.FAILS

        return _compared(results, first, second, verdict)

    return Claim(f"{first} beats {second}", decide)


def no_gain(first: str, second: str) -> Claim:
    """`first` is not better than `second` by as much as `MARGIN`."""

    def decide(results: Results) -> Finding:
        def verdict(difference: Difference) -> Verdict:
            if difference.significant and difference.value > 0:
                return Verdict.FAILS
            return Verdict.HOLDS if difference.high < MARGIN else Verdict.OPEN

        return _compared(results, first, second, verdict)

    return Claim(f"{first} is no gain over {second}", decide)


def same(first: str, second: str) -> Claim:
    """`first` is neither better nor worse than `second` by as much as `MARGIN`."""

    def decide(results: Results) -> Finding:
        def verdict(difference: Difference) -> Verdict:
            if difference.low > -MARGIN and difference.high < MARGIN:
                return Verdict.HOLDS
            return Verdict.FAILS if difference.significant else Verdict.OPEN

        return _compared(results, first, second, verdict)

    return Claim(f"{first} is as good as {second}", decide)


def best(names: Sequence[str], others: Sequence[str]) -> Claim:
    """Each of `names` beats each of the others, with Holm's correction over all these pairs."""

    def decide(results: Results) -> Finding:
        absent = [name for name in names if not results[name].outcomes]
        rivals = [results[name] for name in others if results[name].whole]
        if absent:
            return not_run(absent)
        pairs = [(results[name], rival) for name in names for rival in rivals]
        found = [compare_accuracy(a, b) for a, b in pairs]
        corrected = holm([difference.p for difference in found])
        significant = [p < LEVEL for p in corrected]
        won, lost, even = _sorted_pairs(pairs, found, significant)
        left_out = [name for name in others if not results[name].whole]
        # One better rival decides; that all are beaten needs all of them.
        verdict = Verdict.FAILS if lost else Verdict.OPEN if even or left_out else Verdict.HOLDS
        kinds = (("better", won), ("worse", lost), ("not significant", even))
        texts = [f"{kind}: {', '.join(of_kind)}" for kind, of_kind in kinds if of_kind]
        if left_out:
            texts.append(f"not run, or not at full length: {listed(left_out)}")
        return at_length(verdict, "; ".join(texts), [results[name] for name in names])

    return Claim(f"{listed(names)} beat all other families", decide)


def reaches(name: str, level: float) -> Claim:
    """Test accuracy is at least `level`, with its 95 % interval."""

    def decide(results: Results) -> Finding:
        row = results[name]
        if not row.outcomes:
            return not_run([name])
        low, high, figures = _interval(row)
        if low >= level:
            return Finding(Verdict.HOLDS, figures)
        verdict = Verdict.FAILS if high < level else Verdict.OPEN
        return at_length(verdict, figures, [row])

    return Claim(f"{name} reaches {100 * level:.0f} %", decide)


def any_reaches(level: float) -> Claim:
    """The best of the runs at full length has a test accuracy of at least `level`."""

    def decide(results: Results) -> Finding:
        whole = [row for row in results.values() if row.whole]
        if not whole:
            return Finding(Verdict.OPEN, "no run at full length")
        ends = {row.run.name: _interval(row) for row in whole}
        top = max(whole, key=lambda row: row.mean("test_track") or 0.0)
        figures = f"best of the {len(whole)} of {len(results)} runs at full length: "
        figures += f"{top.run.name} {ends[top.run.name][2]}"
        if any(low >= level for low, _, _ in ends.values()):
            return Finding(Verdict.HOLDS, figures)
        below = all(high < level for _, high, _ in ends.values())
        return Finding(Verdict.FAILS if below else Verdict.OPEN, figures)

    return Claim(f"a run reaches {100 * level:.0f} %", decide)


def _compared(
    results: Results, first: str, second: str, verdict: Callable[[Difference], Verdict]
) -> Finding:
    rows = [results[first], results[second]]
    absent = [row.run.name for row in rows if not row.outcomes]
    if absent:
        return not_run(absent)
    difference = compare_accuracy(rows[0], rows[1])
    means = " and ".join(percent(row.mean("test_track")) for row in rows)
    figures = f"{means} %: {difference_text(difference)}"
    if not difference.significant:
        figures += ", not significant"
    return at_length(verdict(difference), figures, rows)


def difference_text(difference: Difference) -> str:
    """``+6.6 points (−0.3 to +13.4, p = .070)``."""
    ends = f"{points(difference.low)} to {points(difference.high)}"
    return f"{points(difference.value)} points ({ends}, {p_value(difference.p)})"


def _sorted_pairs(
    pairs: Sequence[tuple[RunResults, RunResults]],
    found: Sequence[Difference],
    significant: Sequence[bool],
) -> tuple[list[str], list[str], list[str]]:
    """Texts of the pairs that the first won, lost, and neither."""
    won: list[str] = []
    lost: list[str] = []
    even: list[str] = []
    for (first, second), difference, decided in zip(pairs, found, significant, strict=True):
        kind = (won if difference.value > 0 else lost) if decided else even
        kind.append(f"{first.run.name} – {second.run.name} {points(difference.value)}")
    return won, lost, even


def not_run(names: Sequence[str]) -> Finding:
    """The finding where runs are missing."""
    return Finding(Verdict.OPEN, f"not run: {listed(names)}")


def at_length(verdict: Verdict, figures: str, rows: Iterable[RunResults]) -> Finding:
    """The verdict, if all runs were run at full length."""
    capped = [row.run.name for row in rows if row.capped]
    if not capped:
        return Finding(verdict, figures)
    return Finding(Verdict.OPEN, f"{figures}; not run at full length: {listed(capped)}")


def _interval(row: RunResults) -> tuple[float, float, str]:
    """95 % interval of the test accuracy over the tracks, and the figures in words."""
    low, high = bootstrap_interval(row.correct()[:, None], 1000, SEED)
    text = f"{percent(row.mean('test_track'))} % ({percent(low[0])} to {percent(high[0])})"
    return float(low[0]), float(high[0]), text

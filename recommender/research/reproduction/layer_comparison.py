"""Runs with layers of the spectrograms as further input, against the same runs without."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from recommender.evaluation.significance import holm
from recommender.research.reproduction.aggregation import RunResults, check, results_of
from recommender.research.reproduction.claims import difference_text
from recommender.research.reproduction.formatting import (
    NONE,
    listed,
    p_value,
    percent,
    points,
    rate,
    table,
)
from recommender.research.reproduction.outcomes import Outcome
from recommender.research.reproduction.paired_tests import (
    LEVEL,
    Difference,
    compare_accuracy,
    compare_precision,
)

PROTOCOL = "filtered"


@dataclass(frozen=True)
class LayerEffect:
    """One declared run with layers (first) and without (second), on the same test tracks.

    Attributes:
        accuracy, precision: differences, with less without; None without precisions.
    """

    layered: RunResults
    plain: RunResults
    accuracy: Difference
    precision: Difference | None


def layer_effects(plain: Sequence[Outcome], layered: Sequence[Outcome]) -> list[LayerEffect]:
    """Every declared run that has outcomes with layers and without.

    The deviation over seeds is that of the runs without layers, of which there are more.

    Raises:
        UsageError: an outcome is of a smoke test.
        DatasetError: outcomes are of no declared run, or of different test tracks.
    """
    check([*plain, *layered])
    without = results_of(plain, PROTOCOL)
    pairs = [
        (replace(row, seed_sd=without[name].seed_sd), without[name])
        for name, row in results_of(layered, PROTOCOL).items()
        if row.outcomes and without[name].outcomes
    ]
    return [
        LayerEffect(
            first, second, compare_accuracy(first, second), compare_precision(first, second)
        )
        for first, second in pairs
    ]


def comparison_text(
    plain: Sequence[Outcome], layered: Sequence[Outcome], layers: Sequence[str]
) -> str:
    """A table, a line a run, and how many differ, as Markdown. Raises as `layer_effects`."""
    effects = layer_effects(plain, layered)
    if not effects:
        return f"No run has outcomes under the split {PROTOCOL} both with layers and without."
    accuracy = holm([effect.accuracy.p for effect in effects])
    precisions = [effect.precision for effect in effects]
    corrected = iter(holm([own.p for own in precisions if own]))
    precision = [None if own is None else next(corrected) for own in precisions]
    headings = (
        "run", ">seeds with (without)", ">validation %", ">test %", "test: difference", "by Holm",
        ">artist-disjoint %", ">precision@10", "precision@10: difference", "by Holm",
    )  # fmt: skip
    rows = [_cells(*cells) for cells in zip(effects, accuracy, precision, strict=True)]
    return f"{_words(layers, accuracy, precision)}\n\n{table(headings, rows)}"


def _words(
    layers: Sequence[str], accuracy: Sequence[float], precision: Sequence[float | None]
) -> str:
    known = [p for p in precision if p is not None]
    return (
        f"Split {PROTOCOL}, layers: {listed(layers)}. Cells: without → with layers; differences: "
        "with less without, on the same test tracks, with the 95 % interval and p over tracks and "
        f"seeds together, then p by Holm's correction over the runs. At {LEVEL:.2f} after the "
        f"correction, {sum(p < LEVEL for p in accuracy)} of {len(accuracy)} runs differ in "
        f"accuracy and {sum(p < LEVEL for p in known)} of {len(known)} in precision@10."
    )


def _cells(effect: LayerEffect, accuracy: float, precision: float | None) -> tuple[str, ...]:
    first, second = effect.layered, effect.plain
    return (
        first.run.name + (" †" if first.capped or second.capped else ""),
        f"{len(first.outcomes)} ({len(second.outcomes)})",
        _change(effect, "valid_track"),
        _change(effect, "test_track"),
        difference_text(effect.accuracy),
        p_value(accuracy),
        _change(effect, "disjoint_track"),
        f"{rate(second.mean('test_precision'))} → {rate(first.mean('test_precision'))}",
        NONE if effect.precision is None else difference_text(effect.precision),
        NONE if precision is None else p_value(precision),
    )


def _change(effect: LayerEffect, figure: str) -> str:
    """``55.3 → 56.0 (+0.7)``."""
    before, after = effect.plain.mean(figure), effect.layered.mean(figure)
    if before is None or after is None:
        return NONE
    return f"{percent(before)} → {percent(after)} ({points(after - before)})"

"""Outcomes aggregated over the seeds of each declared run under one protocol."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recommender.errors import DatasetError, UsageError
from recommender.research.reproduction.experiments import RUNS, StudyRun, run_named
from recommender.research.reproduction.outcomes import Outcome
from recommender.research.reproduction.splits import LEAKY, PROTOCOLS
from recommender.utils.arrays import Scores


@dataclass(frozen=True, eq=False)
class RunResults:
    """A declared run under a protocol; accuracies and precisions are between 0 and 1.

    Attributes:
        run, protocol: which.
        outcomes: one a seed, by seed; empty where it was not run.
        seed_sd: figure → its standard deviation over the seeds of one run, pooled over the
            fault-filtered runs with several of full length; empty where there are none.
    """

    run: StudyRun
    protocol: str
    outcomes: tuple[Outcome, ...]
    seed_sd: Mapping[str, float] = field(default_factory=dict)

    @property
    def capped(self) -> bool:
        """Whether a seed was allowed fewer epochs than declared: not run at full length."""
        return any(outcome.epochs_allowed < self.run.epochs for outcome in self.outcomes)

    @property
    def whole(self) -> bool:
        """Whether it was run, and at full length."""
        return bool(self.outcomes) and not self.capped

    def values(self, figure: str) -> list[float]:
        """A field of the outcomes, where it has a figure."""
        found = (getattr(outcome, figure) for outcome in self.outcomes)
        return [float(value) for value in found if value is not None]

    def mean(self, figure: str) -> float | None:
        """Of a field over the seeds; None without any figure."""
        values = self.values(figure)
        return float(np.mean(values)) if values else None

    def deviation(self, figure: str) -> float | None:
        """Standard deviation over the seeds (n - 1); None for fewer than two."""
        values = self.values(figure)
        return float(np.std(values, ddof=1)) if len(values) > 1 else None

    def correct(self) -> Scores:
        """Share of the seeds that classify each test track correctly, [n]; it needs outcomes."""
        by_seed = [np.equal(o.predicted, o.labels) for o in self.outcomes]
        return np.asarray(np.mean(by_seed, axis=0), dtype=np.float64)

    def precisions(self) -> Scores | None:
        """Precision@10 of each test track over the seeds, [n]; NaN for tracks without one.

        None where a seed gave none at all, or where there are no outcomes.
        """
        if not self.outcomes or not all(o.precisions for o in self.outcomes):
            return None
        by_seed = [np.array(o.precisions, dtype=np.float64) for o in self.outcomes]
        return np.asarray(np.mean(by_seed, axis=0))

    def gap_selected(self) -> float:
        """Training less validation accuracy, both by clip, of the selected epochs."""
        return float(np.mean([o.train_clip - o.valid_clip for o in self.outcomes]))

    def gap_last(self) -> float:
        """The same at the last epoch of the history: training by clip, in training mode.

        Validation is by track there, somewhat higher than by clip: the gap is not overstated.
        """
        last = [outcome.history[-1] for outcome in self.outcomes]
        return float(np.mean([e.train_accuracy - e.valid_accuracy for e in last]))


Results = Mapping[str, RunResults]
"""Name of each declared run → its results under one protocol, in the order of `RUNS`."""


def results_of(outcomes: Iterable[Outcome], protocol: str) -> dict[str, RunResults]:
    """Every declared run under a protocol, also those that were not run."""
    everything = sorted(outcomes, key=lambda outcome: outcome.seed)
    deviations = {
        figure: pooled
        for figure in ("test_track", "test_precision")
        if (pooled := _pooled_sd(everything, figure)) is not None
    }

    def of(run: StudyRun) -> tuple[Outcome, ...]:
        return tuple(o for o in everything if (o.run, o.protocol) == (run.name, protocol))

    return {run.name: RunResults(run, protocol, of(run), deviations) for run in RUNS}


def _pooled_sd(outcomes: Sequence[Outcome], figure: str) -> float | None:
    """Standard deviation within runs: squares summed over all, by their degrees of freedom."""
    squares, freedom = 0.0, 0
    for run in RUNS:
        named = [o for o in outcomes if (o.run, o.protocol) == (run.name, "filtered")]
        own = [o for o in named if o.epochs_allowed >= run.epochs]
        values = [v for o in own if (v := getattr(o, figure)) is not None]
        if len(values) > 1:
            squares += float(np.sum((np.array(values) - np.mean(values)) ** 2))
            freedom += len(values) - 1
    return float(np.sqrt(squares / freedom)) if freedom else None


def check(outcomes: Sequence[Outcome]) -> None:
    """Check that the outcomes can be compared.

    Raises:
        UsageError: one is of a smoke test, whose figures mean nothing.
        DatasetError: one is of no declared run or protocol, has no epochs, or was evaluated on
            other test tracks than the others of its protocol.
    """
    labels: dict[str, tuple[int, ...]] = {}
    declared = {run.name for run in RUNS}
    for outcome in outcomes:
        if outcome.smoke_test:
            raise UsageError(
                f"{outcome.name} is of a smoke test, whose figures mean nothing: remove it, or "
                "name the folder of complete runs."
            )
        if outcome.run not in declared or outcome.protocol not in PROTOCOLS or not outcome.history:
            raise DatasetError(f"{outcome.name} is of no declared run: remove it.")
        if labels.setdefault(outcome.protocol, outcome.labels) != outcome.labels:
            raise DatasetError(
                f"{outcome.name} was evaluated on other test tracks than the others: remove it and "
                "run the study again on one copy of GTZAN."
            )


def flat_row(outcome: Outcome) -> dict[str, Any]:
    """An outcome as one line of plain values, without history and single tracks; None: no figure.

    Accuracies and precisions are between 0 and 1; `paper_valid`, too.
    """
    run = run_named(outcome.run)
    last = outcome.history[-1]
    lists = {"history", "labels", "predicted", "clips_predicted", "precisions"}
    lists |= {"run", "protocol", "seed", "smoke_test", "command"}
    return {
        "run": run.name,
        "family": run.family,
        "protocol": outcome.protocol,
        "leaky": outcome.protocol in LEAKY,
        "seed": outcome.seed,
        "paper_valid": None if run.paper.valid is None else run.paper.valid / 100,
        "epochs_declared": run.epochs,
        "full_length": outcome.epochs_allowed >= run.epochs,
        **{name: value for name, value in vars(outcome).items() if name not in lists},
        "test_size": len(outcome.labels),
        "last_train_clip": last.train_accuracy,
        "last_valid_track": last.valid_accuracy,
        "command": outcome.command,
    }


def sorted_outcomes(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """In the order of the protocols, the declared runs and the seeds."""
    found = list(outcomes)
    return [
        outcome
        for protocol in PROTOCOLS
        for results in results_of(found, protocol).values()
        for outcome in results.outcomes
    ]

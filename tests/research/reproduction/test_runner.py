"""Running the declared experiments, on noise."""

from pathlib import Path

import numpy as np
import pytest
from toy_gtzan import noise

from recommender.research.reproduction.experiments import run_named
from recommender.research.reproduction.outcomes import Outcome, read_outcomes
from recommender.research.reproduction.runner import Job, completed, declared_jobs, run_jobs

JOBS = declared_jobs(["filtered"], ["lstm-10", "conv1d-2-blocks"])[:2]


def run(tmp_path: Path) -> list[tuple[str, int]]:
    epochs: list[tuple[str, int]] = []
    run_jobs(
        JOBS,
        noise(["filtered"]),
        tmp_path / "out",
        tmp_path / "checkpoints",
        smoke_test=True,
        command="a test",
        on_epoch=lambda job, report: epochs.append((job.name, report.epoch)),
    )
    return epochs


def outcome_of(folder: Path, name: str) -> Outcome:
    return next(outcome for outcome in read_outcomes(folder) if outcome.run == name)


def test_each_job_leaves_its_outcome_and_is_not_run_again(tmp_path: Path) -> None:
    assert run(tmp_path) == [(job.name, 1) for job in JOBS]
    outcomes = read_outcomes(tmp_path / "out")
    assert [o.run for o in outcomes] == [job.run.name for job in JOBS]
    assert {o.run for o in outcomes} == {"lstm-10", "conv1d-2-blocks"}
    assert completed(tmp_path / "out") == {job.key for job in JOBS}
    assert run(tmp_path) == []


def test_the_outcome_is_complete(tmp_path: Path) -> None:
    run(tmp_path)
    outcome = outcome_of(tmp_path / "out", "lstm-10")
    assert (outcome.protocol, outcome.seed) == ("filtered", 0)
    assert (outcome.smoke_test, outcome.epochs, outcome.command) == (True, 1, "a test")
    assert len(outcome.predicted) == len(outcome.labels) == len(outcome.precisions) == 6
    correct = np.mean(np.array(outcome.predicted) == np.array(outcome.labels))
    assert outcome.test_track == pytest.approx(correct)
    assert sum(outcome.clips_predicted) == pytest.approx(1, abs=1e-3)
    defined = [p for p in outcome.precisions if p is not None]
    assert outcome.test_precision == pytest.approx(np.mean(defined), abs=1e-4)


def test_the_same_again_elsewhere(tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(tmp_path / name)
    first, second = (outcome_of(tmp_path / name / "out", "lstm-10") for name in ("one", "two"))
    assert first.predicted == second.predicted
    assert first.history[0].valid_loss == second.history[0].valid_loss


def test_job_names_are_complete() -> None:
    assert Job(run_named("conv2d"), "paper", 0).name == "paper/conv2d-seed-0"

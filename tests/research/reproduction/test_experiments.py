"""The declared runs against the rows of the paper."""

import pytest

from recommender.errors import UsageError
from recommender.networks import model_names
from recommender.research.reproduction.experiments import RUNS, main_run, run_named
from recommender.research.reproduction.runner import declared_jobs

# Every row of the paper's results section, with its figure (None where it gives none).
PAPER_ROWS = {
    ("lstm", "10 units"): 35,
    ("lstm", "32 units"): 67,
    ("lstm", "128 units"): 72,
    ("transformer", ""): 50,
    ("conv1d", "128-64-32"): 25,
    ("conv1d", "256-128-64"): 35,
    ("conv1d", "128-64"): 60,
    ("conv1d", "256-128"): None,
    ("conv1d", "regularised"): None,
    ("conv2d", "128-64-32-16-8"): 65,
    ("conv2d", "256-128-64-32-16"): 65,
    ("conv2d", "64-32-16-8-4"): 55,
    ("conv2d-encoder", ""): 50,
    ("conv1d-encoder", "512-256"): 70,
    ("conv1d-encoder", "1024-512"): 70,
    ("conv1d-encoder", "256-128"): 70,
    ("conv1d-encoder", "512-256-128-64"): None,
    ("resnet50", ""): 50,
    ("resnet101", ""): None,
    ("resnet50v2", ""): None,
}
DEFAULT_FILTERS = {
    "conv1d": (128, 64),
    "conv2d": (128, 64, 32, 16, 8),
    "conv1d-encoder": (512, 256),
}


def row_of(run) -> tuple[str, str]:
    settings = run.model_settings
    if settings.get("kernel_l2"):
        return run.model, "regularised"
    if run.model == "lstm":
        return run.model, f"{settings.get('units', 128)} units"
    filters = settings.get("filters", DEFAULT_FILTERS.get(run.model, ()))
    return run.model, "-".join(map(str, filters))


class TestRuns:
    def test_every_row_of_the_paper_has_exactly_one_run(self) -> None:
        rows = [row_of(run) for run in RUNS]
        assert sorted(rows) == sorted(PAPER_ROWS)
        assert {row_of(run): run.paper.valid for run in RUNS} == PAPER_ROWS

    def test_names_are_unique_and_models_registered(self) -> None:
        assert len({run.name for run in RUNS}) == len(RUNS)
        assert {run.model for run in RUNS} == set(model_names())

    def test_three_seeds_where_the_conclusions_rest(self) -> None:
        several = {run.name for run in RUNS if len(run.seeds("filtered")) >= 3}
        assert several == {
            "lstm-32",
            "lstm-128",
            "transformer",
            "conv1d-2-blocks",
            "conv2d",
            "conv2d-encoder",
            "conv1d-encoder",
            "resnet50",
        }

    def test_every_architecture_has_a_main_run(self) -> None:
        assert {main_run(name).name for name in model_names()} == {
            "lstm-128",
            "transformer",
            "conv1d-2-blocks",
            "conv2d",
            "conv2d-encoder",
            "conv1d-encoder",
            "resnet50",
            "resnet101",
            "resnet50v2",
        }

    def test_caps_hold_on_a_processor_alone(self) -> None:
        run = run_named("resnet50")
        assert run.settings(0).epochs == run.cpu_epochs
        assert run.settings(0, full=True).epochs == run.settings(0, device="cuda").epochs == 10

    def test_an_unknown_name_lists_all_names(self) -> None:
        with pytest.raises(UsageError, match="lstm-128"):
            run_named("lstm-9000")

    def test_first_seeds_come_before_further_ones(self) -> None:
        jobs = declared_jobs(["filtered", "paper"])
        seeds = [job.seed > 0 for job in jobs]
        assert seeds == sorted(seeds)
        assert [job.protocol for job in jobs[:20]] == ["filtered"] * 20

    def test_jobs_by_run_family_or_architecture(self) -> None:
        def names(name: str) -> set[str]:
            return {job.run.name for job in declared_jobs(["filtered"], [name])}

        assert names("lstm-32") == {"lstm-32"}
        assert names("LSTM") == names("lstm") == {"lstm-10", "lstm-32", "lstm-128"}
        assert names("conv1d-encoder") == {"conv1d-encoder"}
        assert len(names("1D convolutional encoder")) == 4
        assert names("ResNet") == {"resnet50", "resnet101", "resnet50v2"}

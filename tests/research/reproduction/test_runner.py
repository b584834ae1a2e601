"""The study's declared runs, its protocols, and its machinery from end to end."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recommender.errors import DatasetError, UsageError
from recommender.networks import model_names
from recommender.research.datasets import gtzan
from recommender.research.reproduction.experiments import RUNS, main_run, run_named
from recommender.research.reproduction.outcomes import Outcome, outcome_path, read_outcomes
from recommender.research.reproduction.runner import Job, run_jobs, declared_jobs, is_done
from recommender.research.reproduction.splits import (
    PAPER_SIDES,
    PROTOCOLS,
    drawn_clips,
    smoke_test_ids,
    sides,
)

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


def noise(protocols=PROTOCOLS, seed: int = 0) -> gtzan.Gtzan:
    """An archive of noise that holds the tracks a smoke_test looks at, and no others."""
    listed = [
        track_id
        for protocol in protocols
        for name in ("train", "valid", "test")
        for track_id in smoke_test_ids(gtzan.split_ids(protocol, name))
    ]
    ids = {".".join(track_id.split(".")[:2]) for track_id in listed}  # clips, too
    track_ids = tuple(sorted(ids))
    shape = (len(track_ids), gtzan.N_MELS, gtzan.COLUMNS)
    levels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    labels = np.array([gtzan.GENRES.index(i.split(".")[0]) for i in track_ids])
    return gtzan.Gtzan(track_ids, labels, levels, np.full(len(track_ids), 80, np.float32))


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

    def test_unknown_name_lists_the_known(self) -> None:
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


class TestPaperProtocol:
    def test_the_committed_list_is_the_drawn_one(self) -> None:
        drawn = drawn_clips(tuple(gtzan.artists()))
        assert {name: tuple(ids) for name, ids in drawn.items()} == {
            name: gtzan.split_ids("paper", name) for name in PAPER_SIDES
        }

    def test_every_clip_is_on_one_side(self) -> None:
        listed = [clip for name in PAPER_SIDES for clip in gtzan.split_ids("paper", name)]
        assert len(listed) == len(set(listed)) == 3000

    def test_it_leaks_and_is_known_to(self) -> None:
        tracks = {
            name: {clip.rpartition(".")[0] for clip in gtzan.split_ids("paper", name)}
            for name in PAPER_SIDES
        }
        assert len(tracks["train"] & tracks["test"]) > 400

    def test_sides_are_as_large_as_those_of_the_stratified_split(self) -> None:
        for name, clips in PAPER_SIDES.items():
            assert clips == 3 * len(gtzan.split_ids("stratified", name))

    def test_clips_are_thirds_of_their_tracks(self) -> None:
        data = noise(["paper"])
        test = load_protocol(data, "paper", smoke_test=True).test
        assert test.tracks.decibels.shape == (6, 128, 129)
        for place, clip in enumerate(test.ids):
            track, _, number = clip.rpartition(".")
            whole = data.decibels(data.track_ids.index(track))
            start = 129 * int(number)
            np.testing.assert_array_equal(
                test.tracks.decibels[place], whole[:, start : start + 129]
            )

    def test_without_the_track_that_is_corrupt_in_circulation(self) -> None:
        data = noise(["paper"])
        corrupt = next(iter(gtzan.CORRUPT_IN_CIRCULATION))
        assert corrupt not in data.track_ids
        with pytest.raises(DatasetError, match="blues"):
            load_protocol(data, "paper")  # other tracks may not be absent


class TestTrackProtocols:
    @pytest.mark.parametrize("protocol", ["filtered", "stratified"])
    def test_no_track_is_on_two_sides(self, protocol: str) -> None:
        listed = [i for name in ("train", "valid", "test") for i in gtzan.split_ids(protocol, name)]
        assert len(listed) == len(set(listed))

    def test_a_rehearsal_takes_a_few_tracks_of_each_side(self) -> None:
        split = load_protocol(noise(["filtered"]), "filtered", smoke_test=True)
        assert len(split.train.ids) == len(split.valid.ids) == len(split.test.ids) == 6
        assert set(np.bincount(split.train.tracks.labels)) == {2}
        known = gtzan.split_ids("filtered", "test_artist_disjoint")
        assert {split.test.ids[i] for i in split.disjoint} <= set(known)


class TestCarryOut:
    JOBS = declared_jobs(["filtered"], ["lstm-10", "conv1d-2-blocks"])[:2]

    def run(self, tmp_path: Path, **settings) -> list[tuple[str, int]]:
        epochs: list[tuple[str, int]] = []
        run_jobs(
            self.JOBS,
            noise(["filtered"]),
            tmp_path / "out",
            tmp_path / "checkpoints",
            smoke_test=True,
            command="a test",
            on_epoch=lambda job, report: epochs.append((job.name, report.epoch)),
            **settings,
        )
        return epochs

    def test_each_job_leaves_its_outcome_and_is_not_done_again(self, tmp_path: Path) -> None:
        assert self.run(tmp_path) == [(job.name, 1) for job in self.JOBS]
        outcomes = read_outcomes(tmp_path / "out")
        assert {o.run for o in outcomes} == {"lstm-10", "conv1d-2-blocks"}
        assert all(is_done(job, tmp_path / "out") for job in self.JOBS)
        assert self.run(tmp_path) == []

    def test_the_outcome_says_what_it_is(self, tmp_path: Path) -> None:
        self.run(tmp_path)
        outcome = Outcome.read(outcome_path(tmp_path / "out", "lstm-10", "filtered", 0))
        assert (outcome.smoke_test, outcome.epochs, outcome.command) == (True, 1, "a test")
        assert len(outcome.predicted) == len(outcome.labels) == len(outcome.precisions) == 6
        right = np.mean(np.array(outcome.predicted) == np.array(outcome.labels))
        assert outcome.test_track == pytest.approx(right)
        assert sum(outcome.clips_predicted) == pytest.approx(1, abs=1e-3)
        known = [p for p in outcome.precisions if p is not None]
        assert outcome.test_precision == pytest.approx(np.mean(known), abs=1e-4)

    def test_the_same_again_elsewhere(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            self.run(tmp_path / name)
        first, second = (
            Outcome.read(outcome_path(tmp_path / name / "out", "lstm-10", "filtered", 0))
            for name in ("one", "two")
        )
        assert first.predicted == second.predicted
        assert first.history[0].valid_loss == second.history[0].valid_loss

    def test_a_damaged_outcome_is_named(self, tmp_path: Path) -> None:
        path = outcome_path(tmp_path, "lstm-10", "filtered", 0)
        path.parent.mkdir()
        path.write_text(json.dumps({"run": "lstm-10"}))
        with pytest.raises(DatasetError, match="lstm-10-seed-0"):
            read_outcomes(tmp_path)


def test_job_names_tell_all() -> None:
    assert Job(run_named("conv2d"), "paper", 0).name == "paper/conv2d-seed-0"


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """Noise as a log-Mel archive."""
    data = noise(["filtered"])
    path = tmp_path_factory.mktemp("gtzan") / "noise.npz"
    np.savez(path, track_id=data.track_ids, logmel=data.log_mel, range_db=data.range_db)
    return path


def study(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from recommender.cli import main; main()", "study"]
    return subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False
    )


class TestCommands:
    def test_every_run_takes_one_step_on_noise(self, archive: Path, tmp_path: Path) -> None:
        done = study(
            "run", "--gtzan", archive, "--protocol", "filtered", "--smoke_test",
            *("--out", tmp_path, "--checkpoints", tmp_path / "c", "--device", "cpu"),
            *("--threads", 1),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        outcomes = read_outcomes(tmp_path)
        assert {o.run for o in outcomes} == {run.name for run in RUNS}
        assert {(o.epochs, o.smoke_test) for o in outcomes} == {(1, True)}
        listed = json.loads(study("list", "--out", tmp_path, "--json").stdout)
        done_jobs = [job for job in listed if job["done"]]
        assert len(done_jobs) == len(RUNS)
        assert {(job["protocol"], job["seed"]) for job in done_jobs} == {("filtered", 0)}

    def test_unknown_family_is_one_line(self, archive: Path) -> None:
        done = study("run", "--gtzan", archive, "--family", "perceptron")
        assert done.returncode == 1
        assert done.stderr.startswith("recsys: no run or family is named 'perceptron'")
        assert "Traceback" not in done.stderr

    def test_a_copy_that_lacks_tracks_is_one_line(self, archive: Path, tmp_path: Path) -> None:
        done = study("run", "--gtzan", archive, "--out", tmp_path, "--checkpoints", tmp_path)
        assert done.returncode == 1
        assert "are not in this copy of GTZAN" in done.stderr
        assert "Traceback" not in done.stderr

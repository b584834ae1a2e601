"""Train and evaluate the declared runs, one after the other; completed ones are skipped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from recommender.embedding.projection import Projection
from recommender.evaluation.labelled_vectors import LabelledVectors
from recommender.evaluation.metrics import DEFAULT_K
from recommender.evaluation.retrieval import score_queries
from recommender.projections.lda import CANDIDATES
from recommender.research.datasets import gtzan
from recommender.research.model_building.results import precision
from recommender.research.model_building.split_tracks import SplitTracks
from recommender.research.reproduction.experiments import RUNS, StudyRun
from recommender.research.reproduction.layers import layered_settings
from recommender.research.reproduction.outcomes import (
    Key,
    Outcome,
    append_outcome,
    read_outcomes,
)
from recommender.research.reproduction.splits import PROTOCOLS, StudySplit, load_protocol
from recommender.research.training.inference import TrackSet, clip_activations, clip_probabilities
from recommender.research.training.loop import train
from recommender.research.training.settings import EpochReport, TrainingResult
from recommender.utils.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Job:
    """One network to train: a declared run under a protocol with a seed."""

    run: StudyRun
    protocol: str
    seed: int

    @property
    def key(self) -> Key:
        """Of its outcome."""
        return self.run.name, self.protocol, self.seed

    @property
    def name(self) -> str:
        """For messages and files."""
        return f"{self.protocol}/{self.run.name}-seed-{self.seed}"


def declared_jobs(
    protocols: Sequence[str] = PROTOCOLS,
    names: Sequence[str] | None = None,
    seeds: int | None = None,
) -> list[Job]:
    """All jobs, the first seed of every run before the further seeds of any.

    Args:
        protocols: the first comes first.
        names: of runs, or of families or architectures where no run has that name; None: all.
        seeds: only the first so many of each run; None: all.
    """
    runs = [r for r in RUNS if names is None or any(_matches(r, name) for name in names)]
    jobs = [Job(run, p, seed) for p in protocols for run in runs for seed in run.seeds(p)[:seeds]]
    return sorted(jobs, key=lambda job: job.seed > 0)  # stable


def _matches(run: StudyRun, name: str) -> bool:
    if any(other.name == name for other in RUNS):
        return run.name == name
    return name in (run.family, run.model)


def completed(folder: Path, *, full: bool = False) -> set[Key]:
    """Keys of the jobs whose outcomes are in `folder`. Raises `DatasetError`.

    Args:
        folder: of the table of outcomes.
        full: leave out those of runs that were capped: they are to be trained to the end.
    """
    declared = {run.name: run.epochs for run in RUNS}
    return {
        outcome.key
        for outcome in read_outcomes(folder)
        if not full or outcome.epochs_allowed >= declared.get(outcome.run, 0)
    }


def run_jobs(
    jobs: Sequence[Job],
    data: gtzan.Gtzan,
    folder: Path,
    checkpoints: Path,
    *,
    device: str = "cpu",
    full: bool = False,
    precision: str = "float32",
    layers: Sequence[str] = (),
    smoke_test: bool = False,
    command: str = "",
    on_epoch: Callable[[Job, EpochReport], None] | None = None,
    on_outcome: Callable[[Job, Outcome], None] | None = None,
) -> None:
    """Train and evaluate what is not completed; each outcome is written when its run ends.

    Args:
        jobs: in this order.
        data: GTZAN.
        folder: of the table of outcomes.
        checkpoints: of unfinished and finished runs; an interrupted run resumes from its own.
        device: ``cpu`` or ``cuda``.
        full: train to the declared end on a CPU too, also what is there of capped runs.
        precision: of the training on a CPU, as in `TrainingSettings`.
        layers: of the spectrograms, as further input; each choice of layers has folders of its own.
        smoke_test: one step of training on a few tracks.
        command: for the outcomes.
        on_epoch, on_outcome: called after each.

    Raises:
        DatasetError: tracks are absent, or the table is damaged.
        UsageError: a checkpoint belongs to other settings.
    """
    split: StudySplit | None = None
    for job in jobs:
        if job.key in completed(folder, full=full):
            continue
        if split is None or split.protocol != job.protocol:
            split = load_protocol(data, job.protocol, smoke_test=smoke_test, layers=layers)
        settings = job.run.settings(
            job.seed,
            device=device,
            clips_per_track=split.clips_per_track,
            full=full,
            precision=precision,
        )
        model_settings = layered_settings(settings.model, settings.model_settings, len(layers))
        result = train(
            replace(
                settings,
                model_settings=model_settings,
                epochs=1 if smoke_test else settings.epochs,
            ),
            split.train.tracks,
            split.valid.tracks,
            len(gtzan.GENRES),
            device=device,
            checkpoint=None if smoke_test else checkpoints / f"{job.name}.pt",
            on_epoch=None if on_epoch is None else partial(on_epoch, job),
        )
        outcome = evaluated(job, result, split, device, smoke_test, command)
        append_outcome(folder, outcome)
        if on_outcome is not None:
            on_outcome(job, outcome)


def evaluated(
    job: Job, result: TrainingResult, split: StudySplit, device: str, smoke_test: bool, command: str
) -> Outcome:
    """Evaluate a trained network on every split of its protocol."""
    train, valid, test = (
        _Predictions.of(result, tracks.tracks) for tracks in (split.train, split.valid, split.test)
    )
    disjoint = list(split.disjoint)
    candidates = ["centred"] if smoke_test else list(CANDIDATES)
    chosen, precisions = _precisions(train, valid, test, split, candidates)
    defined = [value for value in precisions if value is not None]
    return Outcome(
        run=job.run.name,
        protocol=job.protocol,
        seed=job.seed,
        smoke_test=smoke_test,
        device=_device_name(device, result.settings.precision),
        parameters=sum(p.numel() for p in result.network.parameters()),
        epochs_allowed=result.settings.epochs,
        epochs=len(result.history),
        best_epoch=result.best_epoch,
        seconds_per_epoch=round(float(np.median([e.seconds for e in result.history])), 2),
        train_clip=_rate(train.clips_correct),
        valid_track=_rate(valid.correct),
        valid_clip=_rate(valid.clips_correct),
        test_track=_rate(test.correct),
        test_clip=_rate(test.clips_correct),
        disjoint_track=_rate(test.correct[disjoint]) if disjoint else None,
        disjoint_clip=_rate(test.clips_correct[disjoint]) if disjoint else None,
        valid_precision=None if chosen is None else chosen[1],
        test_precision=round(float(np.mean(defined)), 4) if defined else None,
        projection="" if chosen is None else chosen[0],
        history=tuple(_rounded(epoch) for epoch in result.history),
        labels=tuple(test.labels.tolist()),
        predicted=tuple(test.predicted.tolist()),
        clips_predicted=tuple(test.clip_distribution()),
        precisions=tuple(precisions),
        command=command,
    )


@dataclass(frozen=True)
class _Predictions:
    """Output of a network for n tracks by c clips each.

    Attributes:
        vectors: mean activations, [n, d].
        probabilities: [n, c, n_classes].
        labels: [n].
    """

    vectors: FloatArray
    probabilities: FloatArray
    labels: IntArray

    @classmethod
    def of(cls, result: TrainingResult, tracks: TrackSet) -> "_Predictions":
        settings = result.settings
        activations = clip_activations(
            result.network, tracks, settings.clip_frames, clips=settings.clips_per_track
        )
        probabilities = clip_probabilities(result.network, activations)
        return cls(activations.mean(axis=1), probabilities, tracks.labels)

    @property
    def predicted(self) -> IntArray:
        """Genre of each track, [n]."""
        return np.asarray(self.probabilities.mean(axis=1).argmax(axis=1))

    @property
    def correct(self) -> BoolArray:
        """[n]."""
        return np.asarray(self.predicted == self.labels)

    @property
    def clips_correct(self) -> BoolArray:
        """[n, c]."""
        return np.asarray(self.probabilities.argmax(axis=2) == self.labels[:, None])

    def clip_distribution(self) -> list[float]:
        """Share of the clips predicted as each genre, [n_classes]."""
        predicted = self.probabilities.argmax(axis=2).ravel()
        counts = np.bincount(predicted, minlength=self.probabilities.shape[2])
        return [round(float(part), 4) for part in counts / len(predicted)]


def _precisions(
    train: _Predictions,
    valid: _Predictions,
    test: _Predictions,
    split: StudySplit,
    candidates: Sequence[str],
) -> tuple[tuple[str, float] | None, list[float | None]]:
    """The projection chosen on valid with its precision there, and each test track's precision."""
    if split.clips_per_track == 1:
        return None, []  # clips of the query's own track would be among its neighbours
    if _is_constant(train.vectors):
        return None, []  # all tracks are equally similar
    fitted: dict[str, tuple[float, Projection]] = {}
    for name in candidates:
        try:
            projection = CANDIDATES[name](train.vectors, train.labels)
        except np.linalg.LinAlgError:
            continue  # too few tracks, or activations that hardly vary
        on_valid = precision(projection.apply(valid.vectors), split.valid)
        fitted[name] = (round(on_valid, 4), projection)
    chosen = max(fitted, key=lambda name: fitted[name][0])
    on_valid, projection = fitted[chosen]
    return (chosen, on_valid), track_precisions(projection.apply(test.vectors), split.test)


def _is_constant(vectors: FloatArray) -> bool:
    return float(vectors.std(axis=0).max()) <= 1e-5 * float(np.abs(vectors).max())


def track_precisions(vectors: FloatArray, split: SplitTracks) -> list[float | None]:
    """precision@10 with artist filter of each track; None where no candidate is relevant."""
    tracks = LabelledVectors.of(vectors, split.genres, split.artists)
    scores = score_queries(tracks, DEFAULT_K, artist_filter=True)
    pairs = zip(scores.precision, scores.relevant, strict=True)
    return [float(value) if relevant else None for value, relevant in pairs]


def _device_name(device: str, precision: str) -> str:
    if device == "cuda":
        return str(torch.cuda.get_device_name())
    name = f"CPU, threads: {torch.get_num_threads()}"
    return name if precision == "float32" else f"{name}, {precision}"


def _rate(correct: BoolArray) -> float:
    return round(float(correct.mean()), 4)


def _rounded(epoch: EpochReport) -> EpochReport:
    values = {name: round(value, 4) for name, value in vars(epoch).items() if name != "epoch"}
    return EpochReport(epoch=epoch.epoch, **values)

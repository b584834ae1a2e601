"""Train and measure the declared runs, one after the other; what is done is not done again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from recommender.embedding.projection import Projection
from recommender.evaluation.retrieval import LabelledVectors, score_queries
from recommender.projections.lda import CANDIDATES
from recommender.research.datasets import gtzan
from recommender.research.model_building.results import NEIGHBOURS, SplitTracks, precision
from recommender.research.reproduction.experiments import RUNS, StudyRun
from recommender.research.reproduction.outcomes import Outcome, outcome_path
from recommender.research.reproduction.splits import PROTOCOLS, StudySplit, sides
from recommender.research.training.inference import TrackSet, clip_activations, clip_probabilities
from recommender.research.training.loop import EpochReport, TrainingResult, train
from recommender.utils.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Job:
    """One network to train: a declared run under a protocol with a seed."""

    run: StudyRun
    protocol: str
    seed: int

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
        names: of runs, or of families or architectures where no run is named so; None: all.
        seeds: only the first so many of each run; None: all.
    """
    wanted = [r for r in RUNS if names is None or any(_is_called(r, name) for name in names)]
    jobs = [Job(run, p, seed) for p in protocols for run in wanted for seed in run.seeds(p)[:seeds]]
    return sorted(jobs, key=lambda job: job.seed > 0)  # stable


def _is_called(run: StudyRun, name: str) -> bool:
    if any(other.name == name for other in RUNS):
        return run.name == name
    return name in (run.family, run.model)


def is_done(job: Job, folder: Path) -> bool:
    """Whether its outcome is there."""
    return outcome_path(folder, job.run.name, job.protocol, job.seed).exists()


def run_jobs(
    jobs: Sequence[Job],
    data: gtzan.Gtzan,
    folder: Path,
    checkpoints: Path,
    *,
    device: str = "cpu",
    full: bool = False,
    smoke_test: bool = False,
    command: str = "",
    on_epoch: Callable[[Job, EpochReport], None] | None = None,
    on_outcome: Callable[[Job, Outcome], None] | None = None,
) -> None:
    """Train and measure what is not done yet; each outcome is written as it is there.

    Args:
        jobs: in this order.
        data: GTZAN.
        folder: of the outcomes.
        checkpoints: of unfinished and finished runs; from them an interrupted run goes on.
        device: ``cpu`` or ``cuda``.
        full: train to the declared end on a CPU too.
        smoke_test: one step of training on a few tracks.
        command: written into the outcomes.
        on_epoch, on_outcome: told what happens.

    Raises:
        DatasetError: tracks are absent.
        UsageError: a checkpoint belongs to other settings.
    """
    split: StudySplit | None = None
    for job in jobs:
        if is_done(job, folder):
            continue
        if split is None or split.protocol != job.protocol:
            split = load_protocol(data, job.protocol, smoke_test=smoke_test)
        settings = job.run.settings(
            job.seed, device=device, clips_per_track=split.clips_per_track, full=full
        )
        if smoke_test:
            settings = replace(settings, epochs=1)
        result = train(
            settings,
            split.train.tracks,
            split.valid.tracks,
            len(gtzan.GENRES),
            device=device,
            checkpoint=None if smoke_test else checkpoints / f"{job.name}.pt",
            on_epoch=None if on_epoch is None else partial(on_epoch, job),
        )
        outcome = measured(job, result, split, device, smoke_test, command)
        outcome.write(folder)
        if on_outcome is not None:
            on_outcome(job, outcome)


def measured(
    job: Job, result: TrainingResult, split: StudySplit, device: str, smoke_test_ids: bool, command: str
) -> Outcome:
    """Measure a trained network on every side of its protocol."""
    analysed = {
        name: _Analysed.by(result, side.tracks)
        for name, side in (("train", split.train), ("valid", split.valid), ("test", split.test))
    }
    test, disjoint = analysed["test"], list(split.disjoint)
    chosen, precisions = _precisions(
        analysed, split, ["centred"] if smoke_test_ids else list(CANDIDATES)
    )
    known = [value for value in precisions if value is not None]
    return Outcome(
        run=job.run.name,
        protocol=job.protocol,
        seed=job.seed,
        smoke_test=smoke_test_ids,
        device=_described(device),
        parameters=sum(p.numel() for p in result.network.parameters()),
        epochs_allowed=result.settings.epochs,
        epochs=len(result.history),
        best_epoch=result.best_epoch,
        seconds_per_epoch=round(float(np.median([e.seconds for e in result.history])), 2),
        train_clip=_share(analysed["train"].clips_right),
        valid_track=_share(analysed["valid"].right),
        valid_clip=_share(analysed["valid"].clips_right),
        test_track=_share(test.right),
        test_clip=_share(test.clips_right),
        disjoint_track=_share(test.right[disjoint]) if disjoint else None,
        disjoint_clip=_share(test.clips_right[disjoint]) if disjoint else None,
        valid_precision=None if chosen is None else chosen[1],
        test_precision=round(float(np.mean(known)), 4) if known else None,
        projection="" if chosen is None else chosen[0],
        history=tuple(_rounded(epoch) for epoch in result.history),
        labels=tuple(test.labels.tolist()),
        predicted=tuple(test.predicted.tolist()),
        clips_predicted=tuple(test.clip_shares()),
        precisions=tuple(precisions),
        command=command,
    )


@dataclass(frozen=True)
class _Analysed:
    """What a network makes of n tracks by c clips each.

    Attributes:
        vectors: mean activations, [n, d].
        probabilities: [n, c, n_classes].
    """

    vectors: FloatArray
    probabilities: FloatArray
    labels: IntArray

    @classmethod
    def by(cls, result: TrainingResult, tracks: TrackSet) -> "_Analysed":
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
    def right(self) -> BoolArray:
        """[n]."""
        return np.asarray(self.predicted == self.labels)

    @property
    def clips_right(self) -> BoolArray:
        """[n, c]."""
        return np.asarray(self.probabilities.argmax(axis=2) == self.labels[:, None])

    def clip_shares(self) -> list[float]:
        """Share of the clips called each genre, [n_classes]."""
        called = self.probabilities.argmax(axis=2).ravel()
        counts = np.bincount(called, minlength=self.probabilities.shape[2])
        return [round(float(share), 4) for share in counts / len(called)]


def _precisions(
    analysed: dict[str, _Analysed], split: StudySplit, candidates: Sequence[str]
) -> tuple[tuple[str, float] | None, list[float | None]]:
    """The projection chosen on valid with its precision there, and each test track's precision."""
    if split.clips_per_track == 1:
        return None, []  # clips of the query's own track would be among its neighbours
    if _is_constant(analysed["train"].vectors):
        return None, []  # nothing tells one track from another
    fitted: dict[str, tuple[float, Projection]] = {}
    for name in candidates:
        try:
            projection = CANDIDATES[name](analysed["train"].vectors, analysed["train"].labels)
        except np.linalg.LinAlgError:
            continue  # too few tracks, or activations that hardly vary
        valid = precision(projection.apply(analysed["valid"].vectors), split.valid)
        fitted[name] = (round(valid, 4), projection)
    chosen = max(fitted, key=lambda name: fitted[name][0])
    valid, projection = fitted[chosen]
    return (chosen, valid), track_precisions(projection.apply(analysed["test"].vectors), split.test)


def _is_constant(vectors: FloatArray) -> bool:
    return float(vectors.std(axis=0).max()) <= 1e-5 * float(np.abs(vectors).max())


def track_precisions(vectors: FloatArray, side: SplitTracks) -> list[float | None]:
    """Precision@10 with artist filter of each track; None where no candidate is relevant."""
    genres = [gtzan.GENRES[label] for label in side.tracks.labels]
    tracks = LabelledVectors.of(vectors, genres, side.artists, None, None)
    scores = score_queries(tracks, NEIGHBOURS, artist_filter=True)
    pairs = zip(scores.precision, scores.relevant, strict=True)
    return [float(value) if relevant else None for value, relevant in pairs]


def _described(device: str) -> str:
    if device == "cuda":
        return str(torch.cuda.get_device_name())
    return f"CPU, threads: {torch.get_num_threads()}"


def _share(right: BoolArray) -> float:
    return round(float(right.mean()), 4)


def _rounded(epoch: EpochReport) -> EpochReport:
    values = {name: round(value, 4) for name, value in vars(epoch).items() if name != "epoch"}
    return EpochReport(epoch=epoch.epoch, **values)

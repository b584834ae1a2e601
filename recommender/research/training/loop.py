"""One training loop for every architecture: seeds, augmentation, early stopping, checkpoints.

A run is fixed by its `TrainingSettings` (seed included) and its data. It can be ended at any
moment and goes on from its last whole epoch.
"""

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from recommender.errors import UsageError
from recommender.networks import GenreNetwork, create_model
from recommender.research.training.augmentation import (
    UNCHANGED,
    Augmentation,
    changed,
    mixed,
    random_crops,
    standardised_batch,
)
from recommender.research.training.inference import TrackSet, clip_starts, measure
from recommender.research.training.losses import Loss, cross_entropy
from recommender.utils.malloc import reuse_memory_while_training


@dataclass(frozen=True)
class TrainingSettings:
    """All that fixes a run besides the data. The paper gives no optimiser and no batch size.

    Attributes:
        epochs: at most; each sees `clips_per_track` clips of every track.
        patience: epochs without a better one before the run ends; 0 = never.
        kept: which epoch is the best: that of least validation `loss`, of most `accuracy` (and
            least loss among equals), or the `last`, which needs no validation tracks.
        schedule: of the learning rate: `one-cycle` (up and down once over all epochs) or
            `constant`.
        ema_decay: decay of the moving average of the weights that is measured and kept; 0 keeps
            the weights themselves.
        clip_frames: length of the clips that are measured (10 s, as long as the windows of a track,
            however much of those the network will analyse).
        crop_frames: length of the random crops that are learned from; 0: the clips that are
            measured are those that are learned from.
        clips_per_track: clips of each track, spread evenly where they are measured.
        augmentation: None leaves the clips as they are.
    """

    model: str = "conv1d-encoder"
    model_settings: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    epochs: int = 50
    patience: int = 0
    select_epoch_by: str = "loss"
    batch_size: int = 32
    learning_rate: float = 1e-3
    schedule: str = "one-cycle"
    weight_decay: float = 0.5
    label_smoothing: float = 0.1
    ema_decay: float = 0.99
    clip_frames: int = 130
    crop_frames: int = 65
    clips_per_track: int = 3
    augmentation: Augmentation | None = field(default_factory=Augmentation)


@dataclass(frozen=True)
class EpochReport:
    """What one epoch gave.

    Attributes:
        train_loss, train_accuracy: by clip, of the clips as they were learned from (augmented, with
            dropout), while the weights changed.
        valid_loss, valid_accuracy: by track (mean of its clips' probabilities); NaN without
            validation tracks.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    valid_loss: float
    valid_accuracy: float
    seconds: float


@dataclass
class TrainingResult:
    """The trained network (evaluation mode, CPU) and how it came to be."""

    network: GenreNetwork
    settings: TrainingSettings
    best_epoch: int
    history: list[EpochReport]


def train(
    settings: TrainingSettings,
    training: TrackSet,
    validation: TrackSet | None,
    n_classes: int,
    *,
    device: str = "cpu",
    checkpoint: Path | None = None,
    on_epoch: Callable[[EpochReport], None] | None = None,
    objective: Loss = cross_entropy,
    initial_weights: Mapping[str, torch.Tensor] | None = None,
) -> TrainingResult:
    """Train a network, choosing the epoch on the validation tracks.

    Args:
        settings: the run.
        training: tracks to learn from.
        validation: other tracks, by which the epoch is chosen; None where the last is kept.
        n_classes: number of genres.
        device: ``cpu`` or ``cuda``.
        checkpoint: file written after each epoch; where it exists, the run goes on from it.
        on_epoch: called with each epoch's report.
        objective: what is made small. The checkpoint does not say it: another needs another file.
        initial_weights: the weights to begin with, in place of random ones; likewise.

    Raises:
        UsageError: the checkpoint belongs to a run with other settings, or there are no tracks to
            choose the epoch by.
    """
    if validation is None and settings.select_epoch_by != "last":
        raise UsageError("without validation tracks only the last epoch can be kept.")
    run = _Run(settings, training, n_classes, device, objective, initial_weights)
    if checkpoint is not None and checkpoint.exists():
        run.restore(checkpoint)
    while not run.finished:
        started = time.perf_counter()
        learned = run.one_epoch()
        measured = (
            (float("nan"), float("nan"))
            if validation is None
            else measure(
                run.averaged, validation, settings.clip_frames, device, settings.clips_per_track
            )
        )
        seconds = time.perf_counter() - started
        report = EpochReport(len(run.history) + 1, *learned, *measured, seconds)
        run.keep(report)
        if checkpoint is not None:
            run.save(checkpoint)
        if on_epoch is not None:
            on_epoch(report)
    return run.result()


class _Run:
    """The state of a run between epochs."""

    def __init__(
        self,
        settings: TrainingSettings,
        training: TrackSet,
        n_classes: int,
        device: str,
        objective: Loss,
        initial_weights: Mapping[str, torch.Tensor] | None,
    ) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.objective = objective
        self.device = device
        self.n_classes = n_classes
        self.tracks = torch.from_numpy(training.decibels).to(device)
        self.labels = torch.from_numpy(training.labels).to(device)
        starts = clip_starts(self.tracks.shape[2], settings.clip_frames, settings.clips_per_track)
        self.starts = torch.tensor(starts, device=device)
        self.network = create_model(
            settings.model,
            n_mels=training.decibels.shape[1],
            n_classes=n_classes,
            **settings.model_settings,
        ).to(device)
        if initial_weights is not None:
            self.network.load_state_dict(initial_weights)
        if device == "cpu":
            reuse_memory_while_training()
            # Two-dimensional convolutions are twice as fast so.
            self.network = self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = copy.deepcopy(self.network).eval()
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        self.schedule = _schedule(
            self.optimiser, settings, settings.epochs * self._batches_per_epoch
        )
        self.generator = torch.Generator(device=device).manual_seed(settings.seed)
        self.history: list[EpochReport] = []
        self.best = (float("-inf"), float("-inf"))
        self.best_epoch = 0
        self.best_weights = copy.deepcopy(self.averaged.state_dict())

    @property
    def _batches_per_epoch(self) -> int:
        clips = len(self.labels) * self.settings.clips_per_track
        return max(1, clips // self.settings.batch_size)

    @property
    def finished(self) -> bool:
        done = len(self.history)
        patience = self.settings.patience
        waited = patience > 0 and done - self.best_epoch >= patience
        return done >= self.settings.epochs or waited

    def one_epoch(self) -> tuple[float, float]:
        """Mean loss and accuracy over one epoch's clips."""
        self.network.train()
        losses, right = [], []
        for clips, targets in self._batches():
            logits, loss = self.objective(self.network, clips, targets)
            loss = loss + self.network.penalty().to(self.device)
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimiser.step()
            self.schedule.step()
            self._average()
            losses.append(float(loss.detach()))
            right.append(float((logits.argmax(dim=1) == targets.argmax(dim=1)).float().mean()))
        return float(np.mean(losses)), float(np.mean(right))

    def _batches(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        settings = self.settings
        clips_per_epoch = len(self.labels) * settings.clips_per_track
        order = torch.randperm(clips_per_epoch, generator=self.generator, device=self.device)
        smoothing = settings.label_smoothing
        for batch in range(self._batches_per_epoch):
            places = order[batch * settings.batch_size : (batch + 1) * settings.batch_size]
            clips = self._clips(places)
            labels = self.labels[places % len(self.labels)]
            targets = F.one_hot(labels, self.n_classes).float()
            targets = targets * (1 - smoothing) + smoothing / self.n_classes
            if settings.augmentation is not None:
                clips, targets = mixed(clips, targets, settings.augmentation, self.generator)
            yield clips, targets

    def _clips(self, places: torch.Tensor) -> torch.Tensor:
        """Standardised clips of one batch; clip p is of track p modulo the number of tracks."""
        settings, generator = self.settings, self.generator
        how = settings.augmentation
        tracks = self.tracks[places % len(self.labels)]
        if settings.crop_frames:
            crops = random_crops(tracks, settings.crop_frames, how or UNCHANGED, generator)
        else:
            starts = self.starts[places // len(self.labels)]
            frames = torch.arange(settings.clip_frames, device=self.device)
            # [batch, n_mels, track_frames] → [batch, n_mels, clip_frames]
            taken = (starts[:, None] + frames)[:, None, :].expand(-1, tracks.shape[1], -1)
            crops = tracks.gather(2, taken)
        return standardised_batch(crops) if how is None else changed(crops, how, generator)

    def _average(self) -> None:
        """Exponential moving average of the weights; counters and the like are copied."""
        decay = min(self.settings.ema_decay, (1 + self.schedule.last_epoch) / 10)
        with torch.no_grad():
            current = self.network.state_dict()
            for name, value in self.averaged.state_dict().items():
                if value.is_floating_point():
                    value.lerp_(current[name], 1 - decay)
                else:
                    value.copy_(current[name])

    def keep(self, report: EpochReport) -> None:
        """Note the epoch; remember its weights when it is the best so far."""
        self.history.append(report)
        merit = _merit(report, self.settings.select_epoch_by)
        if merit > self.best:
            self.best, self.best_epoch = merit, report.epoch
            self.best_weights = copy.deepcopy(self.averaged.state_dict())

    def result(self) -> TrainingResult:
        """The best epoch's network."""
        self.averaged.load_state_dict(self.best_weights)
        network = self.averaged.cpu().eval()
        # Weights in the order in which they are saved and loaded everywhere else.
        network = network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return TrainingResult(network, self.settings, self.best_epoch, self.history)

    def save(self, path: Path) -> None:
        """Write the whole state, replacing the file in one step."""
        state = {
            "settings": json.dumps(asdict(self.settings), sort_keys=True),
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "best_weights": self.best_weights,
            "best": [*self.best, self.best_epoch],
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "generator": self.generator.get_state(),
            "dropout": torch.get_rng_state(),
            "history": [asdict(report) for report in self.history],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.replace(path)

    def restore(self, path: Path) -> None:
        """Go on where `save` left off."""
        state = torch.load(path, weights_only=True, map_location=self.device)
        if state["settings"] != json.dumps(asdict(self.settings), sort_keys=True):
            raise UsageError(
                f"the checkpoint {path} belongs to a run with other settings: "
                "remove it, or name another with --checkpoint."
            )
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.best_weights = state["best_weights"]
        accuracy, negative_loss, epoch = state["best"]
        self.best, self.best_epoch = (accuracy, negative_loss), int(epoch)
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["dropout"].cpu())
        self.history = [EpochReport(**report) for report in state["history"]]


def _merit(report: EpochReport, select_epoch_by: str) -> tuple[float, float]:
    """Larger for the better epoch."""
    if kept == "last":
        return float(report.epoch), 0.0
    return (report.valid_accuracy if kept == "accuracy" else 0.0), -report.valid_loss


def _schedule(
    optimiser: torch.optim.Optimizer, settings: TrainingSettings, steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """How the learning rate goes, step by step."""
    if settings.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)
    if settings.schedule == "one-cycle":
        return torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=settings.learning_rate, total_steps=steps, pct_start=0.1
        )
    raise UsageError(f"no schedule is named {settings.schedule!r}: one-cycle or constant.")

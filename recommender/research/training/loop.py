"""One training loop for every architecture: seeds, augmentation, early stopping, checkpoints.

A run is determined by its `TrainingSettings` (seed included) and its data. It may be interrupted at
any moment and resumes after its last complete epoch.
"""

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from recommender.errors import UsageError
from recommender.networks import create_model
from recommender.research.training.augmentation import (
    UNCHANGED,
    augmented,
    mixed,
    random_crops,
    standardised_batch,
)
from recommender.research.training.inference import TrackSet, clip_starts, evaluate
from recommender.research.training.losses import Loss, cross_entropy
from recommender.research.training.settings import EpochReport, TrainingResult, TrainingSettings
from recommender.utils.files import replacing_file
from recommender.utils.malloc import reuse_memory_while_training


def train(
    settings: TrainingSettings,
    training: TrackSet,
    validation: TrackSet | None,
    n_classes: int,
    *,
    device: str = "cpu",
    checkpoint: Path | None = None,
    on_epoch: Callable[[EpochReport], None] | None = None,
    loss: Loss = cross_entropy,
    initial_weights: Mapping[str, torch.Tensor] | None = None,
) -> TrainingResult:
    """Train a network; the epoch is selected on the validation tracks.

    Args:
        settings: the run.
        training: tracks to learn from.
        validation: other tracks, by which the epoch is selected; None where the last one is.
        n_classes: number of genres.
        device: ``cpu`` or ``cuda``.
        checkpoint: file written after each epoch; where it exists, the run resumes from it.
        on_epoch: called with each epoch's report.
        loss: training loss. It is not part of the checkpoint: another loss needs another file.
        initial_weights: instead of random ones; likewise.

    Raises:
        UsageError: the checkpoint belongs to a run with other settings, or no schedule has
            that name, or there are no tracks to select the epoch by.
    """
    if validation is None and settings.select_epoch_by != "last":
        raise UsageError("without validation tracks only the last epoch can be selected.")
    run = _TrainingRun(settings, training, n_classes, device, loss, initial_weights)
    if checkpoint is not None and checkpoint.exists():
        run.restore(checkpoint)
    while not run.finished:
        started = time.perf_counter()
        trained = run.one_epoch()
        evaluated = (
            (float("nan"), float("nan"))
            if validation is None
            else evaluate(
                run.ema, validation, settings.clip_frames, device, settings.clips_per_track
            )
        )
        seconds = time.perf_counter() - started
        report = EpochReport(len(run.history) + 1, *trained, *evaluated, seconds)
        run.record(report)
        if checkpoint is not None:
            run.save(checkpoint)
        if on_epoch is not None:
            on_epoch(report)
    return run.result()


class _TrainingRun:
    """The state of a run between epochs."""

    def __init__(
        self,
        settings: TrainingSettings,
        training: TrackSet,
        n_classes: int,
        device: str,
        loss: Loss,
        initial_weights: Mapping[str, torch.Tensor] | None,
    ) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.loss = loss
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
            # Makes two-dimensional convolutions twice as fast.
            self.network = self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(self.network).eval()
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.schedule = _schedule(self.optimiser, settings, self._batches_per_epoch)
        self.generator = torch.Generator(device=device).manual_seed(settings.seed)
        self.history: list[EpochReport] = []
        self.best = (float("-inf"), float("-inf"))
        self.best_epoch = 0
        self.best_weights = copy.deepcopy(self.ema.state_dict())

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
        losses, accuracies = [], []
        for clips, targets in self._batches():
            logits, loss = self.loss(self.network, clips, targets)
            loss = loss + self.network.penalty().to(self.device)
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimiser.step()
            self.schedule.step()
            self._update_ema()
            losses.append(float(loss.detach()))
            accuracies.append(float((logits.argmax(dim=1) == targets.argmax(dim=1)).float().mean()))
        return float(np.mean(losses)), float(np.mean(accuracies))

    def _batches(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        settings = self.settings
        clips_per_epoch = len(self.labels) * settings.clips_per_track
        order = torch.randperm(clips_per_epoch, generator=self.generator, device=self.device)
        smoothing = settings.label_smoothing
        for batch in range(self._batches_per_epoch):
            indices = order[batch * settings.batch_size : (batch + 1) * settings.batch_size]
            clips = self._clips(indices)
            labels = self.labels[indices % len(self.labels)]
            targets = F.one_hot(labels, self.n_classes).float()
            targets = targets * (1 - smoothing) + smoothing / self.n_classes
            if settings.augmentation is not None:
                clips, targets = mixed(clips, targets, settings.augmentation, self.generator)
            yield clips, targets

    def _clips(self, indices: torch.Tensor) -> torch.Tensor:
        """Standardised clips of one batch; clip i is of track i modulo the number of tracks."""
        settings, generator = self.settings, self.generator
        augmentation = settings.augmentation
        tracks = self.tracks[indices % len(self.labels)]
        if settings.crop_frames:
            crops = random_crops(tracks, settings.crop_frames, augmentation or UNCHANGED, generator)
        else:
            starts = self.starts[indices // len(self.labels)]
            frames = torch.arange(settings.clip_frames, device=self.device)
            # [batch, n_mels, track_frames] → [batch, n_mels, clip_frames]
            columns = (starts[:, None] + frames)[:, None, :].expand(-1, tracks.shape[1], -1)
            crops = tracks.gather(2, columns)
        if augmentation is None:
            return standardised_batch(crops)
        return augmented(crops, augmentation, generator)

    def _update_ema(self) -> None:
        """Exponential moving average of the weights; integer buffers are copied."""
        decay = min(self.settings.ema_decay, (1 + self.schedule.last_epoch) / 10)
        with torch.no_grad():
            current = self.network.state_dict()
            for name, value in self.ema.state_dict().items():
                if value.is_floating_point():
                    value.lerp_(current[name], 1 - decay)
                else:
                    value.copy_(current[name])

    def record(self, report: EpochReport) -> None:
        """Add the epoch to the history, and copy its weights if it is the best so far."""
        self.history.append(report)
        score = _score(report, self.settings.select_epoch_by)
        if score > self.best:
            self.best, self.best_epoch = score, report.epoch
            self.best_weights = copy.deepcopy(self.ema.state_dict())

    def result(self) -> TrainingResult:
        """The best epoch's network."""
        self.ema.load_state_dict(self.best_weights)
        network = self.ema.cpu().eval()
        # Weights in the order in which they are saved and loaded everywhere else.
        network = network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return TrainingResult(network, self.settings, self.best_epoch, self.history)

    def save(self, path: Path) -> None:
        """Write the whole state atomically. Raises `OSError`."""
        state = {
            "settings": json.dumps(asdict(self.settings), sort_keys=True),
            "network": self.network.state_dict(),
            "ema": self.ema.state_dict(),
            "best_weights": self.best_weights,
            "best": [*self.best, self.best_epoch],
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "generator": self.generator.get_state(),
            "global_rng": torch.get_rng_state(),
            "history": [asdict(report) for report in self.history],
        }
        with replacing_file(path) as file:
            torch.save(state, file)

    def restore(self, path: Path) -> None:
        """Resume from what `save` wrote.

        Raises `UsageError` where it is damaged, or of other settings.
        """
        state = _checkpoint(path, self.device)
        if state["settings"] != json.dumps(asdict(self.settings), sort_keys=True):
            raise UsageError(
                f"the checkpoint {path} belongs to a run with other settings: "
                "remove it, or choose another folder."
            )
        try:
            self._set(state)
        except (LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise _damaged(path, error) from error

    def _set(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.ema.load_state_dict(state["ema"])
        self.best_weights = state["best_weights"]
        accuracy, negative_loss, epoch = state["best"]
        self.best, self.best_epoch = (accuracy, negative_loss), int(epoch)
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["global_rng"].cpu())
        self.history = [EpochReport(**report) for report in state["history"]]


def _checkpoint(path: Path, device: Any) -> dict[str, Any]:
    """What is stored in a checkpoint; nothing in it is executed. Raises `UsageError`."""
    try:
        state = torch.load(path, weights_only=True, map_location=device)
    except OSError:
        raise
    except Exception as error:  # damaged files make torch raise errors of every sort
        raise _damaged(path, error) from error
    if not isinstance(state, dict) or "settings" not in state:
        raise _damaged(path, "it holds no state of a training")
    return state


def _damaged(path: Path, reason: object) -> UsageError:
    first = str(reason).partition("\n")[0]
    return UsageError(
        f"the checkpoint {path} is damaged ({first}): remove it, and the training begins anew."
    )


def _score(report: EpochReport, select_by: str) -> tuple[float, float]:
    """Higher for the better epoch."""
    if select_by == "last":
        return float(report.epoch), 0.0
    return (report.valid_accuracy if select_by == "accuracy" else 0.0), -report.valid_loss


def _schedule(
    optimiser: torch.optim.Optimizer, settings: TrainingSettings, batches_per_epoch: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """The schedule of the learning rate, step by step. Raises `UsageError` for another name."""
    if settings.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)
    if settings.schedule == "one-cycle":
        steps = settings.epochs * batches_per_epoch
        return torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=settings.learning_rate, total_steps=steps, pct_start=0.1
        )
    raise UsageError(f"no schedule is named {settings.schedule!r}: one-cycle or constant.")

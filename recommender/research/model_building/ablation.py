"""Ablation of the default model's network, on the validation tracks.

Each variant is the default's network with one setting changed, or trained with another loss or
other initial weights, with one seed. The default itself is trained with all of `SEEDS`, so that its
standard deviation shows which differences are significant. What is evaluated is the head fitted on
the network alone, on all ten seconds of a clip, as during training: descriptors would even out the
differences.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recommender.errors import RecsysError
from recommender.research.datasets import gtzan
from recommender.research.model_building.head_fitting import fit_head
from recommender.research.model_building.recipes import NETWORK
from recommender.research.model_building.split_tracks import SplitTracks, load_split
from recommender.research.model_building.trained_model import TrainedModel
from recommender.research.training.inference import log_loss
from recommender.research.training.loop import train
from recommender.research.training.losses import (
    Loss,
    cross_entropy,
    cross_entropy_with_contrast,
    distillation,
)
from recommender.research.training.settings import EpochReport, TrainingResult, TrainingSettings
from recommender.research.training.simclr import PretrainingSettings, pretrained_weights
from recommender.utils.csv_table import write_csv
from recommender.utils.files import replace_file

DEFAULT = "default"
SEEDS = (0, 1, 2, 3, 4)


def _augmented(**changes: Any) -> TrainingSettings:
    assert NETWORK.augmentation is not None
    return replace(NETWORK, augmentation=replace(NETWORK.augmentation, **changes))


def _filters(*filters: int) -> TrainingSettings:
    return replace(NETWORK, model_settings={**NETWORK.model_settings, "filters": list(filters)})


VARIANTS: Mapping[str, TrainingSettings] = {
    DEFAULT: NETWORK,
    "1D encoder instead of 2D": replace(NETWORK, model="conv1d-encoder", model_settings={}),
    "no augmentation": replace(NETWORK, augmentation=None),
    "no mixup": _augmented(mixup=0),
    "no frequency and time masking": _augmented(mask_bands=0, mask_frames=0),
    "no pitch shift, no time stretch": _augmented(pitch_bands=0, stretch=0),
    "no equaliser, no raised noise floor": _augmented(equaliser_db=0, floor_db=0),
    "no low-pass filtering": _augmented(low_pass=0),
    "weight decay 0.05 instead of 0.5": replace(NETWORK, weight_decay=0.05),
    "no label smoothing": replace(NETWORK, label_smoothing=0.0),
    "no EMA of weights": replace(NETWORK, ema_decay=0.0),
    "10 s crops instead of 5 s": replace(NETWORK, crop_frames=NETWORK.clip_frames),
    "half the filters": _filters(16, 32, 32),
}
"""Settings by what is changed."""

CONTRASTIVE = "with a supervised contrastive loss"
PRETRAINED = "initialised by SimCLR pre-training on the training tracks"
DISTILLED = f"distilled from an ensemble of {len(SEEDS)}"

OTHER_TRAINING = (CONTRASTIVE, PRETRAINED, DISTILLED)
"""Variants with the default's settings and another loss or other initial weights."""

ENSEMBLE = f"ensemble of {len(SEEDS)}"

FIGURES = ("accuracy", "log_loss")


@dataclass(frozen=True)
class AblationRow:
    """Figures of one training on the validation tracks.

    Attributes:
        variant: name in `VARIANTS` or `OTHER_TRAINING`, or `ENSEMBLE`.
        seed: of the training; -1 for the ensemble of all.
        epochs: trained for; `best_epoch` is the one that was selected.
        accuracy, log_loss: by track, of the head fitted on the network alone.
        minutes: of training, without teachers or pre-training.
    """

    variant: str
    seed: int
    epochs: int
    best_epoch: int
    accuracy: float
    log_loss: float
    minutes: float

    @property
    def key(self) -> tuple[str, int]:
        """Identifies the row."""
        return self.variant, self.seed


def declared() -> list[tuple[str, int]]:
    """Every training, by variant and seed: the default's first."""
    others = [*VARIANTS, *OTHER_TRAINING]
    return [(DEFAULT, seed) for seed in SEEDS] + [(name, 0) for name in others if name != DEFAULT]


@dataclass(frozen=True, eq=False)
class _Trainer:
    """What all trainings of the ablation have in common."""

    training: SplitTracks
    valid: SplitTracks
    checkpoints: Path
    device: str
    on_epoch: Callable[[str, EpochReport], None] | None

    def train(self, variant: str, seed: int) -> TrainingResult:
        """One network; an interrupted training resumes from its checkpoint."""
        name = DEFAULT if variant in OTHER_TRAINING else variant
        settings = replace(VARIANTS[name], seed=seed)
        checkpoint = self.checkpoints / f"{_file_stem(variant)}-seed-{seed}.pt"
        initial_weights = None
        if variant == PRETRAINED and not checkpoint.exists():
            initial_weights = pretrained_weights(
                settings, PretrainingSettings(), self.training.tracks, len(gtzan.GENRES)
            )
        return train(
            settings,
            self.training.tracks,
            self.valid.tracks,
            len(gtzan.GENRES),
            device=self.device,
            checkpoint=checkpoint,
            on_epoch=None if self.on_epoch is None else partial(self.on_epoch, variant),
            loss=self._loss(variant),
            initial_weights=initial_weights,
        )

    def _loss(self, variant: str) -> Loss:
        if variant == CONTRASTIVE:
            return cross_entropy_with_contrast(weight=0.5, temperature=0.1)
        if variant == DISTILLED:
            teachers = [self.train(DEFAULT, seed).network.to(self.device) for seed in SEEDS]
            return distillation(teachers, weight=0.7, temperature=2.0)
        return cross_entropy

    def evaluate(self, variant: str, seed: int, runs: Sequence[TrainingResult]) -> AblationRow:
        """The head fitted on networks, on the validation tracks."""
        model = TrainedModel(seed, tuple(runs), descriptors=False)
        train, valid = model.activations(self.training), model.activations(self.valid)
        labels = self.valid.tracks.labels
        head, _ = fit_head(train, self.training.tracks.labels, valid, labels)
        probabilities = head.probabilities(valid.tracks)
        reports = [report for run in runs for report in run.history]
        return AblationRow(
            variant=variant,
            seed=seed,
            epochs=len(reports),
            best_epoch=runs[0].best_epoch,
            accuracy=round(float((probabilities.argmax(axis=1) == labels).mean()), 4),
            log_loss=round(log_loss(probabilities, labels), 4),
            minutes=round(sum(report.seconds for report in reports) / 60, 1),
        )


def run_ablation(
    data: gtzan.Gtzan,
    path: Path,
    checkpoints: Path,
    *,
    device: str = "cpu",
    selection: Sequence[tuple[str, int]] | None = None,
    on_epoch: Callable[[str, EpochReport], None] | None = None,
    on_row: Callable[[AblationRow], None] | None = None,
) -> None:
    """Train and evaluate what the table lacks; each row is written as soon as it is complete.

    Args:
        data: GTZAN.
        path: the table, CSV.
        checkpoints: a folder; an interrupted training resumes from its file there.
        device: ``cpu`` or ``cuda``.
        selection: of `declared`; None: all, and the ensemble.
        on_epoch: called with the variant and each epoch's report.
        on_row: called with each new row.

    Raises:
        DatasetError, UsageError: data or checkpoints do not fit.
        RecsysError: the table is no ablation.
    """
    training, valid = load_split(data, "filtered", "train"), load_split(data, "filtered", "valid")
    trainer = _Trainer(training, valid, checkpoints, device, on_epoch)
    done = {row.key for row in read(path)}
    jobs = [*declared(), (ENSEMBLE, -1)] if selection is None else selection
    for variant, seed in jobs:
        if (variant, seed) in done:
            continue
        if variant == ENSEMBLE:
            runs = [trainer.train(DEFAULT, own) for own in SEEDS]
        else:
            runs = [trainer.train(variant, seed)]
        row = trainer.evaluate(variant, seed, runs)
        write(path, [*read(path), row])
        if on_row is not None:
            on_row(row)


def _file_stem(variant: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in variant).split())


@dataclass(frozen=True)
class AblationSummary:
    """A variant over its seeds: means of the figures of `AblationRow`.

    Attributes:
        seeds: how many; 1 for an ensemble.
        accuracy_sd, log_loss_sd: sample standard deviation over seeds; None for one.
    """

    variant: str
    seeds: int
    accuracy: float
    log_loss: float
    accuracy_sd: float | None
    log_loss_sd: float | None


def summary(rows: Sequence[AblationRow]) -> list[AblationSummary]:
    """One line a variant, in the order of the table."""
    return [
        _summary_line(name, [row for row in rows if row.variant == name])
        for name in dict.fromkeys(row.variant for row in rows)
    ]


def _summary_line(name: str, rows: Sequence[AblationRow]) -> AblationSummary:
    def mean(figure: str) -> float:
        return round(float(np.mean([getattr(row, figure) for row in rows])), 4)

    def deviation(figure: str) -> float | None:
        values = [getattr(row, figure) for row in rows]
        return round(float(np.std(values, ddof=1)), 4) if len(values) > 1 else None

    means, deviations = map(mean, FIGURES), map(deviation, FIGURES)
    return AblationSummary(name, len(rows), *means, *deviations)


def write(path: Path, rows: Sequence[AblationRow]) -> None:
    """Write a table, CSV, atomically. Raises `OSError`."""
    text = io.StringIO()
    columns = [field.name for field in fields(AblationRow)]
    write_csv(text, columns, (asdict(row) for row in rows), "\n")
    replace_file(path, text.getvalue().encode())


def read(path: Path) -> list[AblationRow]:
    """Read what `write` wrote; nothing where there is no file.

    Raises:
        RecsysError: the file is no table of an ablation.
    """
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        try:
            return [_parsed(row) for row in csv.DictReader(file)]
        except (KeyError, TypeError, ValueError) as error:
            raise RecsysError(f"{path} is no table of an ablation ({error}).") from error


def _parsed(row: Mapping[str, str]) -> AblationRow:
    whole = {"seed", "epochs", "best_epoch"}
    values: dict[str, Any] = {
        field.name: (int if field.name in whole else float)(row[field.name])
        for field in fields(AblationRow)
        if field.name != "variant"
    }
    return AblationRow(variant=row["variant"], **values)

"""What the default model's network would be with one thing changed: the table of its card.

Each lever is the default's network with one setting changed, or taught otherwise, trained with one
seed on the training tracks and measured on the validation tracks alone; the default itself is
measured with all of `SEEDS`, so that its spread says which differences mean anything. What is
measured is the head fitted on the network alone, which analyses all ten seconds of a clip, as it does
while it is trained: the descriptors beside it would even out the differences.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recommender.errors import RecsysError
from recommender.research.datasets import gtzan
from recommender.research.model_building.head_fitting import fitted_head
from recommender.research.model_building.recipes import NETWORK
from recommender.research.model_building.results import SplitTracks, TrainedModel, load_split
from recommender.research.training.inference import log_loss
from recommender.research.training.loop import EpochReport, TrainingResult, TrainingSettings, train
from recommender.research.training.losses import Loss, cross_entropy, distillation, cross_entropy_with_contrast
from recommender.research.training.simclr import PretrainingSettings, pretrained

DEFAULT = "the default"
SEEDS = (0, 1, 2, 3, 4)


def _augmented(**changed: Any) -> TrainingSettings:
    assert NETWORK.augmentation is not None
    return replace(NETWORK, augmentation=replace(NETWORK.augmentation, **changed))


def _filters(*filters: int) -> TrainingSettings:
    return replace(NETWORK, model_settings={**NETWORK.model_settings, "filters": list(filters)})


VARIANTS: Mapping[str, TrainingSettings] = {
    DEFAULT: NETWORK,
    "the 1D encoder in place of the 2D": replace(
        NETWORK, model="conv1d-encoder", model_settings={}
    ),
    "no augmentation": replace(NETWORK, augmentation=None),
    "no mixup": _augmented(mixup=0),
    "no masks of bands and frames": _augmented(mask_bands=0, mask_frames=0),
    "no shift of pitch, no stretch": _augmented(pitch_bands=0, stretch=0),
    "no equaliser, no raised floor": _augmented(equaliser_db=0, floor_db=0),
    "no cut of the treble": _augmented(low_pass=0),
    "weight decay 0.05 in place of 0.5": replace(NETWORK, weight_decay=0.05),
    "no label smoothing": replace(NETWORK, label_smoothing=0.0),
    "no ema_decay of weights": replace(NETWORK, ema_decay=0.0),
    "crops of 10 s in place of 5 s": replace(NETWORK, crop_frames=NETWORK.clip_frames),
    "half the filters": _filters(16, 32, 32),
}
"""Settings by what is changed."""

CONTRASTED = "a supervised contrastive loss beside"
PRETRAINED = "begun with what SimCLR learned of the training tracks"
IMITATING = f"taught by {len(SEEDS)} networks of the default"

OTHER_TRAINING = (CONTRASTED, PRETRAINED, IMITATING)
"""Levers with the default's settings."""

ENSEMBLE = f"{len(SEEDS)} networks of the default"

FIGURES = ("accuracy", "log_loss")


@dataclass(frozen=True)
class AblationRow:
    """What a lever gave on the validation tracks.

    Attributes:
        changed: name in `VARIANTS` or `OTHER_TRAINING`, or `ENSEMBLE`.
        seed: of the training; -1 for the ensemble of all.
        epochs: trained for; `best_epoch` is the one that was kept.
        accuracy, log_loss: by track, of the head fitted on the network alone.
        minutes: of training, without what came before it.
    """

    changed: str
    seed: int
    epochs: int
    best_epoch: int
    accuracy: float
    log_loss: float
    minutes: float

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from others."""
        return self.changed, self.seed


def declared() -> list[tuple[str, int]]:
    """Every training, by what is changed and its seed: the default's first."""
    others = [*VARIANTS, *OTHER_TRAINING]
    return [(DEFAULT, seed) for seed in SEEDS] + [(name, 0) for name in others if name != DEFAULT]


def run_jobs(
    data: gtzan.Gtzan,
    path: Path,
    checkpoints: Path,
    *,
    device: str = "cpu",
    wanted: Sequence[tuple[str, int]] | None = None,
    on_epoch: Callable[[str, EpochReport], None] | None = None,
    on_row: Callable[[AblationRow], None] | None = None,
) -> None:
    """Train and measure what the table lacks; each row is written as it is there.

    Args:
        data: GTZAN.
        path: the table, CSV.
        checkpoints: a folder; an interrupted training goes on from its file there.
        device: ``cpu`` or ``cuda``.
        wanted: of `declared`; None: all, and the ensemble.
        on_epoch: called with what is changed and each epoch's report.
        on_row: called with each new row.

    Raises:
        DatasetError, UsageError: data or checkpoints do not fit.
        RecsysError: the table is not one of levers.
    """
    training, valid = load_split(data, "filtered", "train"), load_split(data, "filtered", "valid")

    def trained(name: str, seed: int) -> TrainingResult:
        settings = replace(VARIANTS[DEFAULT if name in OTHER_TRAINING else name], seed=seed)
        checkpoint = checkpoints / f"{_stem(name)}-seed-{seed}.pt"
        objective: Loss = cross_entropy
        initial_weights = None
        if name == CONTRASTED:
            objective = cross_entropy_with_contrast(weight=0.5, temperature=0.1)
        elif name == PRETRAINED and not checkpoint.exists():
            how = PretrainingSettings()
            initial_weights = pretrained(settings, how, training.tracks, len(gtzan.GENRES))
        elif name == IMITATING:
            teachers = [trained(DEFAULT, own).network.to(device) for own in SEEDS]
            objective = distillation(teachers, share=0.7, temperature=2.0)
        return train(
            settings,
            training.tracks,
            valid.tracks,
            len(gtzan.GENRES),
            device=device,
            checkpoint=checkpoint,
            on_epoch=None if on_epoch is None else partial(on_epoch, name),
            objective=objective,
            initial_weights=initial_weights,
        )

    def add(name: str, seed: int, runs: Sequence[TrainingResult]) -> None:
        row = _row(name, seed, runs, training, valid)
        write(path, [*read(path), row])
        if on_row is not None:
            on_row(row)

    done = {row.key for row in read(path)}
    for name, seed in declared() if wanted is None else wanted:
        if (name, seed) not in done:
            add(name, seed, [trained(name, seed)])
    if wanted is None and (ENSEMBLE, -1) not in done:
        add(ENSEMBLE, -1, [trained(DEFAULT, seed) for seed in SEEDS])


def _stem(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name).split())


def _row(
    name: str, seed: int, runs: Sequence[TrainingResult], training: SplitTracks, valid: SplitTracks
) -> AblationRow:
    model = TrainedModel(seed, tuple(runs), descriptors=False)
    known, asked = model.activations(training), model.activations(valid)
    labels = valid.tracks.labels
    head, _ = fitted_head(known, training.tracks.labels, asked, labels)
    probabilities = head.probabilities(asked.tracks)
    reports = [report for run in runs for report in run.history]
    return AblationRow(
        changed=name,
        seed=seed,
        epochs=len(reports),
        best_epoch=runs[0].best_epoch,
        accuracy=round(float((probabilities.argmax(axis=1) == labels).mean()), 4),
        log_loss=round(log_loss(probabilities, labels), 4),
        minutes=round(sum(report.seconds for report in reports) / 60, 1),
    )


@dataclass(frozen=True)
class AblationSummary:
    """A lever over its seeds: means of the figures of `AblationRow`.

    Attributes:
        seeds: how many; 1 for an ensemble.
        accuracy_sd, log_loss_sd: sample deviation over seeds; None for one.
    """

    changed: str
    seeds: int
    accuracy: float
    log_loss: float
    accuracy_sd: float | None
    log_loss_sd: float | None


def summary(rows: Sequence[AblationRow]) -> list[AblationSummary]:
    """One line for each thing changed, in the order of the table."""
    return [
        _line(name, [row for row in rows if row.changed == name])
        for name in dict.fromkeys(row.changed for row in rows)
    ]


def _line(name: str, rows: Sequence[AblationRow]) -> AblationSummary:
    def mean(figure: str) -> float:
        return round(float(np.mean([getattr(row, figure) for row in rows])), 4)

    def deviation(figure: str) -> float | None:
        values = [getattr(row, figure) for row in rows]
        return round(float(np.std(values, ddof=1)), 4) if len(values) > 1 else None

    return AblationSummary(
        name,
        len(rows),
        *(mean(figure) for figure in FIGURES),
        *(deviation(figure) for figure in FIGURES),
    )


def write(path: Path, rows: Sequence[AblationRow]) -> None:
    """Write a table, CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", newline="") as file:
        columns = [field.name for field in fields(AblationRow)]
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    temporary.replace(path)


def read(path: Path) -> list[AblationRow]:
    """Read what `write` wrote; nothing where there is no file.

    Raises:
        RecsysError: the file is not a table of levers.
    """
    if not path.exists():
        return []
    with path.open(newline="") as file:
        try:
            return [_parsed(row) for row in csv.DictReader(file)]
        except (KeyError, TypeError, ValueError) as error:
            raise RecsysError(f"{path} is not a table of levers ({error}).") from error


def _parsed(row: Mapping[str, str]) -> AblationRow:
    whole = {"seed", "epochs", "best_epoch"}
    values: dict[str, Any] = {
        field.name: (int if field.name in whole else float)(row[field.name])
        for field in fields(AblationRow)
        if field.name != "changed"
    }
    return AblationRow(changed=row["changed"], **values)

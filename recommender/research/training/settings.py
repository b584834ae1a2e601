"""Settings of a training run, and what comes out of it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from recommender.research.training.augmentation import Augmentation

if TYPE_CHECKING:
    from recommender.networks import GenreNetwork


@dataclass(frozen=True)
class TrainingSettings:
    """All that determines a run besides the data. The paper gives no optimiser and no batch size.

    Attributes:
        model: registered architecture.
        model_settings: its settings.
        seed: of everything random.
        epochs: at most; each sees `clips_per_track` clips of every track.
        patience: epochs without a better one before the run ends; 0: never.
        select_epoch_by: which epoch is the best: that of least validation `loss`, of highest
            `accuracy` (and least loss among equals), or the `last`, which needs no validation
            tracks.
        schedule: of the learning rate: `one-cycle` (up and down once over all epochs) or
            `constant`.
        label_smoothing: part of the target spread over all genres.
        ema_decay: of the exponential moving average of the weights that is evaluated and selected;
            0: the weights themselves.
        clip_frames: length of the clips for evaluation, in columns (10 s, as long as the windows of
            a track, however much of those the network will analyse).
        crop_frames: length of the random crops for training, in columns; 0: trained on the clips
            for evaluation.
        clips_per_track: clips of each track, spread evenly for evaluation.
        augmentation: None leaves the clips as they are.
        precision: of the forward and the backward pass on a CPU: `float32`, or `bfloat16` where
            PyTorch's autocast uses it. Weights and evaluation stay in float32.
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
    precision: str = "float32"


@dataclass(frozen=True)
class EpochReport:
    """Figures of one epoch.

    Attributes:
        epoch: from 1.
        train_loss, train_accuracy: by clip, of the training clips (augmented, with dropout), while
            the weights changed.
        valid_loss, valid_accuracy: by track (mean of its clips' probabilities); NaN without
            validation tracks.
        seconds: with the evaluation.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    valid_loss: float
    valid_accuracy: float
    seconds: float


@dataclass
class TrainingResult:
    """The trained network (evaluation mode, CPU), its settings and its learning curve."""

    network: "GenreNetwork"
    settings: TrainingSettings
    best_epoch: int
    history: list[EpochReport]

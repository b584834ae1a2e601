"""The experiments of the paper's results section: one declared run for each of its rows.

Rush & Datta, "A Deep Learning Comparative Study for Music Genre Classification". The paper gives
neither optimiser nor batch size: every run here takes Adam at a constant 0.001 (Keras' default) and
batches of 32, three fixed clips of 10 s a track, no augmentation. The epoch with the best
validation accuracy, the paper's own figure, is selected; a run ends when that has not improved for
`PATIENCE` epochs, and after the paper's epochs at the latest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recommender.errors import UsageError
from recommender.networks import model_names
from recommender.research.model_building.recipes import RECIPES, Recipe
from recommender.research.training.settings import TrainingSettings

PATIENCE = 10
CLIP_FRAMES = 129
"""10 s of the stored spectrograms; three of these make up a track's 387 columns."""
MAIN_SEEDS = (0, 1, 2)
"""Of the runs the paper's conclusions rest on, under the filtered split."""


@dataclass(frozen=True)
class PaperFigure:
    """Figures that the paper gives for a run; None where it gives none.

    Attributes:
        valid: validation accuracy, %.
        epochs: it trained for.
        minutes: it took, on the authors' machine.
        remark: what else it says.
    """

    valid: int | None
    epochs: int | None = None
    minutes: int | None = None
    remark: str = ""


@dataclass(frozen=True, eq=False)
class StudyRun:
    """One row of the paper's results.

    Attributes:
        name: of the row here.
        family: of the architecture, as the paper's sections call it.
        model: registered architecture.
        model_settings: its settings.
        epochs: at most.
        paper: the paper's figures.
        main: whether the paper's conclusions rest on it (then it gets `MAIN_SEEDS`).
        cpu_epochs: at most without a GPU; None: as many as with one.
        chosen: settings that the paper leaves open, besides the common ones.
    """

    name: str
    family: str
    model: str
    epochs: int
    paper: PaperFigure
    model_settings: Mapping[str, Any] = field(default_factory=dict)
    main: bool = False
    cpu_epochs: int | None = None
    chosen: str = ""

    def seeds(self, protocol: str) -> tuple[int, ...]:
        """The seeds this row is declared for."""
        return MAIN_SEEDS if self.main and protocol == "filtered" else MAIN_SEEDS[:1]

    def settings(
        self,
        seed: int,
        *,
        device: str = "cpu",
        clips_per_track: int = 3,
        full: bool = False,
        precision: str = "float32",
    ) -> TrainingSettings:
        """Training settings.

        Args:
            seed: of everything random.
            device: on ``cpu`` the epochs end at `cpu_epochs`, unless `full`.
            clips_per_track: 3 for whole tracks, 1 where the clips themselves are split.
            full: train to the end on any device.
            precision: as in `TrainingSettings`.
        """
        capped = self.cpu_epochs is not None and device == "cpu" and not full
        return TrainingSettings(
            model=self.model,
            model_settings=dict(self.model_settings),
            seed=seed,
            epochs=self.cpu_epochs if capped and self.cpu_epochs else self.epochs,
            patience=PATIENCE,
            select_epoch_by="accuracy",
            schedule="constant",
            weight_decay=0.0,
            label_smoothing=0.0,
            ema_decay=0.0,
            clip_frames=CLIP_FRAMES,
            crop_frames=0,
            clips_per_track=clips_per_track,
            augmentation=None,
            precision=precision,
        )


_NOT_IN_PAPER = "the paper gives no epochs; "

RUNS: tuple[StudyRun, ...] = (
    StudyRun(
        "lstm-10", "LSTM", "lstm", 400, PaperFigure(35), {"units": 10},
        chosen=_NOT_IN_PAPER + "as many as for 32 units",
    ),
    StudyRun("lstm-32", "LSTM", "lstm", 400, PaperFigure(67, 400, 60), {"units": 32}, main=True),
    StudyRun("lstm-128", "LSTM", "lstm", 200, PaperFigure(72, 200, 240), main=True),
    StudyRun(
        "transformer", "Transformer encoder", "transformer", 200,
        PaperFigure(50, 200, 120, "overfits after 50 epochs"), main=True,
        chosen="two layers; 10 heads of 13 dimensions",
    ),
    StudyRun(
        "conv1d-3-blocks", "1D CNN", "conv1d", 400, PaperFigure(25, 400, 30),
        {"filters": (128, 64, 32)},
    ),
    StudyRun(
        "conv1d-3-blocks-doubled", "1D CNN", "conv1d", 400, PaperFigure(35),
        {"filters": (256, 128, 64)}, chosen=_NOT_IN_PAPER + "as many as before doubling",
    ),
    StudyRun(
        "conv1d-2-blocks", "1D CNN", "conv1d", 400,
        PaperFigure(60, 400, 25, "training accuracy 90; leans to disco"), main=True,
    ),
    StudyRun(
        "conv1d-2-blocks-doubled", "1D CNN", "conv1d", 400,
        PaperFigure(None, remark="no better than undoubled"), {"filters": (256, 128)},
        chosen=_NOT_IN_PAPER + "as many as before doubling",
    ),
    StudyRun(
        "conv1d-2-blocks-regularised", "1D CNN", "conv1d", 400,
        PaperFigure(None, remark="predicts one genre only"), {"kernel_l2": 0.01},
        chosen="L2 factor 0.01, Keras' default; epochs as without",
    ),
    StudyRun(
        "conv2d", "2D CNN", "conv2d", 400, PaperFigure(65, 400, 54, "does not overfit"),
        main=True, cpu_epochs=6,
    ),
    StudyRun(
        "conv2d-doubled", "2D CNN", "conv2d", 400, PaperFigure(65, None, 94, "overfits"),
        {"filters": (256, 128, 64, 32, 16)}, cpu_epochs=3,
        chosen=_NOT_IN_PAPER + "as many as before doubling",
    ),
    StudyRun(
        "conv2d-halved", "2D CNN", "conv2d", 400, PaperFigure(55, None, 38, "falls to 45"),
        {"filters": (64, 32, 16, 8, 4)}, cpu_epochs=10,
        chosen=_NOT_IN_PAPER + "as many as before halving",
    ),
    StudyRun(
        "conv2d-encoder", "2D convolutional encoder", "conv2d-encoder", 100,
        PaperFigure(50, remark="training accuracy 99"), main=True, cpu_epochs=6,
        chosen=_NOT_IN_PAPER + "as many as for the 1D encoder; 64 and 32 filters",
    ),
    StudyRun(
        "conv1d-encoder", "1D convolutional encoder", "conv1d-encoder", 100,
        PaperFigure(70, 100, 24), main=True,
    ),
    StudyRun(
        "conv1d-encoder-doubled", "1D convolutional encoder", "conv1d-encoder", 100,
        PaperFigure(70, remark="the same as undoubled"), {"filters": (1024, 512)},
    ),
    StudyRun(
        "conv1d-encoder-halved", "1D convolutional encoder", "conv1d-encoder", 100,
        PaperFigure(70, remark="the same as unhalved"), {"filters": (256, 128)},
    ),
    StudyRun(
        "conv1d-encoder-more-blocks", "1D convolutional encoder", "conv1d-encoder", 100,
        PaperFigure(None, remark="overfits; training accuracy 100"),
        {"filters": (512, 256, 128, 64)}, chosen="four blocks, each half as wide as the one before",
    ),
    StudyRun(
        "resnet50", "ResNet", "resnet50", 10, PaperFigure(50, 10, 20, "leans to jazz"),
        main=True, cpu_epochs=4,
    ),
    StudyRun(
        "resnet101", "ResNet", "resnet101", 20,
        PaperFigure(None, 20, 60, "does not converge"), cpu_epochs=2,
    ),
    StudyRun(
        "resnet50v2", "ResNet", "resnet50v2", 10,
        PaperFigure(None, remark="the best of the three"), cpu_epochs=4,
        chosen=_NOT_IN_PAPER + "as many as for ResNet50",
    ),
)  # fmt: skip


def run_named(name: str) -> StudyRun:
    """The declared run of this name. Raises `UsageError` that lists all names."""
    for run in RUNS:
        if run.name == name:
            return run
    raise UsageError(f"no run is named {name!r}; choose one of: {', '.join(r.name for r in RUNS)}.")


def main_run(model: str) -> StudyRun | None:
    """The run that represents an architecture: its main one, or else its first; None: no run."""
    of_model = [run for run in RUNS if run.model == model]
    main = [run for run in of_model if run.main]
    if main:
        return main[-1]  # of the LSTMs, the one with most units
    return of_model[0] if of_model else None


def recipe_names() -> tuple[str, ...]:
    """What `recsys train` takes: the models for use, then the families of the study."""
    return (*RECIPES, *model_names())


def find_recipe(name: str) -> Recipe:
    """The recipe of a model for use, or of a family: one network, as in the study.

    Raises:
        UsageError: no recipe has this name; the message lists all names.
    """
    if name in RECIPES:
        return RECIPES[name]
    run = main_run(name)
    if run is None:
        raise UsageError(
            f"no recipe is named {name!r}; choose one of: {', '.join(recipe_names())}."
        )
    return Recipe((run.settings(0, full=True),), descriptors=False)

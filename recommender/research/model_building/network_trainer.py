"""Training of a recipe's networks, on all genres or on a fold of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from recommender.research.model_building.leave_genres_out import FoldModel, GenreFold
from recommender.research.model_building.recipes import Recipe
from recommender.research.model_building.split_tracks import SplitTracks
from recommender.research.model_building.trained_model import TrainedModel
from recommender.research.training.loop import train
from recommender.research.training.settings import EpochReport

OnEpoch = Callable[[str, int, EpochReport], None]
"""Called with what is trained (``seed 0``), the number of the network (from 0) and each report."""


@dataclass(frozen=True, eq=False)
class NetworkTrainer:
    """What all trainings of one model have in common.

    Attributes:
        recipe: how the networks are trained.
        device: ``cpu`` or ``cuda``.
        checkpoints: folder of one file a network.
        on_epoch: called after each epoch; may be None.
    """

    recipe: Recipe
    device: str
    checkpoints: Path
    on_epoch: OnEpoch | None

    def train(
        self,
        seed: int,
        training: SplitTracks,
        valid: SplitTracks | None,
        fold: GenreFold | None = None,
    ) -> TrainedModel:
        """The networks of one seed, each with a checkpoint of its own.

        Args:
            seed: of the model.
            training, valid: as for `training.loop.train`.
            fold: where they are of one.
        """
        what, stem, genres = f"seed {seed}", f"seed-{seed}", len(training.data.genres)
        if fold is not None:
            what, genres = f"{what} without {', '.join(fold.held_out)}", fold.genres
            stem = "-".join([stem, "without", *fold.held_out])
        runs = []
        for number, settings in enumerate(self.recipe.seeded(seed)):
            suffix = f"-network-{number}" if number else ""
            on_epoch = None if self.on_epoch is None else partial(self.on_epoch, what, number)
            run = train(
                settings,
                training.tracks,
                None if valid is None else valid.tracks,
                genres,
                device=self.device,
                checkpoint=self.checkpoints / f"{stem}{suffix}.pt",
                on_epoch=on_epoch,
            )
            runs.append(run)
        return TrainedModel(seed, tuple(runs), self.recipe.descriptors, self.recipe.network_frames)

    def train_folds(self, seed: int, folds: Sequence[GenreFold]) -> list[FoldModel]:
        """The same on each fold of genres."""
        return [
            FoldModel(fold, self.train(seed, fold.training, fold.valid, fold)) for fold in folds
        ]

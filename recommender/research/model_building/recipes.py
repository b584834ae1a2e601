"""Recipes: what the models for use consist of and how their networks are trained."""

from dataclasses import dataclass, replace

from recommender.embedding.model_files import DEFAULT_MODEL
from recommender.errors import UsageError
from recommender.research.training.augmentation import Augmentation
from recommender.research.training.settings import TrainingSettings

FAST_MODEL = "fast"

NETWORK = TrainingSettings(
    model="conv2d-encoder",
    model_settings={"filters": [32, 64, 64], "pooling": [[2, 2], [2, 2], [1, 1]]},
    epochs=30,
    augmentation=Augmentation(low_pass=0.5),
)
"""The network of the default model: 61,450 weights. `model_building.ablation` changes its settings
one at a time."""

NETWORK_FRAMES = NETWORK.crop_frames
"""Columns of the centre crop of each ten-second window that the network analyses: as long as its
training crops, which takes half the time of analysing all ten seconds."""


@dataclass(frozen=True)
class Recipe:
    """What a model consists of.

    Attributes:
        networks: training settings of each; may be empty.
        descriptors: whether handcrafted descriptors follow their activations.
        leave_genres_out: whether the choice of the projection also considers held-out genres, for
            which the networks are trained four times more (`leave_genres_out`).
        network_frames: columns of the centre crop of each clip that trained networks analyse; 0:
            all.
        projection: the name of the candidate that becomes the model's projection; None: the best
            on the validation tracks (`projection_choice.best_projection`).

    Raises:
        UsageError: there are neither networks nor descriptors.
    """

    networks: tuple[TrainingSettings, ...]
    descriptors: bool
    leave_genres_out: bool = False
    network_frames: int = 0
    projection: str | None = None

    def __post_init__(self) -> None:
        """Refuse a model without activations."""
        if not self.networks and not self.descriptors:
            raise UsageError("a model needs a network or descriptors.")

    def seeded(self, seed: int) -> tuple[TrainingSettings, ...]:
        """The settings of each network's run, no two with one seed."""
        return tuple(
            replace(settings, seed=len(self.networks) * seed + number)
            for number, settings in enumerate(self.networks)
        )

    def with_epochs(self, epochs: int) -> "Recipe":
        """The same with every network trained for at most so many epochs."""
        networks = tuple(replace(network, epochs=epochs) for network in self.networks)
        return replace(self, networks=networks)


JOINT_PROJECTION = "network and descriptor WCCN 0.85 + network and descriptor LDA 0.15, NCA"
DESCRIPTOR_PROJECTION = "descriptor WCCN 0.85 + descriptor LDA 0.15, NCA"

RECIPES: dict[str, Recipe] = {
    DEFAULT_MODEL: Recipe(
        (NETWORK,),
        descriptors=True,
        leave_genres_out=True,
        network_frames=NETWORK_FRAMES,
        projection=JOINT_PROJECTION,
    ),
    FAST_MODEL: Recipe(
        (), descriptors=True, leave_genres_out=True, projection=DESCRIPTOR_PROJECTION
    ),
}
"""The models for use. The default has a network trained with augmentation, and descriptors;
``fast`` has descriptors alone. The paper's families are in `reproduction.experiments`."""

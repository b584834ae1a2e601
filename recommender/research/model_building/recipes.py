"""What the models that can be trained consist of."""

from dataclasses import dataclass, replace

from recommender.embedding.model_files import DEFAULT_MODEL
from recommender.errors import UsageError
from recommender.networks import model_names
from recommender.research.reproduction.experiments import main_run
from recommender.research.training.augmentation import Augmentation
from recommender.research.training.loop import TrainingSettings

FAST_MODEL = "fast"
BEST_MODEL = "best"

ENSEMBLE = 5
"""Networks of the best model."""

NETWORK = TrainingSettings(
    model="conv2d-encoder",
    model_settings={"filters": [32, 64, 64], "pooling": [[2, 2], [2, 2], [1, 1]]},
    epochs=30,
    augmentation=Augmentation(low_pass=0.5),
)
"""The network of the default model: 61,450 weights. `study.levers` has what else was tried."""

NETWORK_FRAMES = NETWORK.crop_frames
"""Of each window of ten seconds it analyses the middle five, as long as what it learned from. That
takes half the time; in cross-validation (`experiments/heads.py`) the log loss is .824 where all ten
are analysed .814, on the validation tracks .860 for .858."""


@dataclass(frozen=True)
class Recipe:
    """What a model consists of.

    Attributes:
        networks: how each is trained; may be empty.
        descriptors: whether handcrafted descriptors are beside them.
        leave_genres_out: whether the choice of the projection also looks at genres that were not taught,
            for which the networks are trained four times more (`guard`).
        network_frames: columns in the middle of each clip that the networks analyse once they are
            trained; 0: all.
    """

    networks: tuple[TrainingSettings, ...]
    descriptors: bool
    leave_genres_out: bool = False
    network_frames: int = 0

    def __post_init__(self) -> None:
        """Refuse a model that analyses nothing."""
        if not self.networks and not self.descriptors:
            raise UsageError("a model needs a network or descriptors to analyse with.")

    def seeded(self, seed: int) -> tuple[TrainingSettings, ...]:
        """The settings of each network's run, no two with one seed."""
        return tuple(
            replace(settings, seed=len(self.networks) * seed + place)
            for place, settings in enumerate(self.networks)
        )


def recipe_names() -> tuple[str, ...]:
    """What `recsys train` can make: the models for use, then the families of the study."""
    return (DEFAULT_MODEL, FAST_MODEL, BEST_MODEL, *model_names())


def recipe(name: str) -> Recipe:
    """How a model is made.

    The default has a network trained with augmentation, and descriptors beside it; ``fast`` has
    descriptors alone; ``best`` has several of the default's networks, trained with different seeds;
    a family is one network, as in the study.

    Raises:
        UsageError: no recipe has this name; the message lists those there are.
    """
    if name == DEFAULT_MODEL:
        return Recipe((NETWORK,), descriptors=True, leave_genres_out=True, network_frames=NETWORK_FRAMES)
    if name == FAST_MODEL:
        return Recipe((), descriptors=True, leave_genres_out=True)
    if name == BEST_MODEL:
        networks = ENSEMBLE * (NETWORK,)
        return Recipe(networks, descriptors=True, leave_genres_out=True, network_frames=NETWORK_FRAMES)
    run = main_run(name)
    if run is None:
        raise UsageError(f"no recipe is named {name!r}; there are: {', '.join(recipe_names())}.")
    return Recipe((run.settings(0, full=True),), descriptors=False)

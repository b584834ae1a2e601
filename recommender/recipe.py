"""What the models that can be trained consist of."""

from dataclasses import dataclass, replace

from recommender.errors import UsageError
from recommender.models import model_names
from recommender.study.runs import main_run
from recommender.training import TrainingSettings
from recommender.weights import DEFAULT_MODEL

FAST_MODEL = "fast"


@dataclass(frozen=True)
class Recipe:
    """What a model consists of.

    Attributes:
        networks: how each is trained; may be empty.
        descriptors: whether handcrafted descriptors are beside them.
        guarded: whether the choice of the projection also looks at genres that were not taught,
            for which the networks are trained four times more (`guard`).
    """

    networks: tuple[TrainingSettings, ...]
    descriptors: bool
    guarded: bool = False

    def __post_init__(self) -> None:
        """Refuse a model that hears nothing."""
        if not self.networks and not self.descriptors:
            raise UsageError("a model needs a network or descriptors to hear with.")

    def seeded(self, seed: int) -> tuple[TrainingSettings, ...]:
        """The settings of each network's run, no two with one seed."""
        return tuple(
            replace(settings, seed=1000 * place + seed)
            for place, settings in enumerate(self.networks)
        )


def recipe_names() -> tuple[str, ...]:
    """What `recsys train` can make: the default model, the one without a network, the families."""
    return (DEFAULT_MODEL, FAST_MODEL, *model_names())


def recipe(name: str) -> Recipe:
    """How a model is made.

    The default has a network trained with augmentation; ``fast`` has descriptors alone; a family
    is one network, as in the study.

    Raises:
        UsageError: no recipe has this name; the message lists those there are.
    """
    if name == DEFAULT_MODEL:
        return Recipe((TrainingSettings(),), descriptors=False)
    if name == FAST_MODEL:
        return Recipe((), descriptors=True, guarded=True)
    run = main_run(name)
    if run is None:
        raise UsageError(f"no recipe is named {name!r}; there are: {', '.join(recipe_names())}.")
    return Recipe((run.settings(0, full=True),), descriptors=False)

"""A toy GTZAN under a small split, and models built from it once for all tests."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from toy_building import BOTH, LEAVE_GENRES_OUT, NETWORK, SEEDS
from toy_gtzan import toy_gtzan, toy_split

from recommender.embedding.model_files import ModelFiles
from recommender.research.datasets import gtzan
from recommender.research.model_building.build import build_model
from recommender.research.model_building.recipes import Recipe

Split = dict[str, tuple[str, ...]]


@pytest.fixture(scope="session")
def split() -> Split:
    return toy_split()


@pytest.fixture(scope="session")
def data(split: Split) -> gtzan.Gtzan:
    return toy_gtzan(split)


@contextmanager
def _patched(split: Split) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gtzan, "split_ids", lambda protocol, name: split[name])
        yield


@pytest.fixture
def small_split(split: Split) -> Iterator[None]:
    """The committed splits are those few tracks."""
    with _patched(split):
        yield


@pytest.fixture(scope="session")
def build(data, split, tmp_path_factory) -> Callable[[str, Recipe, Sequence[int]], ModelFiles]:
    """Builds a model in a folder of its own."""

    def built(name: str, recipe: Recipe, seeds: Sequence[int]) -> ModelFiles:
        folder = tmp_path_factory.mktemp(name)
        with _patched(split):
            build_model(name, recipe, data, folder, seeds, command=f"recsys train {name}")
        return ModelFiles(folder)

    return built


@pytest.fixture(scope="session")
def both(build) -> ModelFiles:
    """A network and descriptors, two seeds."""
    return build("toy", BOTH, SEEDS)


@pytest.fixture(scope="session")
def network_alone(build) -> ModelFiles:
    return build("net", NETWORK, SEEDS)


@pytest.fixture(scope="session")
def genres_left_out(build) -> ModelFiles:
    """A network whose projection was chosen with leave-genres-out validation, one seed."""
    return build("left-out", LEAVE_GENRES_OUT, SEEDS[:1])

"""Recipes of the models that can be trained."""

import pytest

from recommender.errors import UsageError
from recommender.networks import model_names
from recommender.research.model_building.projection_search import (
    COMBINED_CANDIDATES,
    DESCRIPTOR_CANDIDATES,
)
from recommender.research.model_building.recipes import Recipe
from recommender.research.reproduction.experiments import find_recipe, main_run
from recommender.research.training.settings import TrainingSettings


def test_default_is_augmented_and_families_are_as_the_study_has_them() -> None:
    default = find_recipe("default")
    assert default.descriptors
    assert default.leave_genres_out
    assert [network.augmentation is None for network in default.networks] == [False]
    assert [network.crop_frames for network in default.networks] == [default.network_frames]
    for name in model_names():
        assert find_recipe(name) == Recipe((main_run(name).settings(0, full=True),), False)
        assert find_recipe(name).networks[0].model == name
    assert find_recipe("resnet50").networks[0].epochs == 10


def test_fast_has_no_network() -> None:
    fast = find_recipe("fast")
    assert (fast.networks, fast.descriptors, fast.leave_genres_out) == ((), True, True)


def test_the_projections_of_recipes_are_candidates() -> None:
    default, fast = find_recipe("default").projection, find_recipe("fast").projection
    assert default in {candidate.name for candidate in COMBINED_CANDIDATES}
    assert fast in {candidate.name for candidate in DESCRIPTOR_CANDIDATES}


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(UsageError, match=r"default, fast, conv1d, .*transformer"):
        find_recipe("perceptron")


def test_a_model_without_networks_and_descriptors_is_refused() -> None:
    with pytest.raises(UsageError, match="network or descriptors"):
        Recipe((), descriptors=False)


def test_no_two_runs_have_one_seed() -> None:
    pair = Recipe((TrainingSettings(), TrainingSettings()), descriptors=False)
    seeds = [network.seed for seed in range(20) for network in pair.seeded(seed)]
    assert len(set(seeds)) == 40
    assert [network.seed for network in find_recipe("default").seeded(7)] == [7]

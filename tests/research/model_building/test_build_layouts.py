"""Models of every family and layout, on a toy GTZAN."""

import csv
import dataclasses

import numpy as np
import pytest
from toy_building import SEEDS, TINY, by_hand, track_set

from recommender.embedding.model_files import ModelFiles
from recommender.research.model_building.build import build_model
from recommender.research.model_building.recipes import RECIPES, Recipe
from recommender.research.reproduction.experiments import main_run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_split")]


@pytest.mark.parametrize("model", ["lstm", "transformer", "conv1d", "conv2d", "conv2d-encoder"])
def test_any_family_becomes_a_model(model: str, data, tmp_path) -> None:
    slight = {"lstm": {"units": 4}, "transformer": {"units": 8, "layers": 1, "heads": 3}}
    settings = dataclasses.replace(
        main_run(model).settings(0),
        epochs=1,
        clip_frames=40,
        model_settings=slight.get(model, {"filters": (3, 2)}),
    )
    card = build_model(model, Recipe((settings,), descriptors=False), data, tmp_path, (0,))
    (network,) = ModelFiles(tmp_path).networks()
    assert card.networks[0]["architecture"] == card.name == model
    assert len(ModelFiles(tmp_path).projection().mean) == network.feature_dim
    if model != "lstm":  # of so few units, one may hardly move
        assert card.results["test_precision"]["mean"] > 0


class TestOtherLayouts:
    def test_name_and_architecture_are_separate(self, both) -> None:
        assert (both.card.name, both.card.architecture_summary) == (
            "toy",
            "conv1d-encoder + descriptors",
        )

    def test_several_networks(self, data, split, tmp_path) -> None:
        pair = Recipe((TINY, dataclasses.replace(TINY, epochs=3)), descriptors=False)
        card = build_model("pair", pair, data, tmp_path, SEEDS[:1])
        one, other = ModelFiles(tmp_path).networks()
        assert not np.array_equal(one.classifier.weight.detach(), other.classifier.weight.detach())
        assert [ran["seed"] for ran in card.training["networks"]] == [10, 11]
        assert [ran["epochs_run"] for ran in card.training["networks"]] == [2, 3]
        activations, _ = by_hand(ModelFiles(tmp_path), track_set(data, split["test"]))
        assert activations.shape[1] == 24
        right = ModelFiles(tmp_path).head().probabilities(activations).argmax(axis=1)
        accuracy = (right == track_set(data, split["test"]).labels).mean()
        assert card.results["test_track"]["mean"] == pytest.approx(accuracy, abs=1e-4)

    def test_no_network(self, data, split, tmp_path) -> None:
        card = build_model("none", RECIPES["fast"], data, tmp_path, (0,))
        assert ModelFiles(tmp_path).networks() == []
        assert card.training["networks"] == []
        assert not (tmp_path / "checkpoints").exists()
        assert not [name for name in card.results if name.startswith("network")]
        activations, _ = by_hand(ModelFiles(tmp_path), track_set(data, split["test"]))
        right = ModelFiles(tmp_path).head().probabilities(activations).argmax(axis=1)
        accuracy = (right == track_set(data, split["test"]).labels).mean()
        assert card.results["test_track"]["mean"] == pytest.approx(accuracy, abs=1e-4)
        with (tmp_path / "results.csv").open(newline="", encoding="utf-8") as file:
            (row,) = csv.DictReader(file)
        assert (row["model"], row["network_test_track"], row["epochs"]) == ("descriptors", "", "0")

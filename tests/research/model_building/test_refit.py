"""Refits on more tracks, on a toy GTZAN."""

import dataclasses

import numpy as np
import pytest
from toy_building import BOTH, SEEDS, TINY, by_hand, track_set

from recommender.embedding.model_files import ModelFiles
from recommender.errors import UsageError
from recommender.research.datasets import gtzan
from recommender.research.model_building.refit import refit_model
from recommender.research.reproduction.experiments import find_recipe
from recommender.research.training.loop import train

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_split")]


class TestRefit:
    def test_trained_on_train_and_valid_and_evaluated_on_test(
        self, both, data, split, tmp_path
    ) -> None:
        card = refit_model(both.card, BOTH, data, tmp_path, SEEDS, "train+valid")
        assert card.data["trained_on"] == "train and valid"
        assert card.results["projection"] == both.card.results["projection"]
        assert "valid_track" not in card.results
        assert card.results["held_out"] == both.card.results
        assert card.measured is card.results  # it has figures of its own
        assert card.similarity_calibration == both.card.similarity_calibration
        files = ModelFiles(tmp_path)
        tracks = track_set(data, split["test"])
        activations, _ = by_hand(files, tracks)
        right = files.head().probabilities(activations).argmax(axis=1) == tracks.labels
        reported = card.results["test_track"]["of_published_seed"]
        assert reported == pytest.approx(right.mean(), abs=1e-4)

    def test_networks_are_trained_on_both_splits_to_the_last_epoch(
        self, both, data, split, tmp_path
    ) -> None:
        refit_model(both.card, BOTH, data, tmp_path, SEEDS[:1], "train+valid")
        settings = dataclasses.replace(TINY, seed=SEEDS[0], select_epoch_by="last")
        tracks = track_set(data, (*split["train"], *split["valid"]))
        plain = train(settings, tracks, None, len(gtzan.GENRES))
        assert plain.best_epoch == TINY.epochs
        (network,) = ModelFiles(tmp_path).networks()
        for name, values in network.state_dict().items():
            np.testing.assert_array_equal(values, plain.network.state_dict()[name])

    def test_trained_on_everything_there_are_no_figures(self, both, data, tmp_path) -> None:
        ablation = [{"variant": "no mixup", "accuracy": 0.5}]
        card = refit_model(both.card, BOTH, data, tmp_path, SEEDS[:1], "all", ablation=ablation)
        assert card.results["ablation_on_valid"] == ablation
        assert card.data["tested_on"].startswith("nothing")
        assert not [
            name
            for name in card.results
            if name.startswith(("test", "valid", "held_out_genres", "reranked"))
        ]
        assert not card.has_test_results
        assert card.measured == both.card.results
        assert not (tmp_path / "results.csv").exists()
        assert len(ModelFiles(tmp_path).networks()) == 1

    def test_settings_of_another_recipe_are_refused(self, both, data, tmp_path) -> None:
        with pytest.raises(UsageError, match="another recipe"):
            refit_model(both.card, find_recipe("lstm"), data, tmp_path, SEEDS[:1], "all")
        for changed in ({"network_frames": 0}, {"descriptors": False}):
            other = dataclasses.replace(both.card, **changed)
            with pytest.raises(UsageError, match="another recipe"):
                refit_model(other, BOTH, data, tmp_path, SEEDS[:1], "all")
        empty = dataclasses.replace(both.card, results={})
        with pytest.raises(UsageError, match="lacks the hyper-parameters"):
            refit_model(empty, BOTH, data, tmp_path, SEEDS[:1], "all")

"""Leave-genres-out validation within a build, on a toy GTZAN."""

import dataclasses

import numpy as np
import pytest
import torch
from toy_building import LEAVE_GENRES_OUT, SEEDS, TINY, track_set

from recommender.embedding.model_files import ModelFiles
from recommender.evaluation.report import evaluate_retrieval
from recommender.research.datasets import gtzan
from recommender.research.model_building.activations import ActivationLayout, Activations
from recommender.research.model_building.build import build_model
from recommender.research.model_building.leave_genres_out import (
    FOLDS,
    FoldModel,
    Gallery,
    GenreFold,
    evaluate_held_out_genres,
    genre_folds,
)
from recommender.research.model_building.projection_search import fit_candidates
from recommender.research.model_building.split_tracks import load_split
from recommender.research.model_building.trained_model import TrainedModel
from recommender.research.training.inference import TrackSet, clip_activations
from recommender.research.training.loop import train

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_split")]


class TestLeaveGenresOut:
    def test_networks_are_trained_without_each_fold(self, genres_left_out) -> None:
        names = {f"seed-5-without-{'-'.join(fold)}.pt" for fold in FOLDS}
        checkpoints = genres_left_out.folder / "checkpoints"
        assert {path.name for path in checkpoints.iterdir()} == names | {"seed-5.pt"}
        for name in names:
            state = torch.load(checkpoints / name, weights_only=True)
            assert len(state["best_weights"]["classifier.bias"]) == 7

    def test_of_fewer_seeds(self, genres_left_out, data, tmp_path) -> None:
        card = build_model("toy", LEAVE_GENRES_OUT, data, tmp_path, SEEDS, held_out_seeds=1)
        names = {path.name for path in (tmp_path / "checkpoints").iterdir()}
        assert {name for name in names if name.startswith("seed-3")} == {"seed-3.pt"}
        figure = card.results["held_out_genres_test"]
        assert figure["sd"] is None
        expected = genres_left_out.card.results["held_out_genres_test"]["of_published_seed"]
        if card.results["projection"] == genres_left_out.card.results["projection"]:
            assert figure["mean"] == expected

    def test_both_precisions_choose(self, genres_left_out) -> None:
        results = genres_left_out.card.results
        valid = results["valid_precision_of_projections"]
        held_out = results["held_out_genres_valid_precision_of_projections"]
        sums = {name: valid[name] + held_out[name] for name in valid}
        assert sums[results["projection"]] == pytest.approx(max(sums.values()), abs=2e-4)
        reported = results["held_out_genres_valid"]["mean"]
        assert reported == pytest.approx(held_out[results["projection"]], abs=1e-4)
        assert 0 < results["held_out_genres_test"]["mean"] < 1

    def test_a_fold_by_hand(self, genres_left_out, data, split) -> None:
        """Networks are trained on seven genres; queries are of three, among ten."""
        results, held_out = genres_left_out.card.results, FOLDS[2]
        splits = [
            track_set(data, tuple(i for i in split[name] if gtzan.genre_of(i) not in held_out))
            for name in ("train", "valid")
        ]
        splits = [TrackSet(s.decibels, np.unique(s.labels, return_inverse=True)[1]) for s in splits]
        settings = dataclasses.replace(LEAVE_GENRES_OUT.networks[0], seed=SEEDS[0])
        network = train(settings, *splits, 7).network
        layout = ActivationLayout.of([network.feature_dim], False)
        clips = clip_activations(network, splits[0], TINY.clip_frames)
        train_activations = Activations(clips.mean(axis=1), clips, layout)
        projection = fit_candidates(train_activations, splits[0].labels)[results["projection"]]
        ids = (*split["valid"], *split["test"])
        analysed = clip_activations(network, track_set(data, ids), TINY.clip_frames).mean(axis=1)
        genres = [gtzan.genre_of(i) for i in ids]
        report = evaluate_retrieval(
            projection.apply(analysed),
            genres,
            [gtzan.artists()[i] for i in ids],
            k=10,
            queries=np.isin(genres, held_out),
            bootstrap=0,
        )
        assert report.with_filter is not None
        fold_models = [
            FoldModel(fold, self.model(genres_left_out, fold)) for fold in self.folds(data)
        ]
        gallery = Gallery.of(data, "valid+test")
        found = evaluate_held_out_genres(fold_models, [results["projection"]], gallery)
        precision = found[results["projection"]].cosine
        assert precision.folds[2] == pytest.approx(report.with_filter.overall.precision.value)
        assert results["held_out_genres_test"]["mean"] == pytest.approx(precision.mean, abs=1e-4)

    def folds(self, data: gtzan.Gtzan) -> list[GenreFold]:
        return genre_folds(
            load_split(data, "filtered", "train"), load_split(data, "filtered", "valid")
        )

    def model(self, genres_left_out: ModelFiles, fold: GenreFold) -> TrainedModel:
        """From its checkpoint."""
        settings = dataclasses.replace(LEAVE_GENRES_OUT.networks[0], seed=SEEDS[0])
        name = "-".join(["seed-5-without", *fold.held_out])
        result = train(
            settings,
            fold.training.tracks,
            fold.valid.tracks,
            fold.genres,
            checkpoint=genres_left_out.folder / "checkpoints" / f"{name}.pt",
        )
        return TrainedModel(SEEDS[0], (result,), descriptors=False)

    def test_only_for_the_filtered_split(self, data, tmp_path) -> None:
        card = build_model(
            "plain", LEAVE_GENRES_OUT, data, tmp_path, SEEDS[:1], protocol="stratified"
        )
        assert "held_out_genres_valid" not in card.results
        assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["seed-5.pt"]

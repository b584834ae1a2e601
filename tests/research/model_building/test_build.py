"""From GTZAN to a folder of weights, on a toy GTZAN of a few tracks."""

import csv
import dataclasses
import itertools

import numpy as np
import pytest
from toy_building import BOTH, CROP, FILES, NETWORK, SEEDS, TINY, by_hand, contents, track_set

from recommender.embedding import duplicates
from recommender.embedding.duplicates import cosine
from recommender.embedding.model_files import ModelFiles
from recommender.errors import DatasetError, UsageError
from recommender.evaluation.metrics import DEFAULT_K
from recommender.evaluation.report import evaluate_retrieval
from recommender.features.descriptors import DIMENSION, describe
from recommender.research.datasets import gtzan
from recommender.research.model_building.build import build_model
from recommender.research.model_building.recipes import Recipe
from recommender.research.training.inference import (
    TrackSet,
    clip_activations,
    clip_probabilities,
    clip_starts,
)
from recommender.research.training.loop import train

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_split")]


class TestFolder:
    def test_folder_is_a_model(self, both, data) -> None:
        assert both.card.labels == gtzan.GENRES
        described = {"architecture": "conv1d-encoder", "model_settings": {"filters": [8, 6]}}
        assert both.card.networks == (described,)
        assert both.card.descriptors
        assert both.card.results["command"] == "recsys train toy"
        (ran,) = both.card.training["networks"]
        assert ran["epochs_run"] == TINY.epochs
        (network,), head, projection = both.networks(), both.head(), both.projection()
        assert network.feature_dim == 12
        assert len(head.weight) == len(projection.mean) == 12 + DIMENSION

    def test_results_have_a_row_for_each_seed_and_the_card_sums_them_up(self, both) -> None:
        with (both.folder / "results.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [int(row["seed"]) for row in rows] == list(SEEDS) == both.card.results["seeds"]
        for name in ("valid_track", "test_clip", "disjoint_track", "test_precision"):
            values = [float(row[name]) for row in rows]
            reported = both.card.results[name]
            assert reported["of_published_seed"] == values[0]
            assert reported["mean"] == pytest.approx(np.mean(values), abs=1e-4)
            assert reported["sd"] == pytest.approx(np.std(values, ddof=1), abs=1e-4)

    def test_learning_curves_have_a_line_for_each_epoch(self, both, data, split) -> None:
        with (both.folder / "curves.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [(int(row["seed"]), int(row["epoch"])) for row in rows] == [
            (seed, epoch) for seed in SEEDS for epoch in (1, 2)
        ]
        settings = dataclasses.replace(TINY, seed=SEEDS[0])
        sides = (track_set(data, split["train"]), track_set(data, split["valid"]))
        report = train(settings, *sides, len(gtzan.GENRES)).history[1]
        assert float(rows[1]["valid_loss"]) == report.valid_loss
        assert float(rows[1]["train_accuracy"]) == report.train_accuracy

    def test_published_seed_is_the_first_whatever_it_reaches(self, both, data, split) -> None:
        assert both.card.results["published_seed"] == both.card.training["seed"] == SEEDS[0]
        training, valid = track_set(data, split["train"]), track_set(data, split["valid"])
        settings = dataclasses.replace(TINY, seed=SEEDS[0])
        plain = train(settings, training, valid, len(gtzan.GENRES)).network
        (network,) = both.networks()
        for name, values in network.state_dict().items():
            np.testing.assert_array_equal(values, plain.state_dict()[name])
        test = track_set(data, split["test"])
        analysed = clip_activations(plain, test, TINY.clip_frames, network_frames=CROP)
        found = clip_probabilities(plain, analysed).mean(axis=1).argmax(axis=1)
        reported = both.card.results["network_test_track"]["of_published_seed"]
        assert reported == pytest.approx((found == test.labels).mean(), abs=1e-4)

    def test_networks_analyse_the_centre_crop_of_each_clip(self, both, data, split) -> None:
        assert both.card.network_frames == CROP
        (network,), tracks = both.networks(), track_set(data, split["test"])
        analysed = clip_activations(network, tracks, TINY.clip_frames, network_frames=CROP)
        for number, start in enumerate(clip_starts(gtzan.COLUMNS, TINY.clip_frames, 3)):
            first = start + (TINY.clip_frames - CROP) // 2
            crops = TrackSet(tracks.decibels[:, :, first : first + CROP], tracks.labels)
            alone = clip_activations(network, crops, CROP, clips=1)
            np.testing.assert_allclose(analysed[:, number], alone[:, 0], atol=1e-5)

    def test_the_duplicate_threshold_lies_above_the_nearest_two_training_tracks(
        self, both, network_alone, data, split, tmp_path, monkeypatch
    ) -> None:
        assert both.card.duplicate_threshold == 0.9  # the toy world's are far from each other
        assert network_alone.card.duplicate_threshold is None
        monkeypatch.setattr(duplicates, "_LEAST", 0.0)
        card = build_model("toy", Recipe((), descriptors=True), data, tmp_path, (0,))
        projection = ModelFiles(tmp_path).projection()
        described = np.stack(
            [describe(track) for track in track_set(data, split["train"]).decibels]
        )
        views = (described - projection.mean) @ projection.matrix
        nearest = max(cosine(a, b) for a, b in itertools.combinations(views, 2))
        assert 0 < nearest < 0.9
        assert card.duplicate_threshold == pytest.approx(nearest + 0.1 * (1 - nearest), abs=1e-4)

    def test_card_equals_what_the_written_weights_give(self, both, data, split) -> None:
        head, projection = both.head(), both.projection()
        artists = gtzan.artists()
        figures = {}
        for name in ("valid", "test"):
            ids, tracks = split[name], track_set(data, split[name])
            activations, clips = by_hand(both, tracks)
            right_clips = np.stack(
                [
                    head.probabilities(c).argmax(axis=1) == tracks.labels
                    for c in clips.swapaxes(0, 1)
                ]
            )
            right = head.probabilities(activations).argmax(axis=1) == tracks.labels
            figures |= {f"{name}_track": right.mean(), f"{name}_clip": right_clips.mean()}
            if name == "test":
                others = {artists[i] for i in (*split["train"], *split["valid"])} - {""}
                kept = np.array([artists[i] not in others for i in ids])
                assert 0 < kept.sum() < len(kept)
                figures |= {"disjoint_track": right[kept].mean()}
                figures |= {"disjoint_clip": right_clips[:, kept].mean()}
            report = evaluate_retrieval(
                projection.apply(activations),
                [track_id.partition(".")[0] for track_id in ids],
                [artists[track_id] for track_id in ids],
                k=DEFAULT_K,
                bootstrap=0,
            )
            assert report.with_filter is not None
            figures[f"{name}_precision"] = report.with_filter.overall.precision.value
        reported = {name: both.card.results[name]["of_published_seed"] for name in figures}
        assert reported == pytest.approx(figures, abs=1e-4)
        assert len(set(figures.values())) > 3  # the toy world separates the figures

    def test_projection_is_the_best_on_valid(self, both) -> None:
        results = both.card.results
        precisions = results["valid_precision_of_projections"]
        assert precisions[results["projection"]] == max(precisions.values())
        assert results["valid_precision"]["mean"] == pytest.approx(
            precisions[results["projection"]], abs=1e-4
        )


class TestHeldOutTest:
    def test_the_test_split_chooses_nothing(self, both, data, split, tmp_path) -> None:
        spoilt = data.log_mel.copy()
        rows = data.select(split["test"])
        spoilt[rows] = np.random.default_rng(1).integers(0, 256, spoilt[rows].shape)
        other = dataclasses.replace(data, log_mel=spoilt)
        card = build_model("toy", BOTH, other, tmp_path, SEEDS)
        assert contents(tmp_path, *FILES) == contents(both.folder, *FILES)
        mine, theirs = card.results, both.card.results
        for name in ("projection", "valid_precision_of_projections", "valid_track", "valid_clip"):
            assert mine[name] == theirs[name]
        assert mine["test_track"] != theirs["test_track"]


class TestRefusals:
    def test_no_seed(self, data, tmp_path) -> None:
        with pytest.raises(UsageError, match="seed"):
            build_model("toy", NETWORK, data, tmp_path, ())

    def test_incomplete_data(self, data, split, tmp_path) -> None:
        kept = [i for i, name in enumerate(data.track_ids) if name != split["valid"][0]]
        partial = gtzan.Gtzan(
            tuple(data.track_ids[i] for i in kept),
            data.labels[kept],
            data.log_mel[kept],
            data.range_db[kept],
        )
        with pytest.raises(DatasetError, match=split["valid"][0]):
            build_model("toy", NETWORK, partial, tmp_path, SEEDS)
        assert not list(tmp_path.iterdir())

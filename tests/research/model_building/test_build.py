"""The whole way from GTZAN to a folder of weights, on a toy GTZAN of a few tracks."""

import csv
import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_gtzan import toy_gtzan, toy_split

from recommender.embedding import duplicates
from recommender.embedding.duplicates import cosine
from recommender.embedding.model_files import CARD, HEAD, PROJECTION, WEIGHTS, ModelFiles
from recommender.errors import DatasetError, UsageError
from recommender.evaluation.report import evaluate_retrieval
from recommender.features.descriptors import DIMENSION, describe
from recommender.research.datasets import gtzan
from recommender.research.model_building.activations import Activations, ActivationLayout
from recommender.research.model_building.build import build_model
from recommender.research.model_building.guard import (
    Gallery,
    GenreFold,
    FoldModel,
    genre_folds,
    evaluate_held_out_genres,
)
from recommender.research.model_building.leave_genres_out import FOLDS
from recommender.research.model_building.projection_search import fit_candidates
from recommender.research.model_building.recipes import Recipe, recipe
from recommender.research.model_building.refit import refit_model
from recommender.research.model_building.results import (
    NEIGHBOURS,
    TrainedModel,
    load_split,
    load_tracks,
)
from recommender.research.reproduction.experiments import main_run
from recommender.research.training.augmentation import Augmentation
from recommender.research.training.inference import (
    TrackSet,
    clip_activations,
    clip_probabilities,
    clip_starts,
)
from recommender.research.training.loop import TrainingSettings, train

SEEDS = (5, 3)
TINY = TrainingSettings(
    model_settings={"filters": (8, 6)},
    epochs=2,
    batch_size=8,
    ema_decay=0.5,
    crop_frames=20,
    clips_per_track=2,
    augmentation=Augmentation(mask_bands=4, mask_frames=4),
)
NETWORK = Recipe((TINY,), descriptors=False)
ANALYSED = 50
BOTH = Recipe((TINY,), descriptors=True, network_frames=ANALYSED)
GUARDED = dataclasses.replace(NETWORK, leave_genres_out=True)
FILES = (WEIGHTS, HEAD, PROJECTION)


@pytest.fixture(scope="module")
def split() -> dict[str, tuple[str, ...]]:
    return toy_split()


@pytest.fixture(scope="module", autouse=True)
def _small_split(split):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gtzan, "split_ids", lambda protocol, name: split[name])
        yield


@pytest.fixture(scope="module")
def data(split) -> gtzan.Gtzan:
    return toy_gtzan(split)


@pytest.fixture(scope="module")
def made(data, tmp_path_factory) -> ModelFiles:
    folder = tmp_path_factory.mktemp("model")
    build_model("toy", BOTH, data, folder, SEEDS, command="recsys train toy")
    return ModelFiles(folder)


@pytest.fixture(scope="module")
def network_alone(data, tmp_path_factory) -> ModelFiles:
    folder = tmp_path_factory.mktemp("network")
    build_model("net", NETWORK, data, folder, SEEDS)
    return ModelFiles(folder)


def contents(folder: Path, *names: str) -> list[bytes]:
    return [(folder / name).read_bytes() for name in names]


def side(data: gtzan.Gtzan, ids: tuple[str, ...]) -> TrackSet:
    rows = data.select(ids)
    return TrackSet(np.stack([data.decibels(int(row)) for row in rows]), data.labels[rows])


def by_hand(files: ModelFiles, tracks: TrackSet) -> tuple[np.ndarray, np.ndarray]:
    """Activations of whole tracks [n, d] and of clips [n, 3, d], from the written weights."""
    analysed = files.card.network_frames
    clips = [
        clip_activations(net, tracks, TINY.clip_frames, network_frames=analysed)
        for net in files.networks()
    ]
    whole = [analysed.mean(axis=1) for analysed in clips]
    if files.card.descriptors:
        starts = clip_starts(gtzan.COLUMNS, 130, 3)
        whole.append(np.stack([describe(track) for track in tracks.decibels]))
        clips.append(
            np.stack([[describe(t[:, s : s + 130]) for s in starts] for t in tracks.decibels])
        )
    return np.concatenate(whole, axis=1), np.concatenate(clips, axis=2)


class TestWhatIsWritten:
    def test_folder_is_a_model(self, made, data) -> None:
        assert made.card.labels == gtzan.GENRES
        described = {"architecture": "conv1d-encoder", "model_settings": {"filters": [8, 6]}}
        assert made.card.networks == (described,)
        assert made.card.descriptors
        assert made.card.results["command"] == "recsys train toy"
        (ran,) = made.card.training["networks"]
        assert ran["epochs_run"] == TINY.epochs
        (network,), head, projection = made.networks(), made.head(), made.projection()
        assert network.feature_dim == 12
        assert len(head.weight) == len(projection.mean) == 12 + DIMENSION

    def test_results_have_a_row_for_each_seed_and_the_card_sums_them_up(self, made) -> None:
        with (made.folder / "results.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [int(row["seed"]) for row in rows] == list(SEEDS) == made.card.results["seeds"]
        for name in ("valid_track", "test_clip", "disjoint_track", "test_precision"):
            values = [float(row[name]) for row in rows]
            told = made.card.results[name]
            assert told["of_published_seed"] == values[0]
            assert told["mean"] == pytest.approx(np.mean(values), abs=1e-4)
            assert told["sd"] == pytest.approx(np.std(values, ddof=1), abs=1e-4)

    def test_learning_curves_have_a_line_for_each_epoch(self, made, data, split) -> None:
        with (made.folder / "curves.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [(int(row["seed"]), int(row["epoch"])) for row in rows] == [
            (seed, epoch) for seed in SEEDS for epoch in (1, 2)
        ]
        settings = dataclasses.replace(TINY, seed=SEEDS[0])
        sides = (side(data, split["train"]), side(data, split["valid"]))
        report = train(settings, *sides, len(gtzan.GENRES)).history[1]
        assert float(rows[1]["valid_loss"]) == report.valid_loss
        assert float(rows[1]["train_accuracy"]) == report.train_accuracy

    def test_published_seed_is_the_first_whatever_it_reaches(self, made, data, split) -> None:
        assert made.card.results["published_seed"] == made.card.training["seed"] == SEEDS[0]
        training, valid = side(data, split["train"]), side(data, split["valid"])
        settings = dataclasses.replace(TINY, seed=SEEDS[0])
        plain = train(settings, training, valid, len(gtzan.GENRES)).network
        (network,) = made.networks()
        for name, values in network.state_dict().items():
            np.testing.assert_array_equal(values, plain.state_dict()[name])
        test = side(data, split["test"])
        analysed = clip_activations(plain, test, TINY.clip_frames, network_frames=ANALYSED)
        found = clip_probabilities(plain, analysed).mean(axis=1).argmax(axis=1)
        told = made.card.results["network_test_track"]["of_published_seed"]
        assert told == pytest.approx((found == test.labels).mean(), abs=1e-4)

    def test_networks_hear_the_middle_of_each_clip(self, made, data, split) -> None:
        assert made.card.network_frames == ANALYSED
        (network,), tracks = made.networks(), side(data, split["test"])
        analysed = clip_activations(network, tracks, TINY.clip_frames, network_frames=ANALYSED)
        for place, start in enumerate(clip_starts(gtzan.COLUMNS, TINY.clip_frames, 3)):
            first = start + (TINY.clip_frames - ANALYSED) // 2
            middles = TrackSet(tracks.decibels[:, :, first : first + ANALYSED], tracks.labels)
            alone = clip_activations(network, middles, ANALYSED, clips=1)
            np.testing.assert_allclose(analysed[:, place], alone[:, 0], atol=1e-5)

    def test_the_limit_of_copies_lies_above_the_nearest_two_taught(
        self, made, network_alone, data, split, tmp_path, monkeypatch
    ) -> None:
        assert made.card.duplicate_threshold == 0.9  # the toy world's are far from each other
        assert network_alone.card.duplicate_threshold is None
        monkeypatch.setattr(duplicates, "_LEAST", 0.0)
        card = build_model("toy", Recipe((), descriptors=True), data, tmp_path, (0,))
        projection = ModelFiles(tmp_path).projection()
        described = np.stack([describe(track) for track in side(data, split["train"]).decibels])
        views = (described - projection.mean) @ projection.matrix
        nearest = max(cosine(a, b) for a, b in itertools.combinations(views, 2))
        assert 0 < nearest < 0.9
        assert card.duplicate_threshold == pytest.approx(nearest + 0.1 * (1 - nearest), abs=1e-4)

    def test_card_equals_what_the_written_weights_give(self, made, data, split) -> None:
        head, projection = made.head(), made.projection()
        artists = gtzan.artists()
        figures = {}
        for name in ("valid", "test"):
            ids, tracks = split[name], side(data, split[name])
            activations, clips = by_hand(made, tracks)
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
                k=NEIGHBOURS,
                bootstrap=0,
            )
            assert report.with_filter is not None
            figures[f"{name}_precision"] = report.with_filter.overall.precision.value
        told = {name: made.card.results[name]["of_published_seed"] for name in figures}
        assert told == pytest.approx(figures, abs=1e-4)
        assert len(set(figures.values())) > 3  # the toy world tells the figures apart

    def test_projection_is_the_best_on_valid(self, made) -> None:
        results = made.card.results
        precisions = results["valid_precision_of_projections"]
        assert precisions[results["projection"]] == max(precisions.values())
        assert results["valid_precision"]["mean"] == pytest.approx(
            precisions[results["projection"]], abs=1e-4
        )


@pytest.mark.parametrize("model", ["lstm", "transformer", "conv1d", "conv2d", "conv2d-encoder"])
def test_any_family_becomes_a_model(model: str, data, tmp_path) -> None:
    slight = {"lstm": {"units": 4}, "transformer": {"units": 8, "layers": 1, "heads": 3}}
    settings = dataclasses.replace(
        main_run(model).settings(0),
        epochs=1,
        clip_frames=40,
        model_settings=slight.get(model, {"filters": (3, 2)}),
    )
    made = build_model(model, Recipe((settings,), descriptors=False), data, tmp_path, (0,))
    (network,) = ModelFiles(tmp_path).networks()
    assert made.networks[0]["architecture"] == made.name == model
    assert len(ModelFiles(tmp_path).projection().mean) == network.feature_dim
    if model != "lstm":  # of so few units, one may hardly move
        assert made.results["test_precision"]["mean"] > 0


class TestOtherParts:
    def test_name_and_architecture_are_told_apart(self, made) -> None:
        assert (made.card.name, made.card.architecture_summary) == (
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
        activations, _ = by_hand(ModelFiles(tmp_path), side(data, split["test"]))
        assert activations.shape[1] == 24
        right = ModelFiles(tmp_path).head().probabilities(activations).argmax(axis=1)
        accuracy = (right == side(data, split["test"]).labels).mean()
        assert card.results["test_track"]["mean"] == pytest.approx(accuracy, abs=1e-4)

    def test_no_network(self, data, split, tmp_path) -> None:
        card = build_model("none", recipe("fast"), data, tmp_path, (0,))
        assert ModelFiles(tmp_path).networks() == []
        assert card.training["networks"] == []
        assert not (tmp_path / "checkpoints").exists()
        assert not [name for name in card.results if name.startswith("plain")]
        activations, _ = by_hand(ModelFiles(tmp_path), side(data, split["test"]))
        right = ModelFiles(tmp_path).head().probabilities(activations).argmax(axis=1)
        accuracy = (right == side(data, split["test"]).labels).mean()
        assert card.results["test_track"]["mean"] == pytest.approx(accuracy, abs=1e-4)
        with (tmp_path / "results.csv").open(newline="", encoding="utf-8") as file:
            (row,) = csv.DictReader(file)
        assert (row["model"], row["network_test_track"], row["epochs"]) == ("descriptors", "", "0")


class TestResuming:
    def test_again_from_the_checkpoints_is_byte_equal(self, network_alone, data) -> None:
        files = (*FILES, CARD, "results.csv")
        before = contents(network_alone.folder, *files)
        epochs = []
        build_model(
            "net",
            NETWORK,
            data,
            network_alone.folder,
            SEEDS,
            on_epoch=lambda seed, network, report: epochs.append(seed),
        )
        assert contents(network_alone.folder, *files) == before
        assert epochs == []

    def test_interrupted_between_epochs_ends_the_same(self, network_alone, data, tmp_path) -> None:
        def stop(seed: int, network: int, report: object) -> None:
            raise KeyboardInterrupt

        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                build_model("net", NETWORK, data, tmp_path, SEEDS, on_epoch=stop)
            assert not (tmp_path / CARD).exists()
        build_model("net", NETWORK, data, tmp_path, SEEDS)
        assert contents(tmp_path, *FILES) == contents(network_alone.folder, *FILES)


class TestHonesty:
    def test_the_test_side_chooses_nothing(self, made, data, split, tmp_path) -> None:
        spoilt = data.log_mel.copy()
        rows = data.select(split["test"])
        spoilt[rows] = np.random.default_rng(1).integers(0, 256, spoilt[rows].shape)
        other = dataclasses.replace(data, log_mel=spoilt)
        card = build_model("toy", BOTH, other, tmp_path, SEEDS)
        assert contents(tmp_path, *FILES) == contents(made.folder, *FILES)
        mine, theirs = card.results, made.card.results
        for name in ("projection", "valid_precision_of_projections", "valid_track", "valid_clip"):
            assert mine[name] == theirs[name]
        assert mine["test_track"] != theirs["test_track"]


@pytest.fixture(scope="module")
def leave_genres_out(data, tmp_path_factory) -> ModelFiles:
    folder = tmp_path_factory.mktemp("leave_genres_out")
    build_model("leave_genres_out", GUARDED, data, folder, SEEDS[:1])
    return ModelFiles(folder)


class TestGuard:
    def test_networks_are_trained_without_each_fold(self, leave_genres_out) -> None:
        names = {f"seed-5-without-{'-'.join(fold)}.pt" for fold in FOLDS}
        checkpoints = leave_genres_out.folder / "checkpoints"
        assert {path.name for path in checkpoints.iterdir()} == names | {"seed-5.pt"}
        for name in names:
            state = torch.load(checkpoints / name, weights_only=True)
            assert len(state["best_weights"]["classifier.bias"]) == 7

    def test_both_precisions_choose(self, leave_genres_out) -> None:
        results = leave_genres_out.card.results
        known = results["valid_precision_of_projections"]
        unseen = results["held_out_genres_valid_precision_of_projections"]
        sums = {name: known[name] + unseen[name] for name in known}
        assert sums[results["projection"]] == pytest.approx(max(sums.values()), abs=2e-4)
        told = results["held_out_genres_valid"]["mean"]
        assert told == pytest.approx(unseen[results["projection"]], abs=1e-4)
        assert 0 < results["held_out_genres_test"]["mean"] < 1

    def test_a_fold_by_hand(self, leave_genres_out, data, split) -> None:
        """The networks analyse seven genres only, and three are asked for among ten."""
        results, fold = leave_genres_out.card.results, FOLDS[2]
        sides = [
            side(data, tuple(i for i in split[name] if i.partition(".")[0] not in fold))
            for name in ("train", "valid")
        ]
        sides = [TrackSet(s.decibels, np.unique(s.labels, return_inverse=True)[1]) for s in sides]
        settings = dataclasses.replace(GUARDED.networks[0], seed=SEEDS[0])
        network = train(settings, *sides, 7).network
        parts = ActivationLayout.of([network.feature_dim], False)
        clips = clip_activations(network, sides[0], TINY.clip_frames)
        known = Activations(clips.mean(axis=1), clips, parts)
        projection = fit_candidates(known, sides[0].labels)[results["projection"]]
        ids = (*split["valid"], *split["test"])
        analysed = clip_activations(network, side(data, ids), TINY.clip_frames).mean(axis=1)
        genres = [i.partition(".")[0] for i in ids]
        report = evaluate_retrieval(
            projection.apply(analysed),
            genres,
            [gtzan.artists()[i] for i in ids],
            k=10,
            queries=np.isin(genres, fold),
            bootstrap=0,
        )
        assert report.with_filter is not None
        fold_models = [FoldModel(fold, self.model(leave_genres_out, fold)) for fold in self.genre_folds(data)]
        gallery = Gallery.of(data, "valid+test")
        found = evaluate_held_out_genres(fold_models, data, [results["projection"]], gallery)
        precision = found[results["projection"]].bare
        assert precision.folds[2] == pytest.approx(report.with_filter.overall.precision.value)
        assert results["held_out_genres_test"]["mean"] == pytest.approx(precision.mean, abs=1e-4)

    def genre_folds(self, data: gtzan.Gtzan) -> list[GenreFold]:
        return genre_folds(load_split(data, "filtered", "train"), load_split(data, "filtered", "valid"))

    def model(self, leave_genres_out: ModelFiles, fold: GenreFold) -> TrainedModel:
        """From its checkpoint."""
        settings = dataclasses.replace(GUARDED.networks[0], seed=SEEDS[0])
        name = "-".join(["seed-5-without", *fold.left_out])
        result = train(
            settings,
            fold.training.tracks,
            fold.valid.tracks,
            fold.genres,
            checkpoint=leave_genres_out.folder / "checkpoints" / f"{name}.pt",
        )
        return TrainedModel(SEEDS[0], (result,), descriptors=False)

    def test_only_the_filtered_split_is_guarded(self, data, tmp_path) -> None:
        card = build_model("plain", GUARDED, data, tmp_path, SEEDS[:1], protocol="stratified")
        assert "held_out_genres_valid" not in card.results
        assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["seed-5.pt"]


class TestTaughtMore:
    def test_validation_tracks_teach_and_the_test_tracks_measure(
        self, made, data, split, tmp_path
    ) -> None:
        card = refit_model(made.card, BOTH, data, tmp_path, SEEDS, "train+valid")
        assert card.data["trained_on"] == "train and valid"
        assert card.results["projection"] == made.card.results["projection"]
        assert "valid_track" not in card.results
        assert card.results["honest"] == made.card.results
        assert card.measured is card.results  # it has figures of its own
        assert card.similarity_calibration == made.card.similarity_calibration
        files = ModelFiles(tmp_path)
        tracks = side(data, split["test"])
        activations, _ = by_hand(files, tracks)
        right = files.head().probabilities(activations).argmax(axis=1) == tracks.labels
        told = card.results["test_track"]["of_published_seed"]
        assert told == pytest.approx(right.mean(), abs=1e-4)

    def test_networks_learn_from_both_sides_to_the_last_epoch(
        self, made, data, split, tmp_path
    ) -> None:
        refit_model(made.card, BOTH, data, tmp_path, SEEDS[:1], "train+valid")
        settings = dataclasses.replace(TINY, seed=SEEDS[0], select_epoch_by="last")
        both = side(data, (*split["train"], *split["valid"]))
        plain = train(settings, both, None, len(gtzan.GENRES))
        assert plain.best_epoch == TINY.epochs
        (network,) = ModelFiles(tmp_path).networks()
        for name, values in network.state_dict().items():
            np.testing.assert_array_equal(values, plain.network.state_dict()[name])

    def test_taught_everything_there_are_no_figures(self, made, data, tmp_path) -> None:
        tried = [{"changed": "no mixup", "accuracy": 0.5}]
        card = refit_model(made.card, BOTH, data, tmp_path, SEEDS[:1], "all", tried=tried)
        assert card.results["ablation_on_valid"] == tried
        assert card.data["tested_on"].startswith("nothing")
        assert not [
            name for name in card.results if name.startswith(("test", "valid", "unseen", "ranked"))
        ]
        assert not card.has_test_results
        assert card.measured == made.card.results
        assert not (tmp_path / "results.csv").exists()
        assert len(ModelFiles(tmp_path).networks()) == 1

    def test_choices_of_another_recipe_are_refused(self, made, data, tmp_path) -> None:
        with pytest.raises(UsageError, match="another recipe"):
            refit_model(made.card, recipe("lstm"), data, tmp_path, SEEDS[:1], "all")
        for changed in ({"network_frames": 0}, {"descriptors": False}):
            other = dataclasses.replace(made.card, **changed)
            with pytest.raises(UsageError, match="another recipe"):
                refit_model(other, BOTH, data, tmp_path, SEEDS[:1], "all")
        silent = dataclasses.replace(made.card, results={})
        with pytest.raises(UsageError, match="what was chosen"):
            refit_model(silent, BOTH, data, tmp_path, SEEDS[:1], "all")


def test_a_track_is_muffled_alike_in_whatever_company(data) -> None:
    whole = load_split(data, "filtered", "valid")
    assert whole.low_passed.shape == whole.descriptions[0].shape
    assert not np.allclose(whole.low_passed, whole.descriptions[0], atol=1e-3)
    others = load_tracks(data, whole.ids[::-2])
    rows = [whole.ids.index(track_id) for track_id in others.ids]
    assert others.low_passed.tobytes() == whole.low_passed[rows].tobytes()


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

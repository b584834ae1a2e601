"""The whole way from GTZAN to a folder of weights, on a toy GTZAN of a few tracks."""

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from recommender import gtzan
from recommender.augmentation import Augmentation
from recommender.errors import DatasetError, UsageError
from recommender.evaluation import evaluate_retrieval
from recommender.last_layer import refitted
from recommender.models import model_names
from recommender.recipe import make_model, recipe_settings
from recommender.results import NEIGHBOURS
from recommender.study.runs import main_run
from recommender.training import (
    TrackSet,
    TrainingSettings,
    clip_activations,
    measure,
    track_outputs,
    train,
)
from recommender.weights import CARD, PROJECTION, WEIGHTS, WeightsFiles

PER_GENRE = {"train": 4, "valid": 3, "test": 4}
SEEDS = (5, 3)
TINY = TrainingSettings(
    model_settings={"filters": (8, 6)},
    epochs=2,
    batch_size=8,
    averaging=0.5,
    crop_frames=20,
    clips_per_track=2,
    augmentation=Augmentation(mask_bands=4, mask_frames=4),
)


@pytest.fixture(scope="module")
def split() -> dict[str, tuple[str, ...]]:
    """The first few tracks of each genre on each side of the committed split."""
    return {
        name: tuple(
            track_id
            for genre in gtzan.GENRES
            for track_id in [i for i in gtzan.split_ids("filtered", name) if i.startswith(genre)][
                :count
            ]
        )
        for name, count in PER_GENRE.items()
    }


@pytest.fixture(scope="module", autouse=True)
def _small_split(split):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gtzan, "split_ids", lambda protocol, name: split[name])
        yield


@pytest.fixture(scope="module")
def data(split) -> gtzan.Gtzan:
    """Each genre is loud in its own bands, under noise that makes some tracks hard."""
    track_ids = tuple(sorted(track_id for ids in split.values() for track_id in ids))
    labels = np.array([gtzan.GENRES.index(i.partition(".")[0]) for i in track_ids])
    generator = np.random.default_rng(0)
    levels = generator.normal(60, 20, (len(track_ids), gtzan.N_MELS, gtzan.COLUMNS))
    for track, label in zip(levels, labels, strict=True):
        track[12 * label : 12 * label + 12] += generator.uniform(10, 60)
    return gtzan.Gtzan(
        track_ids,
        labels,
        levels.clip(0, 255).astype(np.uint8),
        np.full(len(track_ids), 80, dtype=np.float32),
    )


@pytest.fixture(scope="module")
def made(data, tmp_path_factory) -> WeightsFiles:
    folder = tmp_path_factory.mktemp("model")
    make_model("toy", TINY, data, folder, SEEDS, command="recsys train toy")
    return WeightsFiles(folder)


def contents(folder: Path, *names: str) -> list[bytes]:
    return [(folder / name).read_bytes() for name in names]


def side(data: gtzan.Gtzan, ids: tuple[str, ...]) -> TrackSet:
    rows = data.select(ids)
    return TrackSet(np.stack([data.decibels(int(row)) for row in rows]), data.labels[rows])


class TestWhatIsWritten:
    def test_folder_is_a_model(self, made, data) -> None:
        assert made.card.labels == gtzan.GENRES
        assert made.card.model_settings == {"filters": [8, 6]}
        assert made.card.results["command"] == "recsys train toy"
        assert made.card.training["epochs_run"] == TINY.epochs
        network, projection = made.network(), made.projection()  # both check their digests
        assert network.feature_dim == len(projection.mean) == 12

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

    def test_published_seed_is_the_first_whatever_it_reaches(self, made, data, split) -> None:
        assert made.card.results["published_seed"] == made.card.training["seed"] == SEEDS[0]
        training, valid = side(data, split["train"]), side(data, split["valid"])
        settings = dataclasses.replace(TINY, seed=SEEDS[0])
        plain = train(settings, training, valid, len(gtzan.GENRES)).network
        known, asked = (clip_activations(plain, t, TINY.clip_frames) for t in (training, valid))
        anew = refitted(plain, known, training.labels, asked, valid.labels).state_dict()
        for name, values in made.network().state_dict().items():
            np.testing.assert_array_equal(values, anew[name])
        accuracy = measure(plain, side(data, split["test"]), TINY.clip_frames)[1]
        told = made.card.results["plain_test_track"]["of_published_seed"]
        assert told == pytest.approx(accuracy, abs=1e-4)

    def test_card_equals_what_the_written_weights_give(self, made, data, split) -> None:
        network, projection = made.network(), made.projection()
        artists = gtzan.artists()
        figures = {}
        for name in ("valid", "test"):
            ids, tracks = split[name], side(data, split[name])
            activations, shares = track_outputs(network, tracks, TINY.clip_frames)
            right_clips = shares.argmax(axis=2) == tracks.labels[:, None]
            right = shares.mean(axis=1).argmax(axis=1) == tracks.labels
            figures |= {f"{name}_track": right.mean(), f"{name}_clip": right_clips.mean()}
            if name == "test":
                others = {artists[i] for i in (*split["train"], *split["valid"])} - {""}
                kept = np.array([artists[i] not in others for i in ids])
                assert 0 < kept.sum() < len(kept)
                figures |= {"disjoint_track": right[kept].mean()}
                figures |= {"disjoint_clip": right_clips[kept].mean()}
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


class TestRecipes:
    def test_default_is_augmented_and_families_are_as_the_study_has_them(self) -> None:
        assert recipe_settings("default").augmentation is not None
        for name in model_names():
            settings = recipe_settings(name)
            assert settings.model == name
            assert settings == main_run(name).settings(0, full=True)
        assert recipe_settings("resnet50").epochs == 10

    def test_unknown_name_lists_the_known(self) -> None:
        with pytest.raises(UsageError, match=r"default, conv1d, .*transformer"):
            recipe_settings("perceptron")

    def test_name_and_architecture_are_told_apart(self, made) -> None:
        assert (made.card.name, made.card.architecture) == ("toy", "conv1d-encoder")


class TestResuming:
    def test_again_from_the_checkpoints_is_byte_equal(self, made, data) -> None:
        files = (WEIGHTS, PROJECTION, CARD, "results.csv")
        before = contents(made.folder, *files)
        epochs = []
        make_model(
            "toy",
            TINY,
            data,
            made.folder,
            SEEDS,
            command="recsys train toy",
            on_epoch=lambda seed, report: epochs.append(seed),
        )
        assert contents(made.folder, *files) == before
        assert epochs == []

    def test_interrupted_between_epochs_ends_the_same(self, made, data, tmp_path) -> None:
        def stop(seed: int, report: object) -> None:
            raise KeyboardInterrupt

        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                make_model("toy", TINY, data, tmp_path, SEEDS, on_epoch=stop)
            assert not (tmp_path / CARD).exists()
        make_model("toy", TINY, data, tmp_path, SEEDS)
        files = (WEIGHTS, PROJECTION)
        assert contents(tmp_path, *files) == contents(made.folder, *files)


class TestHonesty:
    def test_the_test_side_chooses_nothing(self, made, data, split, tmp_path) -> None:
        spoilt = data.log_mel.copy()
        rows = data.select(split["test"])
        spoilt[rows] = np.random.default_rng(1).integers(0, 256, spoilt[rows].shape)
        other = dataclasses.replace(data, log_mel=spoilt)
        card = make_model("toy", TINY, other, tmp_path, SEEDS)
        files = (WEIGHTS, PROJECTION)
        assert contents(tmp_path, *files) == contents(made.folder, *files)
        mine, theirs = card.results, made.card.results
        for name in ("projection", "valid_precision_of_projections", "valid_track", "valid_clip"):
            assert mine[name] == theirs[name]
        assert mine["test_track"] != theirs["test_track"]


class TestRefusals:
    def test_no_seed(self, data, tmp_path) -> None:
        with pytest.raises(UsageError, match="seed"):
            make_model("toy", TINY, data, tmp_path, ())

    def test_incomplete_data(self, data, split, tmp_path) -> None:
        kept = [i for i, name in enumerate(data.track_ids) if name != split["valid"][0]]
        partial = gtzan.Gtzan(
            tuple(data.track_ids[i] for i in kept),
            data.labels[kept],
            data.log_mel[kept],
            data.range_db[kept],
        )
        with pytest.raises(DatasetError, match=split["valid"][0]):
            make_model("toy", TINY, partial, tmp_path, SEEDS)
        assert not list(tmp_path.iterdir())

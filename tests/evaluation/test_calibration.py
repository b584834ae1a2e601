"""Calibration error and similarity calibration on toy worlds, and what users are shown."""

import dataclasses
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import sounds
import toy_models
from command_line import recsys

from recommender.embedding.model_files import CARD, ModelFiles
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.evaluation.calibration import calibration_error, fit_similarity_calibration


def test_calibration_error_by_hand() -> None:
    """Two bins: .9 sure and right half the time; .6 sure and always right."""
    sure = np.array([[0.9, 0.1]] * 4 + [[0.4, 0.6]] * 4, dtype=np.float32)
    labels = np.array([0, 0, 1, 1] + [1] * 4)
    assert calibration_error(sure, labels) == pytest.approx((0.4 + 0.4) / 2, abs=1e-6)


def test_perfectly_sure_and_right_is_calibrated() -> None:
    shares = np.eye(3, dtype=np.float32)
    assert calibration_error(shares, np.arange(3)) == 0
    assert calibration_error(shares, np.array([1, 2, 0])) == 1


def world(spread: float, seed: int = 0, size: int = 200) -> tuple[np.ndarray, list[str], list[str]]:
    """Unit vectors around five genres' directions in ten dimensions."""
    generator = np.random.default_rng(seed)
    labels = np.arange(size) % 5
    rows = np.eye(10)[labels] + spread * generator.standard_normal((size, 10))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    names = [f"artist {i}" for i in range(size)]
    return rows.astype(np.float32), [str(label) for label in labels], names


def test_what_is_more_similar_is_more_probably_of_one_genre() -> None:
    close = fit_similarity_calibration(*world(0.6))
    assert close is not None
    assert close.slope > 0
    assert close.probability(close.midpoint) == pytest.approx(0.5)
    assert close.is_close(close.midpoint + 0.01)
    assert not close.is_close(close.midpoint - 0.01)


def test_probabilities_are_those_of_other_tracks() -> None:
    size = 1500
    close = fit_similarity_calibration(*world(0.6, size=size))
    assert close is not None
    vectors, genres, _ = world(0.6, seed=1, size=size)
    cosines = vectors @ vectors.T - 2 * np.eye(size)
    nearest = np.argsort(-cosines, axis=1)[:, :10]
    same = np.array(genres)[nearest] == np.array(genres)[:, None]
    predicted = np.vectorize(close.probability)(np.take_along_axis(cosines, nearest, axis=1))
    assert predicted.mean() == pytest.approx(same.mean(), abs=0.03)
    for low in (0.2, 0.4, 0.6, 0.8):
        among = (predicted >= low) & (predicted < low + 0.2)
        if among.sum() > 300:
            assert same[among].mean() == pytest.approx(predicted[among].mean(), abs=0.1)


def test_neighbours_by_the_same_artist_do_not_count() -> None:
    """Each track has a twin by its artist with another genre: only others say what is close."""
    vectors, genres, artists = world(0.6)
    twins = np.concatenate([vectors, vectors])
    strange = [*genres, *["another"] * 200]
    assert (
        fit_similarity_calibration(twins, strange, [""] * 400) is None
    )  # the nearest are the wrongest
    assert fit_similarity_calibration(twins, strange, [*artists, *artists]) is not None


def test_there_is_none_where_similarity_says_nothing() -> None:
    vectors, _, artists = world(0.6)
    assert fit_similarity_calibration(vectors, ["one"] * 200, artists) is None
    assert fit_similarity_calibration(vectors, [str(i) for i in range(200)], artists) is None


def test_a_calibration_is_plain_values() -> None:
    assert vars(SimilarityCalibration(midpoint=0.5, slope=8.0)) == {"midpoint": 0.5, "slope": 8.0}


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    for seed in range(3):
        sounds.write_sound(folder / f"{seed}.wav", sounds.music(2 + seed, 22_050, seed), 22_050)
    return folder


def model_with(folder: Path, similarity_calibration: SimilarityCalibration | None) -> ModelFiles:
    files = toy_models.with_other_weights(folder, "judged")
    values = {} if similarity_calibration is None else asdict(similarity_calibration)
    dataclasses.replace(files.card, similarity_calibration=values).write(folder / CARD)
    return ModelFiles(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("similarity_calibration", "close", "message"),
    [
        (
            SimilarityCalibration(midpoint=1.01, slope=9.0),
            False,
            "in the catalogue is close",
        ),
        (SimilarityCalibration(midpoint=-1.0, slope=9.0), True, ""),
        (None, None, ""),
    ],
    ids=["far", "close", "not measured"],
)
def test_similar_says_when_nothing_is_close(
    similarity_calibration: SimilarityCalibration | None,
    close: bool | None,
    message: str,
    music: Path,
    tmp_path: Path,
) -> None:
    model = model_with(tmp_path / "model", similarity_calibration).folder
    catalog = tmp_path / "catalog.db"
    assert recsys("ingest", music, "--model", model, "--db", catalog).status == 0
    listed = recsys("similar", 1, "--db", catalog, "--json")
    assert [row["close"] for row in listed.json["neighbours"]] == [close, close]
    shown = recsys("similar", 1, "--db", catalog)
    assert message in shown.out
    assert bool(message) == ("catalogue is close" in shown.out)
    shutil.rmtree(model)  # what was kept in the catalogue says the same
    assert recsys("similar", 1, "--db", catalog).out == shown.out

"""`recsys train --data`: a model of one's own tracks, from a list to an embedding."""

import csv
import json
from pathlib import Path

import pytest
import sounds
from command_line import recsys

from recommender.embedding.embedder import Embedder
from recommender.embedding.model_card import ModelCard

GENRES = ("Deep", "High")


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list of two genres by six artists each, and one file that is no sound."""
    rows = []
    for number in range(12):
        path = tmp_path / f"{number}.wav"
        sounds.write_sound(path, sounds.music(2 + number / 10, 22_050, number), 22_050)
        rows.append((path.name, GENRES[number % 2], f"artist {number // 2 % 6}{number % 2}"))
    (tmp_path / "broken.wav").write_text("no sound")
    rows.append(("broken.wav", "Deep", "artist 9"))
    path = tmp_path / "list.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "genre", "artist"), *rows])
    return path


@pytest.mark.slow
def test_a_list_becomes_a_model_that_analyses(listed: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    options = ("--data", listed, "--out", out, "--epochs", 1, "--threads", 1)
    done = recsys("train", "conv1d", *options)
    assert done.status == 0, done.err
    assert "skipped" in done.err
    assert "broken.wav" in done.err
    card = ModelCard.read(out / "card.json")
    assert card.labels == ("deep", "high")
    assert card.data["split"] == "artists"
    assert "GTZAN" not in card.licence
    assert "--data PATH" in card.results["command"]
    splits = json.loads((out / "splits.json").read_text())
    assert {name: bool(paths) for name, paths in splits.items()} == dict.fromkeys(splits, True)
    analysis = Embedder.load(out).analyse(tmp_path / "0.wav")
    assert analysis.genre_probabilities.keys() == set(card.labels)


def test_bad_lists_are_refused_in_one_line(listed: Path, tmp_path: Path) -> None:
    one_genre, absent = tmp_path / "one.csv", tmp_path / "absent.csv"
    one_genre.write_text("path,genre,artist\n" + "".join(f"{n}.wav,x,{n}\n" for n in range(9)))
    absent.write_text("path,genre,artist\nnot there.wav,x,a\n")
    for path, reason in ((one_genre, "one genre"), (absent, "not there"), (tmp_path / "x", "read")):
        done = recsys("train", "conv1d", "--data", path, "--out", tmp_path / "model")
        assert (done.status, done.err.count("\n")) == (1, 1), done.err
        assert reason in done.err
        assert not (tmp_path / "model").exists()
    for options in ((), ("--data", listed, "--gtzan", listed)):
        done = recsys("train", "conv1d", "--out", tmp_path / "model", *options)
        assert (done.status, done.err.count("\n")) == (1, 1)
        assert "either --gtzan PATH or --data PATH" in done.err

"""Cards that were damaged are refused in one line, whatever is wrong with them."""

import json
import random
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from recommender.embedding.model_card import ModelCard
from recommender.embedding.model_files import CARD, find_model, shipped_models
from recommender.errors import WeightsError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of the smallest model, to be damaged."""
    shutil.copytree(find_model("fast").folder, tmp_path / "model")
    return tmp_path / "model"


def set_values(folder: Path, **values: Any) -> None:
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps({**card, **values}), encoding="utf-8")


WRONG: dict[str, list[Any]] = {
    "name": [None, 3, "", []],
    "networks": [None, "conv2d", [3], [{}], [{"architecture": 1, "model_settings": {}}], {"a": 1}],
    "descriptors": [None, "yes", 1],
    "labels": [None, [], [1, 2], {}],
    "front_end": [None, {}, [], {"sample_rate": 22050}, {"hop_length": 0}],
    "windowing": [None, 3, {"count": "5"}, {"seconds": -1}, {"hours": 1}],
    "weights_digest": [None, 12],
    "similarity_calibration": [None, {"slope": 1}, {"midpoint": "x", "slope": 1}, 3],
    "network_frames": [None, -1, "65", 6.5],
    "duplicate_threshold": ["x", [], True],
    "data": [None, []],
    "training": [[], {"networks": 3}, {"networks": [1]}],
    "results": [[], {"held_out": 3}, {"test_track": {"mean": "x"}}, {"seeds": 3}],
    "licence": [None, 3],
    "notes": [None, 3, [3]],
    "unheard_of": [1],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in WRONG.items() for v in values])
def test_values_of_another_kind(folder: Path, name: str, value: object) -> None:
    set_values(folder, **{name: value})
    with pytest.raises(WeightsError, match="no model card") as caught:
        ModelCard.read(folder / CARD)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, "\ufeff{}", "null", '"x"', "NaN"])
def test_texts_that_are_no_card(folder: Path, text: str) -> None:
    (folder / CARD).write_text(text, encoding="utf-8")
    with pytest.raises(WeightsError, match="no model card"):
        ModelCard.read(folder / CARD)


@pytest.mark.parametrize("front_end", [{"hop_length": 0}, {"fmin": 1e9}, {"n_mels": "128"}])
def test_a_front_end_out_of_range(folder: Path, front_end: dict[str, Any]) -> None:
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    set_values(folder, front_end={**card["front_end"], **front_end})
    with pytest.raises(WeightsError, match="front_end"):
        ModelCard.read(folder / CARD)


@pytest.mark.parametrize(
    "network",
    [
        {"architecture": "no-such", "model_settings": {}},
        {"architecture": "conv2d-encoder", "model_settings": {"filters": "many"}},
        {"architecture": "conv2d-encoder", "model_settings": {"filters": [-1]}},
        {"architecture": "conv2d-encoder", "model_settings": {"no_such": 1}},
    ],
)
def test_networks_that_cannot_be_made(folder: Path, network: dict[str, Any]) -> None:
    set_values(folder, networks=[network])
    with pytest.raises(WeightsError):
        find_model(str(folder)).networks()


def test_a_head_for_other_labels(folder: Path) -> None:
    set_values(folder, labels=["rock", "folk"])
    with pytest.raises(WeightsError, match="shape"):
        find_model(str(folder)).head()


def test_flipped_bits_raise_nothing_else(folder: Path) -> None:
    whole = (folder / CARD).read_bytes()
    draw = random.Random(0)
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        (folder / CARD).write_bytes(damaged)
        with suppress(WeightsError):
            files = find_model(str(folder))
            files.space()
            files.head()
            files.projection()


@pytest.mark.parametrize("name", shipped_models())
def test_shipped_cards_pass(name: str) -> None:
    assert find_model(name).card.name == name

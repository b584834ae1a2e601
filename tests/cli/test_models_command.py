"""`recsys models`, and models of other kinds than the default one."""

from pathlib import Path

import pytest
import sounds
import toy_models
from command_line import Shop, neighbours, recsys


def test_models() -> None:
    report = recsys("models", "--json").json
    (model,) = [card for card in report["models"] if card["default"]]
    assert len(model["labels"]) == 10
    text = recsys("models").out
    assert model["name"] in text
    families = {family["name"]: family for family in report["families"]}
    assert families["conv1d-encoder"]["parameters"] == 597_514
    assert families["resnet50v2"]["section"] == "ResNet"
    assert all(name in text for name in families)


@pytest.mark.parametrize("networks", [0, 1])
def test_a_model_with_descriptors(shop: Shop, catalog: Path, networks: int) -> None:
    usual = len(neighbours("plain.wav"))
    folder = catalog.parent / "described"
    toy_models.with_descriptors(folder, networks)
    options = ("--model", folder, "--workers", 1, "--json")
    assert recsys("ingest", shop.music, *options).json["analysed"] == 8
    listed, with_duplicates = (
        [Path(track["path"]).name for track in neighbours("plain.wav", *words)]
        for words in ((), ("--keep-duplicates",))
    )
    assert len(listed) == usual
    assert "copy.wav" not in listed
    assert with_duplicates[0] == "copy.wav"
    outside = shop.music.parent / "outside.wav"
    sounds.write_sound(outside, sounds.music(3, 22_050, 0), 22_050)
    assert recsys("similar", outside, "--json").status == 0

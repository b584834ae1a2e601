"""Models of others on the command line: added, listed, used, removed."""

import shutil
from pathlib import Path

import pytest
from command_line import Shop, neighbours, recsys

from recommender.embedding.model_files import find_model


def test_without_it_the_error_says_what_to_do(shop: Shop, catalog: Path) -> None:
    found = recsys("ingest", shop.music, "--model", "musicnn")
    assert found.status == 1
    assert found.err.count("\n") == 1
    assert "recsys models add musicnn" in found.err
    assert "to be added" in recsys("models").out


def test_a_wheel_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_text("no wheel")
    for name in ("a.whl", "absent.whl"):
        found = recsys("models", "add", "musicnn", "--wheel", tmp_path / name)
        assert (found.status, found.err.count("\n")) == (1, 1)
    assert recsys("models", "add", "other").status == 2
    assert recsys("models", "--json").json["added"] == []


@pytest.mark.slow
def test_added_listed_used_and_removed(shop: Shop, catalog: Path, known_wheel: Path) -> None:
    assert "added: musicnn" in recsys("models", "add", "musicnn", "--wheel", known_wheel).out
    combined, card = recsys("models", "--json").json["added"]
    assert combined["name"] == "combined"
    assert card["name"] == "musicnn"
    listing = recsys("models").out
    assert "added models, trained by others" in listing
    assert "to be added" not in listing
    assert "non-commercial" in recsys("models", "musicnn").out
    assert recsys("models", "musicnn", "--json").json == card
    usual = neighbours("plain.wav")
    report = recsys("ingest", shop.music, "--model", "musicnn", "--workers", 1, "--json").json
    assert (report["analysed"], report["switched"]) == (8, True)
    assert len(neighbours("plain.wav")) == len(usual)
    assert not recsys("ingest", "--json").json["switched"], "goes on with the same model"
    assert recsys("similar", "plain.wav", "--json").json["model"] == "musicnn"
    compared = recsys("compare", "default", "musicnn", "--json").json
    assert [model["model"] for model in compared["models"]] == ["default", "musicnn"]
    assert "removed:" in recsys("models", "remove", "musicnn").out
    assert neighbours("plain.wav"), "recommended as before"
    found = recsys("models", "remove", "musicnn")
    assert (found.status, found.err.count("\n")) == (1, 1)


def test_a_folder_that_was_put_there_by_hand_is_listed(tmp_path: Path) -> None:
    shutil.copytree(find_model("fast").folder, tmp_path / "models" / "mine")
    listing = recsys("models")
    assert listing.status == 0, listing.err
    assert "MIT" in listing.out
    assert [card["name"] for card in recsys("models", "--json").json["added"]] == ["fast"]

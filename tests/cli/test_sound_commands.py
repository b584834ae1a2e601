"""`recsys show`, `list`, `similar`, `mix`, `order` and `tag` by musical descriptors."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from command_line import Shop, recsys

from recommender.musical_descriptors.record import NAMES


@pytest.fixture
def tempi(catalog: Path) -> Path:
    """The catalogue, with tempi of 100, 110 … by id, and the key of A minor; the last has none."""
    with closing(sqlite3.connect(catalog)) as connection, connection:
        connection.execute(
            "UPDATE musical_descriptors SET tempo = 90 + 10 * track_id, tempo_confidence = .9,"
            " second_tempo = NULL, key = 9, mode = 'minor', key_confidence = .9, energy = .5"
        )
        connection.execute(
            "UPDATE musical_descriptors SET tempo = NULL WHERE track_id ="
            " (SELECT max(track_id) FROM musical_descriptors)"
        )
    return catalog


def test_show_says_what_was_found_and_how_sure_it_is(tempi: Path) -> None:
    shown = recsys("show", 1).out
    assert "100.0 bpm (sure, 0.90)" in shown
    assert "A minor, Camelot 8A (sure, 0.90)" in shown
    assert "LUFS (estimate)" in shown
    found = recsys("show", 1, "--json").json["descriptors"]
    assert (found["tempo"], found["key_name"], found["camelot"]) == (100, "A minor", "8A")
    assert set(NAMES) <= set(found)


def test_show_explains_every_value() -> None:
    explained = recsys("show", "--explain").out
    for name in NAMES:
        assert name.replace("_", " ") in explained
    assert "cannot be judged on data at hand" in explained
    bare = recsys("show")
    assert bare.status != 0
    assert "name a track" in bare.err


def test_list_by_tempo(tempi: Path) -> None:
    found = recsys("list", "--tempo", "100-115")
    assert len(found.out.splitlines()) == 3
    assert "8A Am" in found.out
    assert "1 track left out for want of a tempo" in found.err
    ids = [track["id"] for track in recsys("list", "--tempo", "100-115", "--json").json]
    assert sorted(ids) == [1, 2]
    assert len(recsys("list", "--key", "Am", "--limit", 2, "--json").json) == 2
    refused = recsys("list", "--tempo", "5%")
    assert refused.status != 0
    assert "need a seed" in refused.err


def test_similar_and_mixes_by_sound(tempi: Path) -> None:
    found = recsys("similar", 2, "--tempo", "10%", "--key", "compatible", "--no-speech", "--json")
    assert {track["id"] for track in found.json["neighbours"]} <= {1, 3}
    assert found.json["lacking"] == {"tempo": 1}
    assert "for want of a tempo" in found.err
    mixed = recsys("mix", 2, "--tempo", "10%", "--json").json
    assert {entry["id"] for entry in mixed["entries"]} <= {1, 3}
    assert mixed["left_out"]["tempo"] > 0
    wrong = recsys("similar", 2, "--energy", "much")
    assert wrong.status != 0
    assert "energy cannot be 'much'" in wrong.err


def test_order_by_tempo_and_key(tempi: Path) -> None:
    found = recsys("order", 3, 1, 4, 2, "--by", "tempo-key", "--json").json
    ids = [entry["id"] for entry in found["entries"]]
    assert ids in ([1, 2, 3, 4], [4, 3, 2, 1])


def test_an_ingest_without_descriptors_and_one_that_adds_them(shop: Shop, tmp_path: Path) -> None:
    music = Path(shutil.copytree(shop.music, tmp_path / "music"))
    assert recsys("ingest", music, "--no-descriptors", "--json").json["described"] == 0
    assert recsys("show", 1, "--json").json["descriptors"] is None
    assert "none yet" in recsys("show", 1).out
    report = recsys("ingest", music)
    assert "musical descriptors added" in report.out
    assert recsys("ingest", music, "--json").json["described"] == 0
    assert recsys("show", 1, "--json").json["descriptors"] is not None


def test_export_has_a_column_for_each(tempi: Path, tmp_path: Path) -> None:
    assert recsys("export", tmp_path / "all.npz").status == 0
    with np.load(tmp_path / "all.npz") as table:
        assert set(NAMES) <= set(table.files)
        assert table["tempo"][0] == 100
        assert np.isnan(table["tempo"]).sum() == 1
        assert set(table["mode"]) == {"minor"}


def test_tag_writes_only_when_asked_and_takes_it_back(
    shop: Shop, tempi: Path, tmp_path: Path
) -> None:
    music = Path(shutil.copytree(shop.music, tmp_path / "music"))
    assert recsys("library", "move", shop.music, music).status == 0
    before = {file.name: file.read_bytes() for file in music.iterdir()}
    dry = recsys("tag", "--write", "bpm,key", "--dry-run")
    assert "would be written" in dry.err
    assert {file.name: file.read_bytes() for file in music.iterdir()} == before
    written = recsys("tag", 1, "--write", "bpm", "--json").json["files"]
    assert [one["after"] for one in written] == [{"bpm": ["100"]}]
    assert recsys("ingest", "--json").json["analysed"] == 0
    undone = recsys("tag", "--undo", "--json").json["files"]
    assert [one["reason"] for one in undone] == [None]
    for words in (("tag",), ("tag", "--write", "genre"), ("tag", "1", "--undo")):
        assert recsys(*words).status != 0

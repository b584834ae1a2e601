"""`recsys list`, `show`, `status`, `failures` and `export`: what the catalogue holds."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import sounds
from command_line import Shop, neighbours, recsys

from recommender.catalog import Catalog


def test_list(catalog: Path) -> None:
    table = recsys("list")
    assert table.err == ""
    assert len(table.out.splitlines()) == 9
    tracks = recsys("list", "--json").json
    assert len(tracks) == 8
    assert len(recsys("list", "--limit", 3, "--json").json) == 3
    assert [track["tags"]["title"] for track in recsys("list", "ANNA", "third", "--json").json] == [
        "Third"
    ]
    nothing = recsys("list", "polka")
    assert (nothing.status, nothing.out, nothing.err) == (0, "", "no track matches.\n")
    assert recsys("list", "polka", "--json").json == []


def test_show(shop: Shop, catalog: Path) -> None:
    shown = recsys("show", "third", "--json").json
    assert shown["file"] == str(shop.music / "three.ogg")
    assert datetime.fromisoformat(shown["analysed_at"]).utcoffset() is not None
    assert sum(shown["genre_probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert len(shown["spaces"]) == 1
    text = recsys("show", shown["id"]).out
    for word in ("Third", "Anna", str(shop.music / "three.ogg"), shown["content_hash"], "0:02"):
        assert word in text


def test_show_a_track_whose_file_is_missing(shop: Shop, catalog: Path) -> None:
    track_id = recsys("show", "fourth", "--json").json["id"]
    with Catalog.open(str(catalog)) as opened, opened.writing() as write:
        write.missing([track_id])
    for query in (track_id, shop.music / "four.ogg", "fourth"):
        assert recsys("show", query, "--json").json["state"] == "missing"
    assert "missing" in recsys("show", track_id).out
    assert recsys("prune").out == "1 missing track dropped.\n"
    assert recsys("show", track_id).status == 1


def test_show_says_why_a_file_is_not_there(shop: Shop, catalog: Path) -> None:
    failed = recsys("show", shop.music / "text.mp3")
    assert failed.status == 1
    assert "could not be analysed (unreadable)" in failed.err
    new = recsys("show", shop.music / "notes.txt")
    assert f"'recsys ingest {shop.music}'" in new.err


def test_a_video_without_sound_is_no_failure(catalog: Path) -> None:
    (failure,) = recsys("failures", "--json").json
    assert failure["path"] == "text.mp3"
    assert failure["file"].endswith("/music/text.mp3")
    assert datetime.fromisoformat(failure["failed_at"]).utcoffset() is not None
    assert "silent film" not in recsys("failures").out
    assert recsys("status", "--json").json["failures"] == 1


def test_status(shop: Shop, catalog: Path) -> None:
    status = recsys("status", "--json").json
    assert (status["analysed"], status["missing"], status["libraries"]) == (8, 0, 1)
    assert status["spaces"] == {status["active_space"]: 8}
    text = recsys("status")
    assert text.err == ""
    assert str(shop.music) in text.out
    assert text.out.splitlines()[0].startswith("catalogue")


def test_status_says_what_a_query_finds(catalog: Path) -> None:
    """The shop is small, and searched exactly."""
    assert recsys("similar", 1).status == 0
    index = recsys("status", "--json").json["index"]
    assert (index["recall"], index["measured_at"], index["trouble"]) == (1, 8, None)
    assert "exact, measured with 8 tracks" in recsys("status").out
    Path(index["file"]).unlink()
    assert "the next query builds it" in recsys("status").out


@pytest.mark.parametrize("command", ["list", "status", "failures", "verify", "prune"])
def test_no_catalogue_is_made_by_who_only_reads(command: str, tmp_path: Path) -> None:
    folder = tmp_path / "mistyped" / "catalog.db"
    output = recsys(command, "--db", folder)
    assert (output.status, output.out) == (1, "")
    assert "recsys ingest FOLDER" in output.err
    assert not folder.parent.exists()


def test_an_empty_catalogue() -> None:
    assert recsys("db", "upgrade").status == 0
    assert recsys("list", "--json").json == []
    assert recsys("failures", "--json").json == []
    assert recsys("status", "--json").json["active_space"] is None
    assert recsys("library", "list", "--json").json == []
    for command in ("list", "status", "failures"):
        assert recsys(command).err.count("\n") == 1


def test_export(catalog: Path) -> None:
    file = catalog.parent / "e.npz"
    assert recsys("export", file).out == f"8 tracks written to {file}\n"
    with np.load(file, allow_pickle=False) as arrays:
        assert len(arrays["embedding"]) == len(arrays["title"]) == 8


def test_damage_is_shown_and_can_be_left_out(catalog: Path, tmp_path: Path) -> None:
    assert recsys("failures", "--damaged").err == "no damaged tracks.\n"
    (folder := tmp_path / "damaged").mkdir()
    path = sounds.write_sound(folder / "half.wav", sounds.music(6.0))
    sounds.truncate(path, 0.5)
    assert recsys("ingest", folder).status == 0
    assert "analysed, damaged" in recsys("list", "half").out
    assert "3.0 of 6.0 s found" in recsys("show", path).out
    assert recsys("show", path, "--json").json["damage"]["claimed_seconds"] == 6.0
    assert "3.0 of 6.0 s found" in recsys("failures", "--damaged").out
    (track,) = recsys("failures", "--damaged", "--json").json
    assert track["path"] == "half.wav"
    listed = [t["path"] for t in neighbours("plain.wav", "-k", 99)]
    assert "half.wav" in listed
    listed.remove("half.wav")
    assert [t["path"] for t in neighbours("plain.wav", "-k", 99, "--no-damaged")] == listed
    sounds.write_sound(path, sounds.music(6.0))  # a good copy takes its place
    recsys("ingest", folder)
    assert recsys("failures", "--damaged", "--json").json == []

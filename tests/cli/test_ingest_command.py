"""`recsys ingest`."""

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import sounds
from command_line import RECSYS, Shop, Terminal, recsys


def test_second_ingest(shop: Shop, catalog: Path) -> None:
    report = recsys("ingest", shop.music, "--json").json
    assert (report["unchanged"], report["still_failing"], report["skipped"]) == (8, 1, 2)
    again = recsys("ingest", shop.music)
    assert "8 unchanged" in again.out
    assert again.err == "'recsys failures' lists the files that could not be analysed, and why.\n"
    fewer = recsys("ingest", shop.music, "--exclude", "*.wav", "--json").json
    assert (fewer["unchanged"], fewer["excluded"], fewer["missing"]) == (4, 4, 4)


@pytest.mark.slow
def test_unchanged_files_are_read_again_on_demand(catalog: Path, tmp_path: Path) -> None:
    """Also where contents were exchanged behind the back of the file system."""
    music = tmp_path / "own"
    music.mkdir()
    for seed in (1, 2):
        sounds.write_sound(music / f"{seed}.wav", sounds.noise(1.5, 22_050, seed), 22_050)
        os.utime(music / f"{seed}.wav", (1e9, 1e9))
    recsys("ingest", music)
    assert recsys("ingest", music, "--reread-tags", "--json").json["retagged"] == 2
    assert recsys("ingest", music / "1.wav", "--reanalyze", "--json").json["analysed"] == 1
    sounds.write_sound(music / "1.wav", sounds.noise(1.5, 22_050, 3), 22_050)
    os.utime(music / "1.wav", (1e9, 1e9))
    found = [(f["kind"], f["where"]) for f in recsys("verify", "--content", "--json").json]
    assert ("content", str(music / "1.wav")) in found
    assert recsys("ingest", music, "--json").json["unchanged"] == 2
    report = recsys("ingest", music, "--reread-tags", "--json").json
    assert (report["analysed"], report["retagged"]) == (1, 1)
    found = [(f["kind"], f["where"]) for f in recsys("verify", "--content", "--json").json]
    assert ("content", str(music / "1.wav")) not in found


def test_a_folder_renamed_behind_a_link(shop: Shop, catalog: Path, tmp_path: Path) -> None:
    """Nothing is analysed twice; the next list and playlist name what is there."""
    shutil.copytree(shop.music, tmp_path / "v1")
    recsys("library", "move", shop.music, tmp_path / "v1")
    (tmp_path / "v1").rename(tmp_path / "v2")
    (tmp_path / "link").symlink_to("v2")
    report = recsys("ingest", tmp_path / "link", "--json").json
    assert (report["moved"], report["analysed"], report["missing"]) == (8, 0, 0)
    assert len(recsys("library", "list", "--json").json) == 1
    playlist = recsys("similar", "first light", "--m3u", "-", "--absolute").out.splitlines()
    named = [Path(line) for line in playlist if line[0] != "#"]
    assert named
    assert all(file.is_relative_to(tmp_path / "v2") and file.exists() for file in named)
    assert "0 missing tracks dropped" in recsys("prune").out


def test_a_library_that_was_ingested_twice_is_moved(
    shop: Shop, catalog: Path, tmp_path: Path
) -> None:
    """Two tracks for each file, as an older release left them after a folder was renamed."""
    for name in ("v1", "v2"):
        shutil.copytree(shop.music, tmp_path / name)
    recsys("library", "move", shop.music, tmp_path / "v1")
    recsys("ingest", tmp_path / "v2")
    shutil.rmtree(tmp_path / "v1")
    listed = recsys("similar", "first light", "--m3u", "-", "--absolute").out
    assert str(tmp_path / "v1") not in listed
    (fix,) = [f["fix"] for f in recsys("verify", "--json").json if f["kind"] == "folder gone"]
    assert "library move" in fix
    assert recsys("library", "move", tmp_path / "v1", tmp_path / "v2").status == 0
    assert recsys("verify", "--json").json == []
    report = recsys("ingest", "--json").json
    assert (report["unchanged"], report["scanned"]) == (8, 11)


def test_weights_that_are_not_shipped_say_how_to_make_them(shop: Shop) -> None:
    refused = recsys("ingest", shop.music, "--model", "resnet101")
    assert refused.status == 1
    assert "recsys train resnet101 --gtzan GTZAN --out runs/resnet101" in refused.err


@pytest.fixture
def obeys_interrupts() -> Iterator[None]:
    """Children are interrupted also where the tests are a shell's background job, which is not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("obeys_interrupts")
def test_ctrl_c_during_an_ingest(tmp_path: Path) -> None:
    music, database = tmp_path / "music", tmp_path / "catalog.db"
    music.mkdir()
    assert recsys("ingest", music).status == 0  # a catalogue that knows its library and its model
    lock = database.with_name(f"{database.name}.ingest.lock")
    lock.unlink(missing_ok=True)
    for seed in range(3):
        sounds.write_sound(music / f"{seed}.wav", sounds.noise(1.5, 22_050, seed), 22_050)
    # However slow this process is, the ingest cannot end before the signal: its results can only be
    # written once the database is released.
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as held:
        held.execute("BEGIN IMMEDIATE")
        process = subprocess.Popen(
            [*RECSYS, "ingest", str(music), "--workers", "1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while process.poll() is None and not lock.exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        held.execute("ROLLBACK")
    _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    report = recsys("ingest", music, "--workers", 1, "--json")
    assert report.status == 0
    assert report.json["analysed"] + report.json["unchanged"] == 3
    assert recsys("verify").status == 0


def test_ingest_without_a_path_scans_the_known_folders(shop: Shop, catalog: Path) -> None:
    report = recsys("ingest", "--json").json
    assert (report["scanned"], report["unchanged"]) == (11, 8)


def test_ingest_of_a_single_file(shop: Shop, catalog: Path) -> None:
    report = recsys("ingest", shop.music / "one.flac", "--json").json
    assert (report["scanned"], report["unchanged"], report["missing"]) == (1, 1, 0)


def test_a_failed_ingest_leaves_no_catalogue(shop: Shop, tmp_path: Path) -> None:
    database = tmp_path / "new" / "catalog.db"
    for words in ((tmp_path / "absent",), (shop.music, "--model", "nonesuch"), ()):
        output = recsys("ingest", *words, "--db", database)
        assert output.status == 1
        assert output.err.count("\n") == 1
        assert not database.parent.exists()


def test_tracks_of_an_absent_folder_are_unavailable_and_stay(shop: Shop, tmp_path: Path) -> None:
    music = tmp_path / "disk"
    music.mkdir()
    for name in ("one.flac", "two.flac"):
        shutil.copy(shop.music / name, music)
    assert recsys("ingest", music, "--workers", 1, "--json").json["analysed"] == 2
    music.rename(tmp_path / "elsewhere")
    output = recsys("ingest")
    assert output.status == 0
    assert output.err.startswith(f"unavailable: {music} is absent or empty; its tracks (2)")
    assert output.err.count("\n") == 1
    assert recsys("status", "--json").json["unavailable"] == 2
    assert "tracks unavailable    2" in recsys("status").out
    query = recsys("similar", 1)
    assert (query.status, query.out) == (1, "")
    assert "(2 unavailable tracks): mount their disk, then run 'recsys ingest'" in query.err
    pruned = recsys("prune")
    assert pruned.out == "0 missing tracks dropped.\n"
    assert pruned.err.startswith("left: 2 unavailable tracks")
    (library,) = recsys("library", "list", "--json").json
    assert (library["state"], library["analysed"], library["unavailable"]) == ("absent", 0, 2)
    (tmp_path / "elsewhere").rename(music)
    assert recsys("ingest", "--json").json["found_again"] == 2
    assert recsys("status", "--json").json["analysed"] == 2


def test_progress_of_an_ingest_on_a_terminal(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    output = recsys("ingest", shop.music, "--workers", 1, stream=Terminal)
    text = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", output.err)
    assert re.search(r"analysing .* 10/10 \d+\.\d/s  0:00 left  1 failed  \S+\.\w+", text)
    assert "indexing" in text
    assert max(map(len, re.split(r"[\r\n]", text))) <= 80


def test_limits(shop: Shop, catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert recsys("ingest", shop.music, "--limits", "2GB,1.5min").status == 0
    assert recsys("ingest", shop.music, "--limits", "300s").status == 0
    assert recsys("ingest", shop.music, "--timeout", "300").status == 0
    for wrong, reason in {"fast": "no limit", "1MB": "128 MB at least", "0s": "above 0 s"}.items():
        refused = recsys("ingest", shop.music, "--limits", wrong)
        assert refused.status == 2
        assert reason in " ".join(refused.err.split())
    monkeypatch.setenv("RECSYS_LIMITS", "much")
    assert recsys("ingest", shop.music).status == 2


def test_a_sound_that_takes_too_much_is_named(shop: Shop, catalog: Path, tmp_path: Path) -> None:
    many = tmp_path / "many.wav"
    sf.write(many, np.full((48_000, 1_000), 0.1, np.float32), 48_000, format="WAV")
    refused = recsys("similar", many, "--limits", "128MB,0.05s")
    assert refused.status == 1
    assert "many.wav: It takes too long" in refused.err
    assert "--limits" in refused.err
    assert len(refused.err.splitlines()) == 1

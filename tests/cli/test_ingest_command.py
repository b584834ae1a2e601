"""`recsys ingest`."""

import contextlib
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import sounds
from command_line import RECSYS, Shop, recsys


def test_second_ingest(shop: Shop, catalog: Path) -> None:
    report = recsys("ingest", shop.music, "--json").json
    assert (report["unchanged"], report["still_failing"], report["skipped"]) == (8, 1, 2)
    again = recsys("ingest", shop.music)
    assert "8 unchanged" in again.out
    assert again.err == "'recsys failures' lists what could not be analysed, and why.\n"
    fewer = recsys("ingest", shop.music, "--exclude", "*.wav", "--json").json
    assert (fewer["unchanged"], fewer["excluded"], fewer["missing"]) == (4, 4, 4)


def test_weights_that_are_not_shipped_say_how_to_make_them(shop: Shop) -> None:
    refused = recsys("ingest", shop.music, "--model", "resnet101")
    assert refused.status == 1
    assert "recsys train resnet101 --gtzan GTZAN --out runs/resnet101" in refused.err


def test_ctrl_c_during_an_ingest(tmp_path: Path) -> None:
    music, database = tmp_path / "music", tmp_path / "catalog.db"
    music.mkdir()
    assert recsys("ingest", music).status == 0  # a catalogue that knows its library and its model
    lock = database.with_name(f"{database.name}.ingest.lock")
    lock.unlink(missing_ok=True)
    for seed in range(3):
        sounds.write_sound(music / f"{seed}.wav", sounds.noise(1.5, 22_050, seed), 22_050)
    # However slow this process is, the ingest cannot end before the signal: what it analyses can only
    # be written once the database is given back.
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

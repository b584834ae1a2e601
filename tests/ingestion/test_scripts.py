"""`ingest` called from scripts, with and without ``if __name__ == "__main__":``."""

import subprocess
import sys
from pathlib import Path

import pytest
import sounds
import torch

from recommender.catalog import Catalog
from recommender.errors import UsageError
from recommender.ingestion import IngestSettings, ingest

UNGUARDED = """
import sys
from recommender import Catalog
from recommender.ingestion import IngestSettings, ingest, ingest

with Catalog.open(sys.argv[1]) as catalog:
    settings = IngestSettings(workers=int(sys.argv[3]), update_index=False)
    print(ingest(catalog, sys.argv[2], settings).analysed)
"""


def run(tmp_path: Path, workers: int) -> "subprocess.CompletedProcess[str]":
    (tmp_path / "music").mkdir()
    for seed in range(2):
        samples = sounds.music(1.2, 22_050, seed)
        sounds.write_sound(tmp_path / "music" / f"{seed}.wav", samples, 22_050)
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    command = [sys.executable, script, tmp_path / "catalog.db", tmp_path / "music", str(workers)]
    return subprocess.run(command, capture_output=True, text=True)


def test_an_unguarded_script_with_one_worker_works(tmp_path: Path) -> None:
    done = run(tmp_path, 1)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")


def test_the_error_of_an_unguarded_script_with_more_names_the_guard(tmp_path: Path) -> None:
    done = run(tmp_path, 2)
    assert done.returncode == 1
    assert 'if __name__ == "__main__"' in done.stderr.splitlines()[-1]
    assert "memory" not in done.stderr
    assert done.stderr.count("Traceback") == 1
    with Catalog.open(str(tmp_path / "catalog.db")) as catalog:
        assert catalog.counts().analysed == 0


def test_this_process_and_others_compute_the_same(tmp_path: Path) -> None:
    samples = sounds.music(3, 22_050, 1)
    sounds.write_sound(tmp_path / "a.wav", samples, 22_050)
    found = []
    for in_process in (True, False):
        settings = IngestSettings(workers=1, in_process=in_process, update_index=False)
        threads = torch.get_num_threads()
        with Catalog.open(tmp_path / f"{in_process}.db") as catalog:
            ingest(catalog, tmp_path / "a.wav", settings)
            _, activations = catalog.activations(settings.space())
        assert torch.get_num_threads() == threads
        found.append(activations.tobytes())
    assert found[0] == found[1]


def test_who_analyses() -> None:
    assert not IngestSettings(workers=1).starts_processes
    assert IngestSettings(workers=1, in_process=False).starts_processes
    assert IngestSettings(workers=2).starts_processes
    with pytest.raises(UsageError, match="one process"):
        IngestSettings(workers=2, in_process=True)

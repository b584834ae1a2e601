"""`ingest` called from scripts; what it and its workers load."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sounds

from recommender import Embedder
from recommender.catalog import Catalog
from recommender.ingestion import IngestSettings, ingest

UNGUARDED = """
import sys
from recommender import Catalog
from recommender.ingestion import IngestSettings, ingest

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


@pytest.mark.parametrize("workers", [1, 2])
def test_a_script_needs_no_guard(tmp_path: Path, workers: int) -> None:
    done = run(tmp_path, workers)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")


def test_workers_compute_what_an_embedder_here_does(tmp_path: Path) -> None:
    file = sounds.write_sound(tmp_path / "a.wav", sounds.music(3, 22_050, 1), 22_050)
    settings = IngestSettings(workers=1, update_index=False)
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        ingest(catalog, file, settings)
        _, activations = catalog.activations(settings.space())
    computed = Embedder.load().analyse(file).activations
    assert np.array_equal(activations[0], computed.astype(np.float16))  # as they are stored


INGEST_AND_QUERY = """
import sys, threading, time
from pathlib import Path
from recommender import Catalog, IngestSettings, SimilarityService, ingest

mapped = set()

def watch():
    while True:
        for maps in Path("/proc").glob("[0-9]*/maps"):
            try:
                parent = (maps.parent / "stat").read_text().rpartition(")")[2].split()[1]
                if parent == str(OWN) and "libtorch" in maps.read_text():
                    mapped.add(maps.parent.name)
            except OSError:
                pass
        time.sleep(0.05)

import os
OWN = os.getpid()
threading.Thread(target=watch, daemon=True).start()
with Catalog.open(sys.argv[1]) as catalog:
    assert ingest(catalog, sys.argv[2], IngestSettings(workers=2)).analysed == 2
with SimilarityService.open(sys.argv[1]) as service:
    service.similar(Path(sys.argv[3]), k=1)
print(mapped, [name for name in ("torch", "scipy", "sklearn", "librosa") if name in sys.modules])
"""


@pytest.mark.slow
def test_neither_ingest_nor_a_query_by_file_loads_torch(tmp_path: Path) -> None:
    """Neither this process nor those that it starts."""
    (tmp_path / "music").mkdir()
    for seed in range(2):
        samples = sounds.music(3, 22_050, seed)
        sounds.write_sound(tmp_path / "music" / f"{seed}.wav", samples, 22_050)
    other = sounds.write_sound(tmp_path / "other.wav", sounds.music(3, 22_050, 7), 22_050)
    script = tmp_path / "script.py"
    script.write_text(INGEST_AND_QUERY)
    arguments = [tmp_path / "catalog.db", tmp_path / "music", other]
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "set() []\n"), done.stderr

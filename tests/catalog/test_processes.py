"""Several processes may use one catalogue; one that dies leaves it consistent."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from catalogs import SPACE, analyse, revision

from recommender.catalog import (
    Catalog,
    Library,
)
from recommender.errors import CatalogError


def test_a_writer_that_waits_in_vain_says_so(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.catalog.engine.PATIENCE_SECONDS", 0.01)
    with Catalog.open(catalog.url) as waiting, catalog.writing():
        assert waiting.counts().analysed == 0  # reading need not wait
        with pytest.raises(CatalogError, match="Another process is writing"):
            waiting.set_active(SPACE, {})


def test_a_library_that_another_process_absorbed_cannot_be_written(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    catalog.scope_of(tmp_path)
    with pytest.raises(CatalogError, match="Run the command again"):
        analyse(catalog, library, "a.wav")


ANALYSES_MANY = """
import sys
import numpy as np
from recommender.catalog import Catalog, FileStat, Tags
from recommender.embedding.space import Analysis, SpaceId

url, root, name, number = sys.argv[1:]
space = SpaceId("conv1d-encoder", "0a1b", "2c3d")
with Catalog.open(url) as catalog:
    library = catalog.libraries()[0]
    for start in range(0, int(number), 5):
        with catalog.writing() as write:
            for n in range(start, start + 5):
                analysed = Analysis(np.full(4, n, np.float32), {"rock": 1.0}, 1.0, (), space)
                for path in (f"{name}/{n}", f"both/{n}"):
                    write.analysed(library, FileStat(path, n, n), f"{n}", Tags(), analysed, name)
        print(start, flush=True)
"""


def start_analysing(
    catalog: Catalog, library: Library, name: str, number: int
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ANALYSES_MANY, catalog.url, str(library.root), name, str(number)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_write_at_once(catalog: Catalog, library: Library) -> None:
    before = revision(catalog)
    processes = [start_analysing(catalog, library, name, 200) for name in ("one", "two")]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0]
    assert catalog.counts().analysed == 3 * 200
    assert revision(catalog) == before + 2 * 40
    ids, matrix = catalog.activations(SPACE)
    assert matrix[:, 0].tolist() == [track.size for track in catalog.tracks(ids.tolist())]


def test_a_killed_process_leaves_whole_transactions(catalog: Catalog, library: Library) -> None:
    before = revision(catalog)
    process = start_analysing(catalog, library, "one", 1_000_000)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 50:
            break
    process.kill()
    process.communicate()
    with Catalog.open(catalog.url) as again:
        counts = again.counts()
        assert counts.analysed == 10 * (revision(again) - before)
        assert counts.analysed >= 110
        assert len(again.activations(SPACE)[0]) == counts.analysed
        analyse(again, library, "goes on")
    if catalog.file is None:
        return
    connection = sqlite3.connect(catalog.file)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()

"""Published generations: whole or not there, verified, and followed by copies of the catalogue."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from catalogs import stat

from recommender.catalog import Catalog, Tags
from recommender.embedding.space import Analysis
from recommender.errors import CatalogError, IndexDamaged
from recommender.ingestion import IngestSettings
from recommender.recommendation.service import SimilarityService
from recommender.search import published as publishing
from recommender.search.catalog_index import CatalogIndex
from recommender.search.published import export_index, import_index

SETTINGS = IngestSettings()
SPACE = SETTINGS.space()
DIMENSION = 3530


def add(catalog: Catalog, numbers: range) -> None:
    library, _ = catalog.scope_of("/music")
    with catalog.writing() as write:
        for number in numbers:
            vector = np.random.default_rng(number).normal(size=DIMENSION).astype(np.float32)
            one = Analysis(vector, {"rock": 1.0}, 60.0, ((0.0, 10.0),), SPACE)
            write.analysed(library, stat(f"{number}.flac"), str(number), Tags(), one, "test")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "first" / "music.db") as catalog:
        catalog.set_active(SPACE, SETTINGS.analysis_settings())
        add(catalog, range(240))
        yield catalog


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "published"


def similar(database: Path, seed: int = 1) -> list[tuple[int, float]]:
    with SimilarityService.open(database, "cpu") as service:
        return [(near.track.id, near.similarity) for near in service.similar(seed, k=20)]


def is_current(database: Path) -> bool:
    """Whether the index beside it is that of the catalogue, without building anything."""
    with Catalog.open(database) as catalog:
        return CatalogIndex.of_active_space(catalog).is_current(catalog.state())


def test_a_copy_follows(catalog: Catalog, folder: Path, tmp_path: Path) -> None:
    replica = tmp_path / "second" / "copy.db"
    assert catalog.file is not None
    first = export_index(catalog, folder)
    assert export_index(catalog, folder) == first
    assert import_index(replica, folder) == (first, True)
    assert import_index(replica, folder) == (first, False)
    assert is_current(replica)
    assert similar(replica) == similar(catalog.file)
    with SimilarityService.open(replica, "cpu") as serving:
        serving.similar(1, k=5)
        add(catalog, range(240, 250))
        second = export_index(catalog, folder)
        assert second.generation == first.generation  # only the segment is new
        assert import_index(replica, folder) == (second, True)
        assert [near.track.id for near in serving.similar(250, k=5)]
    assert is_current(replica)
    assert similar(replica, 250) == similar(catalog.file, 250)
    add(catalog, range(250, 600))
    export_index(catalog, folder)
    assert import_index(replica, folder)[1]
    assert similar(replica, 600) == similar(catalog.file, 600)
    assert len([one for one in folder.iterdir() if one.is_dir()]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index", "catalog.db", "manifest.json", "../current.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_generation_changes_nothing(
    catalog: Catalog, folder: Path, tmp_path: Path, name: str, damage: str
) -> None:
    replica = tmp_path / "second" / "copy.db"
    export_index(catalog, folder)
    import_index(replica, folder)
    before = {file.name: file.read_bytes() for file in replica.parent.iterdir()}
    add(catalog, range(240, 900))  # a new base
    file = folder / export_index(catalog, folder).name / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(content if damage == "flip" else content[: len(content) // 2])
    with pytest.raises(IndexDamaged, match="Export it again") as caught:
        import_index(replica, folder)
    assert "\n" not in str(caught.value)
    after = {file.name: file.read_bytes() for file in replica.parent.iterdir()}
    if name == "index":  # the database is whole, and goes first
        before |= {key: after[key] for key in after if ".db" in key}
    assert {k: v for k, v in after.items() if "lock" not in k and "-" not in k} == {
        k: v for k, v in before.items() if "lock" not in k and "-" not in k
    }
    assert similar(replica)


def test_what_is_not_of_this_catalogue_is_refused(
    catalog: Catalog, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(IndexDamaged, match="cannot be used"):
        import_index(tmp_path / "copy.db", folder)
    export_index(catalog, folder)
    other = tmp_path / "other.db"
    Catalog.open(other).close()
    with pytest.raises(CatalogError, match="another catalogue"):
        import_index(other, folder)
    current = folder / "current.json"
    named = json.loads(current.read_text())
    current.write_text(json.dumps(named | {"name": "../../etc"}))
    with pytest.raises(IndexDamaged, match="a path"):
        import_index(tmp_path / "copy.db", folder)


EXPORTS = """
import os, sys
from pathlib import Path
from recommender.catalog import Catalog
from recommender.search import published

steps = int(sys.argv[3])
for name in ("_copied", "_write"):
    def counted(*arguments, own=getattr(published, name)):
        global steps
        steps -= 1
        if steps < 0:
            os._exit(9)
        return own(*arguments)
    setattr(published, name, counted)
with Catalog.open(sys.argv[1]) as catalog:
    published.export_index(catalog, sys.argv[2])
"""


@pytest.mark.slow
def test_an_export_that_is_killed_leaves_the_one_before(
    catalog: Catalog, folder: Path, tmp_path: Path
) -> None:
    replica = tmp_path / "copy.db"
    first = export_index(catalog, folder)
    add(catalog, range(240, 250))
    for steps in range(4):
        words = [sys.executable, "-c", EXPORTS, str(catalog.file), str(folder), str(steps)]
        assert subprocess.run(words, check=False).returncode == 9
        shutil.rmtree(replica.parent / "none", ignore_errors=True)
        published, _ = import_index(replica, folder)
        assert published == first
    second = export_index(catalog, folder)
    assert second != first
    assert import_index(replica, folder) == (second, True)


def test_a_generation_that_is_dropped_while_it_is_read_is_looked_up_again(
    catalog: Catalog, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_index(catalog, folder)
    read = publishing._current
    seen: list[str] = []

    def overtaken(of: Path) -> publishing.Published:
        found = read(of)
        if not seen:
            shutil.rmtree(of / found.name)
            add(catalog, range(240, 250))
            export_index(catalog, folder)
        seen.append(found.name)
        return found

    monkeypatch.setattr(publishing, "_current", overtaken)
    published, changed = import_index(tmp_path / "copy.db", folder)
    assert changed
    assert seen == [seen[0], published.name]

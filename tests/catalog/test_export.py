"""Exported files are read back with what a researcher has: NumPy without pickles, pyarrow."""

import json
import os
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from recommender.catalog import Catalog, FileStat, Tags
from recommender.catalog.column_types import decode_path
from recommender.catalog.export import ABSENT_NUMBER, export
from recommender.catalog.projector import catalog_projector
from recommender.embedding.model_files import find_model
from recommender.embedding.space import Analysis
from recommender.errors import CatalogError, UsageError
from recommender.ingestion import IngestSettings

SETTINGS = IngestSettings(workers=1)
SPACE = SETTINGS.space()
DIMENSION = len(find_model(SETTINGS.model).projection().mean)
NAMES = ("a.mp3", "sub/ä.flac", os.fsdecode(b"bad\xff.wav"), "missing.ogg")
TAG_COLUMNS = [field.name for field in fields(Tags) if field.default != ()]
ISRCS = ("USRC17607839", "GBAYE0601498")
TAGS = (
    Tags("Lied", "Änne", "Album", "Various", "Folk", 3, 1999, isrcs=ISRCS),
    Tags(title="日本"),
    Tags(),
    Tags("gone"),
)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("export")
    rng = np.random.default_rng(0)
    with Catalog.open(str(folder / "catalog.db")) as catalog:
        library, _ = catalog.scope_of(folder / "music")
        with catalog.writing() as write:
            for number, (name, tags) in enumerate(zip(NAMES, TAGS, strict=True)):
                activations = rng.normal(size=DIMENSION).astype(np.float32)
                genres = {"rock": number / 4, "folk": 1 - number / 4}
                analysed = Analysis(activations, genres, 60.5 + number, ((0.0, 10.0),), SPACE)
                write.analysed(library, FileStat(name, 1, 1), f"{number}", tags, analysed, "test")
            write.missing([4])
        catalog.set_active(SPACE, SETTINGS.analysis_settings())
        yield catalog


def test_npz(catalog: Catalog, tmp_path: Path) -> None:
    assert export(catalog, tmp_path / "e.npz") == 3
    with np.load(tmp_path / "e.npz", allow_pickle=False) as data:
        arrays = dict(data)
    ids, activations = catalog.activations(SPACE)
    assert arrays["id"].tolist() == ids.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(arrays["activations"], activations)
    projector = catalog_projector(catalog)
    np.testing.assert_array_equal(arrays["embedding"], projector.project(activations))
    assert str(arrays["space"]) == str(projector.space)
    assert arrays["embedding"].dtype == arrays["activations"].dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(arrays["embedding"], axis=1), 1, rtol=1e-5)
    for name in TAG_COLUMNS:
        absent = ABSENT_NUMBER if name in ("track_number", "year") else ""
        known = [getattr(tags, name) for tags in TAGS[:3]]
        assert arrays[name].tolist() == [absent if tag is None else tag for tag in known]
    assert arrays["isrcs"].tolist() == ["; ".join(ISRCS), "", ""]
    assert arrays["duration"].tolist() == [60.5, 61.5, 62.5]
    assert arrays["predicted_genre"].tolist() == ["folk", "folk", "rock"]
    assert arrays["genre_labels"].tolist() == ["rock", "folk"]
    assert arrays["genre_probabilities"].dtype == np.float32
    assert arrays["genre_probabilities"].tolist() == [[0, 1], [0.25, 0.75], [0.5, 0.5]]
    root = catalog.libraries()[0].root
    assert [decode_path(path) for path in arrays["path"]] == [str(root / n) for n in NAMES[:3]]
    assert arrays["path"][2].endswith(r"bad\xff.wav")


def test_parquet(catalog: Catalog, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert export(catalog, tmp_path / "e.parquet") == 3
    table = parquet.read_table(tmp_path / "e.parquet")
    ids, activations = catalog.activations(SPACE)
    assert table["id"].to_pylist() == ids.tolist()
    np.testing.assert_array_equal(np.array(table["activations"].to_pylist(), "f4"), activations)
    export(catalog, tmp_path / "e.npz")
    with np.load(tmp_path / "e.npz") as arrays:
        embedding = np.array(table["embedding"].to_pylist(), "f4")
        np.testing.assert_array_equal(embedding, arrays["embedding"])
        assert table.schema.metadata[b"space"].decode() == str(arrays["space"])
        assert table["path"].to_pylist() == arrays["path"].tolist()
        labels = json.loads(table.schema.metadata[b"genre_labels"])
        assert labels == arrays["genre_labels"].tolist()
        probabilities = np.array(table["genre_probabilities"].to_pylist(), "f4")
        np.testing.assert_array_equal(probabilities, arrays["genre_probabilities"])
    for name in TAG_COLUMNS:
        assert table[name].to_pylist() == [getattr(tags, name) for tags in TAGS[:3]]


@pytest.mark.parametrize("ending", ["npz", "parquet"])
def test_an_export_that_fails_leaves_the_file_there_was(
    catalog: Catalog, tmp_path: Path, ending: str
) -> None:
    resource = pytest.importorskip("resource")
    if ending == "parquet":
        pytest.importorskip("pyarrow.parquet")
    file = tmp_path / f"e.{ending}"
    file.write_bytes(b"an older export")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, before[1]))  # as a disk that is full does
    try:
        with pytest.raises(OSError, match="too large"):
            export(catalog, file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert file.read_bytes() == b"an older export"
    assert list(tmp_path.iterdir()) == [file]
    assert export(catalog, file) == 3
    assert file.read_bytes() != b"an older export"


def test_a_link_is_written_through(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "e.npz").symlink_to(tmp_path / "disk" / "e.npz")
    export(catalog, tmp_path / "e.npz")
    assert (tmp_path / "e.npz").is_symlink()
    assert (tmp_path / "disk" / "e.npz").is_file()


def test_what_cannot_be_exported(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ends in"):
        export(catalog, tmp_path / "e.csv")
    with pytest.raises(UsageError, match="no folder"):
        export(catalog, tmp_path / "absent" / "e.npz")
    with Catalog.open(str(tmp_path / "new.db")) as empty, pytest.raises(CatalogError):
        export(empty, tmp_path / "e.npz")
    with pytest.raises(TypeError, match=r"str or an os\.PathLike"):
        export(catalog, 3)  # type: ignore[arg-type]
    assert list(tmp_path.glob("e.*")) == []


def test_one_catalogue_is_opened(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Catalog:
        raise AssertionError("a second catalogue")

    monkeypatch.setattr(Catalog, "open", refuse)
    assert export(catalog, str(tmp_path / "e.npz")) == 3

"""`CatalogIndex` brings the index file up to date, as ingest needs it."""

from pathlib import Path

import numpy as np
import pytest

from recommender.catalog import Catalog, FileStat, Tags
from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.model_files import find_model
from recommender.embedding.space import Analysis
from recommender.errors import CatalogError
from recommender.ingestion import IngestSettings
from recommender.recommendation.service import SimilarityService
from recommender.search import catalog_index
from recommender.search.catalog_index import CatalogIndex
from recommender.search.reranking import RerankingSettings
from recommender.search.track_columns import TrackColumnSource

SETTINGS = IngestSettings(workers=1)


def add(catalog: Catalog, number: int) -> None:
    dimension = len(find_model(SETTINGS.model).projection().mean)
    activations = np.random.default_rng(number).standard_normal(dimension).astype(np.float32)
    library, _ = catalog.scope_of(Path("/music"))
    with catalog.writing() as write:
        analysis = Analysis(activations, {}, 60.0, (), SETTINGS.space())
        stat = FileStat(f"{number}.ogg", 1, 1)
        write.analysed(library, stat, str(number), Tags(), analysis, "test")


@pytest.fixture
def catalog(tmp_path: Path):
    with Catalog.open(str(tmp_path / "catalog.db")) as catalog:
        catalog.set_active(SETTINGS.space(), SETTINGS.analysis_settings())
        for number in range(4):
            add(catalog, number)
        yield catalog


def test_it_is_built_once_for_a_revision(catalog: Catalog) -> None:
    built: list[int] = []
    first = CatalogIndex.of_active_space(catalog, "cpu").update(built.append)
    again = CatalogIndex.of_active_space(catalog, "cpu").update(built.append)
    assert built == [4]
    assert first.vectors.tobytes() == again.vectors.tobytes()
    assert first.columns["view"].whole().tobytes() == again.columns["view"].whole().tobytes()
    add(catalog, 9)
    assert len(CatalogIndex.of_active_space(catalog, "cpu").update(built.append)) == 5
    assert built == [4, 5]


def test_a_service_finds_it_current(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    CatalogIndex.of_active_space(catalog, "cpu").update()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(CatalogIndex, "_build", refuse)
    with SimilarityService.open(catalog.url, "cpu") as service:
        assert len(service.similar(1)) == 3


def test_other_settings_or_another_detector_make_it_stale(catalog: Catalog) -> None:
    projector = catalog_index.catalog_projector(catalog)
    state = catalog.state()
    columns = CatalogIndex.of_active_space(catalog, "cpu").columns
    CatalogIndex(catalog, projector, columns, "cpu").update()
    assert CatalogIndex(catalog, projector, columns, "cpu").is_current(state)
    other = RerankingSettings(alpha=0.4)
    assert not CatalogIndex(catalog, projector, columns, "cpu", other).is_current(state)
    other_columns = TrackColumnSource(catalog, DuplicateDetector())
    assert not CatalogIndex(catalog, projector, other_columns, "cpu").is_current(state)


def test_what_duplicate_detection_compares_is_kept(catalog: Catalog) -> None:
    projector = catalog_index.catalog_projector(catalog)
    index = CatalogIndex.of_active_space(catalog, "cpu").update()
    _, activations = catalog.activations(SETTINGS.space())
    views = projector.duplicate_detector.view(activations)
    np.testing.assert_array_equal(index.columns["view"].whole(), views)


def test_nothing_to_index(tmp_path: Path) -> None:
    with (
        Catalog.open(str(tmp_path / "empty.db")) as empty,
        pytest.raises(CatalogError, match="recsys ingest"),
    ):
        CatalogIndex.of_active_space(empty).update()

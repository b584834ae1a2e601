"""How far an index that is kept up to date may be from one that is built anew, and what ends it."""

from pathlib import Path

import numpy as np
import pytest
from test_index_lifecycle import SETTINGS, START, Library
from toy_world import ToyEmbedder, same_sound

from recommender.recommendation.service import SimilarityService
from recommender.search import catalog_index as lifecycle


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setattr(lifecycle, "LEAST_SEGMENT", 24)  # at least 3 tracks of drift, too
    monkeypatch.setattr(lifecycle, "SEGMENT_ROWS", 1000)  # so that drift alone is what counts
    return Library(tmp_path)


def within_the_bound() -> int:
    return int(lifecycle.DRIFT * START)


def served(library: Library, service: SimilarityService, more: int) -> SimilarityService:
    """The service after `more` tracks were added, it was asked, and its threads have ended."""
    service.index()
    library.add(range(START, START + more))
    assert service.similar(START + more)  # is in the lists at once
    service._snapshots.close()
    return service


def of(library: Library) -> SimilarityService:
    parts = (library.catalog, ToyEmbedder(), ToyEmbedder, "cpu", same_sound)
    return SimilarityService(*parts, reranking=SETTINGS)


def test_past_the_bound_a_service_computes_the_statistics_anew(library: Library) -> None:
    service = served(library, of(library), within_the_bound() + 1)
    index = service._snapshots._snapshot.index
    assert index.tracks.is_base
    assert index.facts.state == library.catalog.state()
    found = index.database_vectors
    np.testing.assert_allclose(found, library.index().build().database_vectors, atol=1e-5)


def test_up_to_the_bound_what_does_not_change_is_kept(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "LEAST_SEGMENT", 1000)  # no merge for its size
    index = library.index()
    before = index.update()
    library.add(range(START, START + within_the_bound()))
    after = index.tidied(index.update())
    assert not after.tracks.is_base
    changed = after.tracks.segment.rows.ids
    kept = np.setdiff1d(before.ids, changed)
    assert len(kept)
    np.testing.assert_array_equal(
        after.database_vectors[after.rows(kept)], before.database_vectors[before.rows(kept)]
    )


def test_tracks_that_leave_count_as_drift(library: Library) -> None:
    index = library.index()
    index.update()
    with library.catalog.writing() as write:
        write.missing(list(range(1, within_the_bound() + 2)))
    updated = index.update()
    assert index.needs_merge(updated)
    merged = index.merge(updated)
    np.testing.assert_allclose(
        merged.database_vectors, library.index().build().database_vectors, atol=1e-5
    )

"""Only tracks that a mask allows are ranked, and as many of them as there are."""

import numpy as np
import pytest

from recommender.catalog.records import CatalogState
from recommender.embedding.space import SpaceId
from recommender.errors import UsageError
from recommender.search import scan
from recommender.search.cells import CellSettings
from recommender.search.index import TrackIndex

COUNT, K = 3000, 10
CELLS = CellSettings(exact_up_to=100, cells_from=200, cells_per_root=1, energy=0.4)


@pytest.fixture(scope="module", params=["exact", "cells"])
def index(request: pytest.FixtureRequest) -> TrackIndex:
    random = np.random.default_rng(0)
    centres = random.standard_normal((40, 32))
    rows = centres[random.integers(0, 40, COUNT)] + random.standard_normal((COUNT, 32))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return TrackIndex.build(
        np.arange(1, COUNT + 1),
        rows,
        SpaceId("toy", "w", "h", "p"),
        CatalogState("c", 1),
        cells=CELLS if request.param == "cells" else CellSettings(),
    )


@pytest.mark.parametrize("method", ["reranked", "cosine"])
@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.002])
@pytest.mark.parametrize("few", [0, 200])
def test_nearly_all_of_the_best_allowed_are_found(
    index: TrackIndex, method, share: float, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the few allowed are scored one by one, or looked for in more cells."""
    monkeypatch.setattr(scan, "FEW", few)
    allowed = np.random.default_rng(1).uniform(size=COUNT) < share
    compared = index.comparable(method)
    if method == "cosine":
        scores = compared @ compared.T
    else:
        scores = compared.query_vectors @ compared.database_vectors.T
    shares = []
    for row in range(0, COUNT, 100):
        found = index.rank_tracks(index.ids[row : row + 1], K, method, allowed)
        assert found.rows.shape == (1, min(K, allowed.sum()))
        assert allowed[found.rows[0]].all()
        assert index.ids[found.rows[0]].tolist() == found.ids[0].tolist()
        best = np.flatnonzero(allowed)[np.argsort(-scores[row, allowed])][:K]
        last = scores[row, best[-1]] - 1e-5
        good = scores[row, found.rows[0]] >= last
        if method == "reranked":
            good |= found.rows[0] == compared.pinned_first[row]
        shares.append(good.mean())
    assert np.mean(shares) >= 0.98


def test_the_nearest_is_first_where_it_is_allowed(index: TrackIndex) -> None:
    nearest = index.comparable().pinned_first
    for row in range(0, COUNT, 500):
        allowed = np.ones(COUNT, dtype=np.bool_)
        assert (
            index.rank_tracks(index.ids[row : row + 1], K, allowed=allowed).rows[0, 0]
            == (nearest[row])
        )
        allowed[nearest[row]] = False
        found = index.rank_tracks(index.ids[row : row + 1], K, allowed=allowed)
        assert nearest[row] not in found.rows


def test_no_track_allowed_and_masks_that_do_not_fit(index: TrackIndex) -> None:
    none = np.zeros(COUNT, dtype=np.bool_)
    for method in ("reranked", "cosine"):
        assert index.rank_tracks(index.ids[:2], K, method, none).rows.shape == (2, 0)
        assert index.rank(index.vectors[:2], K, method, none).rows.shape == (2, 0)
    for mask in (none[:-1], none.astype(np.int8)):
        with pytest.raises(UsageError, match="does not fit 3000 tracks"):
            index.rank_tracks(index.ids[:1], K, allowed=mask)


def test_recall_is_measured_and_stored(index: TrackIndex) -> None:
    assert index.effort.measured_at == COUNT
    assert index.effort.recall >= CELLS.recall
    if len(index.tracks.base.starts) == 2:  # one cell, all of whose components are scanned
        assert (index.effort.recall, index.effort.probed) == (1, 1)

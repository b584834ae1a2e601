"""The projections of a catalogue's spaces: one of each origin, checked when read."""

from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import pytest
from catalogs import DIMENSION, OTHER_SPACE, SPACE, alter, revision

from recommender.catalog import (
    Catalog,
    ProjectionOrigin,
    StoredProjection,
)
from recommender.embedding.projection import Projection
from recommender.errors import CatalogError


def projection(seed: int = 0, columns: int = 3) -> Projection:
    rng = np.random.default_rng(seed)
    values = (rng.normal(size=shape) for shape in (DIMENSION, (DIMENSION, columns)))
    return Projection(*(value.astype(np.float32) for value in values))


def test_projections_come_back_one_of_each_origin_and_space(catalog: Catalog) -> None:
    projections = {
        (space, origin): projection(seed, columns=seed + 1)
        for seed, (space, origin) in enumerate(product((SPACE, OTHER_SPACE), ProjectionOrigin))
    }
    assert catalog.projection(SPACE, ProjectionOrigin.MODEL) is None
    before = revision(catalog)
    for (space, origin), one in projections.items():
        catalog.store_projection(space, origin, one, {"of": origin.value})
    assert revision(catalog) == before  # no index is stale: it names its projection
    for (space, origin), one in projections.items():
        found = catalog.projection(space, origin)
        assert found is not None
        assert (found.origin, found.details) == (origin, {"of": origin.value})
        assert found.projection.digest == one.digest
        assert np.array_equal(found.projection.matrix, one.matrix)
        assert datetime.now(UTC) - found.stored_at < timedelta(minutes=1)
    assert catalog.spaces() == [(SPACE, 0), (OTHER_SPACE, 0)]


def test_a_projection_is_replaced_and_dropped(catalog: Catalog) -> None:
    def stored() -> StoredProjection:
        found = catalog.projection(SPACE, ProjectionOrigin.MODEL)
        assert found is not None
        return found

    catalog.store_projection(SPACE, ProjectionOrigin.MODEL, projection(0), {"n": 1})
    first = stored()
    catalog.store_projection(SPACE, ProjectionOrigin.MODEL, projection(0), {"n": 1})
    assert stored().stored_at == first.stored_at
    catalog.store_projection(SPACE, ProjectionOrigin.MODEL, projection(1), {"n": 2})
    assert stored().projection.digest == projection(1).digest
    assert stored().details == {"n": 2}
    assert not catalog.drop_projection(SPACE, ProjectionOrigin.ADAPTED)
    assert not catalog.drop_projection(OTHER_SPACE, ProjectionOrigin.MODEL)
    assert catalog.drop_projection(SPACE, ProjectionOrigin.MODEL)
    assert catalog.projection(SPACE, ProjectionOrigin.MODEL) is None


@pytest.mark.parametrize("damage", ["substr(matrix, 5)", "substr(matrix, 17)", "?"])
def test_a_damaged_projection_is_an_error(catalog: Catalog, damage: str) -> None:
    catalog.store_projection(SPACE, ProjectionOrigin.MODEL, projection(), {})
    alter(catalog, f"UPDATE projections SET matrix = {damage}", *[bytes(48)] * damage.count("?"))
    with pytest.raises(CatalogError, match="damaged"):
        catalog.projection(SPACE, ProjectionOrigin.MODEL)

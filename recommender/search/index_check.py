"""Is an index file what would be built from its catalogue now?"""

from pathlib import Path

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.projector import CatalogProjector
from recommender.errors import IndexDamaged, IndexOutdated
from recommender.search.index import DuplicateViews, FaissIndex
from recommender.utils.arrays import FloatArray

TOLERATED_FRACTION = 1 / 1000
"""Of the tracks, whose reranking vectors may differ from those of an index built now: where two
neighbours are almost equally near, rounding may select the other one."""


def index_error(catalog: Catalog, projector: CatalogProjector, path: Path) -> str | None:
    """What is wrong with the index file; None where it is missing or outdated, as it is rebuilt."""
    try:
        index = FaissIndex.load(path, "cpu")
    except (FileNotFoundError, IndexOutdated):
        return None
    except IndexDamaged as error:
        return str(error)
    detector = projector.duplicate_detector
    if (index.space, index.state) != (projector.space, catalog.state()):
        return None  # outdated by its own label
    ids, activations = catalog.activations(index.space)
    duplicates = DuplicateViews(detector.view(activations), detector.digest)
    fresh = FaissIndex.build(
        ids, projector.project(activations), index.space, index.state, "cpu", duplicates=duplicates
    )
    if (index.settings, index.duplicates.detector) != (fresh.settings, detector.digest):
        return None  # likewise
    if not np.array_equal(fresh.ids, index.ids):
        return "its tracks are not those of the catalogue"
    if not np.allclose(index.vectors, fresh.vectors, atol=1e-5):
        return "its vectors are not those of the catalogue"
    if not np.allclose(index.duplicates.rows, fresh.duplicates.rows, atol=1e-5):
        return "its vectors for duplicate detection are not those of the catalogue"
    if not _equal_but_for_rounding(index.database_vectors, fresh.database_vectors):
        return "its vectors for reranking are not those of the catalogue"
    return None


def _equal_but_for_rounding(found: FloatArray, expected: FloatArray) -> bool:
    """Whether all rows [n, d] are close, save `TOLERATED_FRACTION` of them."""
    if found.shape != expected.shape:
        return False
    differs = ~np.isclose(found, expected, rtol=1e-3, atol=1e-4).all(axis=1)
    return bool(np.sum(differs) <= len(expected) * TOLERATED_FRACTION)

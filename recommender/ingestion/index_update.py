"""Bring the index up to date at the end of an ingest, so that no query has to build it."""

import logging
from collections.abc import Callable

from recommender.catalog import Catalog
from recommender.embedding.space import SpaceId
from recommender.errors import IndexDamaged, RecsysError
from recommender.search.catalog_index import CatalogIndex

logger = logging.getLogger(__name__)


def update_stale_index(catalog: Catalog, indexing: Callable[[int], None]) -> None:
    """Build the index of the active space, unless it is current or there is nothing to index.

    The index is a cache: where it cannot be built, that is logged, and a query says what is wrong.

    Args:
        catalog: stays open.
        indexing: called with the number of tracks before an index is built.
    """
    active = catalog.active_space()
    if active is None or not dict(catalog.spaces()).get(active):
        return
    try:
        index = CatalogIndex.of_active_space(catalog)
        if not _is_current(index, catalog):
            _drop_damaged(catalog, active)
            index.update(indexing)
    except RecsysError as error:
        logger.warning("the index was not brought up to date: %s", error)


def _is_current(index: CatalogIndex, catalog: Catalog) -> bool:
    """Whether the index file is that of the catalogue as it is now; FAISS is not loaded."""
    try:
        return index.is_current(catalog.state())
    except (FileNotFoundError, IndexDamaged):
        return False


def _drop_damaged(catalog: Catalog, space: SpaceId) -> None:
    """Drop damaged embeddings, so that the next ingest analyses their files again."""
    damaged = catalog.damaged_activations(space)
    if damaged:
        catalog.forget_analyses(damaged)
        logger.warning(
            "the stored embeddings of %d tracks were damaged (ids %s); the next ingest analyses "
            "their files again.",
            len(damaged),
            ", ".join(map(str, damaged)),
        )

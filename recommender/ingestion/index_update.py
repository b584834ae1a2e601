"""Bring the index up to date at the end of an ingest, so that no query has to build it."""

import logging
from collections.abc import Callable
from dataclasses import asdict

from recommender.catalog import Catalog
from recommender.catalog.projector import catalog_projector
from recommender.embedding.space import SpaceId
from recommender.errors import IndexDamaged, RecsysError
from recommender.search.index_file import index_file, read_index

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
        if _is_current(catalog):
            return
        from recommender.search.catalog_index import update_index

        _drop_damaged(catalog, active)
        update_index(catalog, progress=indexing)
    except RecsysError as error:
        logger.warning("the index was not brought up to date: %s", error)


def _is_current(catalog: Catalog) -> bool:
    """Whether the index file was built from the catalogue's present state; FAISS is not loaded."""
    state, space = catalog.state(), catalog_projector(catalog).space
    path = index_file(space, state.catalog, catalog.file)
    try:
        _, facts = read_index(path)
    except (FileNotFoundError, IndexDamaged):
        return False
    return facts.get("state") == asdict(state) and facts.get("space") == asdict(space)


def _drop_damaged(catalog: Catalog, space: SpaceId) -> None:
    """Drop damaged embeddings, so that the next ingest analyses their files again."""
    damaged = catalog.checked_activations(space)[2]
    if damaged:
        catalog.forget_analyses(damaged)
        logger.warning(
            "the stored embeddings of %d tracks were damaged (ids %s); the next ingest analyses "
            "their files again.",
            len(damaged),
            ", ".join(map(str, damaged)),
        )

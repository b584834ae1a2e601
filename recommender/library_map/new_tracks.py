"""Tracks that were added since a map or clusters were computed, placed among those."""

from dataclasses import replace

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.layout_records import LayoutKind, StoredLayout
from recommender.library_map.clustering import assign
from recommender.library_map.components import PrincipalComponents, components_of, vectors_of
from recommender.library_map.coordinates import COMPONENTS, FEWEST, FITTED
from recommender.library_map.requirements import is_installed
from recommender.library_map.tsne import place
from recommender.search.catalog_index import CatalogIndex
from recommender.search.index import TrackIndex
from recommender.utils.arrays import FloatArray


def place_new_tracks(catalog: Catalog, index: TrackIndex | None = None) -> dict[LayoutKind, int]:
    """Place the tracks that are not on the stored map, or in the stored clusters, yet.

    No other track is moved, nor does it matter in how many steps tracks were added: each is placed
    among those that the layout was computed from. Layouts of another embedding space are left as
    they are, and so is everything where openTSNE or scikit-learn is not installed.

    Args:
        catalog: stays open.
        index: of the catalogue; None to have it read.

    Returns:
        How many tracks were placed in each layout that is of the catalogue's space.
    """
    kinds = catalog.layout_kinds()
    if not kinds or not is_installed():
        return {}
    index = CatalogIndex.of_active_space(catalog).update() if index is None else index
    counts = {}
    for kind in kinds:
        stored = catalog.layout(kind)
        if stored is not None and stored.space == index.space:
            grown = _grown(stored, index)
            counts[kind] = len(grown.ids) - len(stored.ids)
            if counts[kind] and not catalog.store_layout(grown, in_place_of=stored):
                counts[kind] = 0
    return counts


def _grown(stored: StoredLayout, index: TrackIndex) -> StoredLayout:
    """A layout with the tracks that it lacks, where enough of what it was computed from is left."""
    new = np.flatnonzero(~np.isin(index.ids, stored.ids))
    rows = index.rows(stored.ids[: stored.details[FITTED]])
    left = np.flatnonzero(rows >= 0)
    if not len(new) or len(left) < FEWEST:
        return stored
    vectors = vectors_of(index, rows[left])
    components = PrincipalComponents.fit(vectors, stored.details.get("components", COMPONENTS))
    reference, values = components(vectors), stored.values[left]
    added = components_of(index, new, components)
    found: FloatArray
    if stored.kind is LayoutKind.MAP:
        found = place(added, reference, values)
    else:
        labels = assign(stored.details["method"], added, reference, values[:, 0].astype(np.int64))
        found = labels[:, None].astype(np.float32)
    ids = np.concatenate([stored.ids, np.asarray(index.ids)[new]])
    return replace(stored, ids=ids, values=np.concatenate([stored.values, found]))

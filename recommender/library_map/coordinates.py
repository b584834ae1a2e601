"""The map of a catalogue: two coordinates of each track."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.layout_records import LayoutKind, StoredLayout
from recommender.library_map.components import (
    PrincipalComponents,
    components_of,
    fitted_rows,
    vectors_of,
)
from recommender.library_map.quality import map_quality
from recommender.library_map.tsne import PERPLEXITY, fit_tsne, place
from recommender.recommendation.service import SimilarityService
from recommender.search.index import TrackIndex
from recommender.utils.arrays import FloatArray, IntArray

COMPONENTS = 50
"""Principal components that a map is computed from."""

FEWEST = 10
"""With fewer tracks there are no neighbourhoods to keep: principal components are the map."""

FITTED = "fitted"
"""Names, in the details of a layout, how many of its first tracks it was computed from."""


@dataclass(frozen=True, eq=False)
class MapCoordinates:
    """A map of the tracks that can be recommended.

    Attributes:
        ids: np.ndarray [shape=(n,)], int64, ascending.
        xy: np.ndarray [shape=(n, 2)], float32, on any scale.
        source: ``tsne``, or ``pca`` where no map of this space is stored: the first two principal
            components of the projected vectors.
        computed_at: in UTC; None for ``pca``.
        trustworthiness: in [0, 1] (`quality.trustworthiness`); None for ``pca``.
        note: what is to be said of it in a line; None for nothing.
        unplaced: tracks that can be recommended and are not on the stored map yet, which are left
            out; `place_new_tracks` places them.
        details: settings and figures of a stored map.
    """

    ids: IntArray
    xy: FloatArray
    source: Literal["tsne", "pca"]
    computed_at: datetime | None = None
    trustworthiness: float | None = None
    note: str | None = None
    unplaced: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


def map_coordinates(service: SimilarityService) -> MapCoordinates:
    """The stored map of the service's catalogue, or else its principal components.

    Nothing is computed but these: of a million tracks they take some seconds, so what is returned
    may be kept while `service.state()` and the stored map are the same.

    Raises `NothingAnalysed` for a catalogue without tracks.
    """
    index = service.current_index()
    stored = service.catalog.layout(LayoutKind.MAP)
    if stored is None:
        note = "no map is stored: these are the first two principal components."
        return principal_map(index, note)
    if stored.space != index.space:
        return principal_map(
            index,
            "the stored map is of another embedding space: compute it again. These are the first "
            "two principal components.",
        )
    return _of_stored(index, stored)


def principal_map(index: TrackIndex, note: str | None = None) -> MapCoordinates:
    """The first two principal components of the vectors of an index."""
    rows = np.arange(len(index))
    components = PrincipalComponents.fit(vectors_of(index, fitted_rows(len(index))), 2)
    xy = components_of(index, rows, components)
    if xy.shape[1] < 2:  # a space of one dimension
        xy = np.column_stack([xy, np.zeros(len(xy), dtype=np.float32)])
    return MapCoordinates(np.asarray(index.ids), xy, "pca", note=note)


def _of_stored(index: TrackIndex, stored: StoredLayout) -> MapCoordinates:
    rows = index.rows(stored.ids)
    there = np.flatnonzero(rows >= 0)
    there = there[np.argsort(rows[there], kind="stable")]
    unplaced = len(index) - len(there)
    return MapCoordinates(
        stored.ids[there],
        stored.values[there],
        "tsne",
        stored.computed_at,
        stored.details["quality"]["trustworthiness"]["map"],
        _note(len(stored.ids) - len(there), unplaced),
        unplaced,
        stored.details,
    )


def _note(gone: int, unplaced: int) -> str | None:
    """How the catalogue differs from its map."""
    found = []
    if unplaced:
        found.append(f"{unplaced:,} {'track is' if unplaced == 1 else 'tracks are'} not on it yet")
    if gone:
        found.append(f"{gone:,} of its tracks cannot be recommended now")
    return f"the map is older than the catalogue: {', '.join(found)}." if found else None


def compute_map(
    catalog: Catalog, index: TrackIndex, stage: Callable[[str], None] = lambda _: None
) -> MapCoordinates:
    """Compute the map of all tracks anew and store it.

    It is computed from at most `components.MOST_FITTED` tracks, evenly spaced; all others are
    placed among them. 20,000 tracks take a minute or two of one core.

    Args:
        catalog: stays open.
        index: of the catalogue, as `SimilarityService.index` returns it.
        stage: called with what is being done.

    Returns:
        The map; principal components, which are not stored, of fewer than `FEWEST` tracks.

    Raises:
        RecsysError: openTSNE or scikit-learn is not installed.
    """
    plain = principal_map(index)
    if len(index) < FEWEST:
        note = f"a map takes {FEWEST} tracks at least: these are principal components."
        return MapCoordinates(plain.ids, plain.xy, "pca", note=note)
    fitted = fitted_rows(len(index))
    vectors = vectors_of(index, fitted)
    components = PrincipalComponents.fit(vectors, COMPONENTS)
    stage(f"computing positions of {len(fitted):,} tracks")
    reference = components(vectors)
    positions = fit_tsne(reference)
    others = np.setdiff1d(np.arange(len(index)), fitted)
    placed = positions[:0]
    if len(others):
        stage(f"placing {len(others):,} tracks")
        placed = place(components_of(index, others, components), reference, positions)
    rows, xy = np.concatenate([fitted, others]), np.concatenate([positions, placed])
    stage("judging the map")
    by_row = np.empty_like(xy)
    by_row[rows] = xy
    details = {
        FITTED: len(fitted),
        "perplexity": PERPLEXITY,
        "components": reference.shape[1],
        "quality": map_quality(index, {"map": by_row, "pca": plain.xy}),
    }
    ids = np.asarray(index.ids)[rows]
    now = datetime.now(UTC)
    layout = StoredLayout(LayoutKind.MAP, index.space, now, details, ids, xy)
    catalog.store_layout(layout)
    return _of_stored(index, layout)

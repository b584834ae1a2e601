"""Clusters of the tracks of a catalogue, computed without labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, get_args

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.layout_records import LayoutKind, StoredLayout
from recommender.errors import UsageError
from recommender.library_map.agreement import agreement, stability
from recommender.library_map.cluster_names import cluster_names, typical_words
from recommender.library_map.clustering import (
    NOISE,
    Method,
    assign,
    by_size,
    cluster,
    usual_count,
)
from recommender.library_map.components import (
    PrincipalComponents,
    components_of,
    fitted_rows,
    vectors_of,
)
from recommender.library_map.quality import genre_codes
from recommender.musical_descriptors.words import WORDS
from recommender.recommendation.service import SimilarityService
from recommender.search.index import TrackIndex
from recommender.utils.arrays import IntArray
from recommender.utils.codes import name_code
from recommender.utils.names import label_key

COMPONENTS = 20
"""Principal components that clusters are computed from."""

FEWEST = 10
"""Tracks that clusters are made of at least."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """Clusters of the tracks that can be recommended; c of them, the largest first.

    Attributes:
        ids: np.ndarray [shape=(n,)], int64, ascending: tracks that are assigned.
        labels: np.ndarray [shape=(n,)], int64: the cluster of each, from 0; -1 for noise.
        names: of the clusters.
        sizes: how many tracks each has now.
        noise: how many tracks are in none.
        stability: mean adjusted Rand index of pairs of resamples (`agreement.stability`).
        method: ``kmeans`` or ``hdbscan``.
        computed_at: in UTC.
        unplaced: tracks that can be recommended and are not assigned yet; `place_new_tracks` does.
        details: settings and figures.
    """

    ids: IntArray
    labels: IntArray
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    noise: int
    stability: float | None
    method: Method
    computed_at: datetime
    unplaced: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


def clusters(service: SimilarityService) -> Clusters | None:
    """The stored clusters of the service's catalogue; None where none of its space are stored.

    Raises `NothingAnalysed` for a catalogue without tracks.
    """
    index = service.current_index()
    stored = service.catalog.layout(LayoutKind.CLUSTERS)
    return None if stored is None or stored.space != index.space else _of_stored(index, stored)


def _of_stored(index: TrackIndex, stored: StoredLayout) -> Clusters:
    rows = index.rows(stored.ids)
    there = np.flatnonzero(rows >= 0)
    there = there[np.argsort(rows[there], kind="stable")]
    labels = stored.values[there, 0].astype(np.int64)
    details = stored.details
    sizes = np.bincount(labels[labels != NOISE], minlength=len(details["names"]))
    return Clusters(
        stored.ids[there],
        labels,
        tuple(details["names"]),
        tuple(sizes.tolist()),
        int((labels == NOISE).sum()),
        details["stability"]["mean"],
        details["method"],
        stored.computed_at,
        len(index) - len(there),
        details,
    )


def members(service: SimilarityService, found: Clusters, number: int) -> IntArray:
    """The tracks of a cluster, those nearest to its mean first: np.ndarray [shape=(m,)], int64.

    Raises `UsageError` where there is no cluster of this number, from 0.
    """
    if not 0 <= number < len(found.names):
        raise UsageError(f"there are {len(found.names)} clusters, and none is number {number + 1}.")
    index = service.current_index()
    rows = index.rows(found.ids[found.labels == number])
    rows = rows[rows >= 0]
    vectors = vectors_of(index, rows)
    order = np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable") if len(rows) else rows
    ids: IntArray = index.ids[rows[order]]
    return ids


def compute_clusters(
    catalog: Catalog,
    index: TrackIndex,
    method: Method = "kmeans",
    count: int | None = None,
    stage: Callable[[str], None] = lambda _: None,
) -> Clusters:
    """Compute clusters of all tracks anew and store them.

    They are computed from at most `components.MOST_FITTED` tracks, evenly spaced; all others are
    assigned (`clustering.assign`).

    Args:
        catalog: stays open.
        index: of the catalogue, as `SimilarityService.index` returns it.
        method: see `clustering.cluster`.
        count: how many clusters k-means makes; None for `clustering.usual_count`.
        stage: called with what is being done.

    Raises:
        UsageError: fewer than `FEWEST` tracks, or another method or count.
        RecsysError: scikit-learn is not installed.
    """
    _require(index, method, count)
    fitted = fitted_rows(len(index))
    vectors = vectors_of(index, fitted)
    components = PrincipalComponents.fit(vectors, COMPONENTS)
    reference = components(vectors)
    wanted = usual_count(len(index)) if count is None else count
    stage(f"clustering {len(fitted):,} tracks")
    labels = cluster(method, reference, wanted)
    others = np.setdiff1d(np.arange(len(index)), fitted)
    if len(others):
        added = assign(method, components_of(index, others, components), reference, labels)
        labels = np.concatenate([labels, added])
    rows, labels = np.concatenate([fitted, others]), by_size(labels)
    stage("judging the clusters")
    by_row = np.empty_like(labels)
    by_row[rows] = labels
    details = {
        "fitted": len(fitted),
        "components": reference.shape[1],
        "method": method,
        "names": _names(catalog, index, by_row),
        "stability": stability(reference, lambda points: cluster(method, points, wanted)),
        "agreement": _agreement(index, by_row),
    }
    layout = StoredLayout(
        LayoutKind.CLUSTERS,
        index.space,
        datetime.now(UTC),
        details,
        np.asarray(index.ids)[rows],
        labels[:, None].astype(np.float32),
    )
    catalog.store_layout(layout)
    return _of_stored(index, layout)


def _require(index: TrackIndex, method: str, count: int | None) -> None:
    if method not in get_args(Method):
        raise UsageError(
            f"tracks are clustered by {' or '.join(get_args(Method))}, not {method!r}."
        )
    if len(index) < FEWEST:
        raise UsageError(
            f"clusters are made of {FEWEST} tracks at least, and the catalogue has {len(index)}."
        )
    if count is not None and (method != "kmeans" or not 2 <= count <= len(index)):
        raise UsageError(
            "the number of clusters is that of k-means, from 2 to the number of tracks; HDBSCAN "
            "finds its own."
        )


def _names(catalog: Catalog, index: TrackIndex, labels: IntArray) -> tuple[str, ...]:
    """Names of the clusters, by the labels of all tracks [n]."""
    columns = catalog.descriptor_columns(np.asarray(index.ids), tuple(WORDS))
    return cluster_names(_genres_of(catalog, index, labels), typical_words(columns, labels))


def _genres_of(catalog: Catalog, index: TrackIndex, labels: IntArray) -> list[list[str]]:
    """The predicted genres of the tracks of each cluster."""
    first = catalog.present([int(index.ids[0])])
    known = next(iter(first.values())).genre_probabilities if first else {}
    name_of = {name_code(label_key(genre)): genre for genre in known}
    codes = np.asarray(index.columns["predicted"].whole())
    return [
        [name_of[code] for code in codes[labels == number].tolist() if code in name_of]
        for number in range(int(labels.max()) + 1)
    ]


def _agreement(index: TrackIndex, labels: IntArray) -> dict[str, Any]:
    """With genres and with the first artist of each track."""
    artists = np.asarray(index.columns["artists"].whole())[:, 0]
    known = {**genre_codes(index), "artist": artists}
    found = {name: agreement(labels, codes) for name, codes in known.items()}
    return {name: figures for name, figures in found.items() if figures is not None}

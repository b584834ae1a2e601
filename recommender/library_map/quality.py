"""How much of what is near in the space of the vectors is near on a map.

Shapes: n tracks of d dimensions.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recommender.library_map.components import fitted_rows, vectors_of
from recommender.library_map.requirements import imported
from recommender.search.index import TrackIndex
from recommender.utils.arrays import FloatArray, IntArray
from recommender.utils.codes import NO_NAME

NEIGHBOURS = 10
MOST_JUDGED = 3_000
"""Tracks, evenly spaced, that trustworthiness is computed of: it compares all pairs of them."""


def map_quality(index: TrackIndex, positions: Mapping[str, FloatArray]) -> dict[str, Any]:
    """Trustworthiness and neighbourhood hits of maps of all tracks of an index.

    Args:
        positions: name of a map → np.ndarray [shape=(n, 2)], by row of the index.

    Returns:
        ``trustworthiness``: map → value; ``tracks``: how many it is computed of; and
        ``neighbourhood_hit``: ``predicted`` and, where files are tagged, ``tagged`` → map → value,
        with ``chance``.

    Raises `RecsysError` where scikit-learn is not installed.
    """
    rows = fitted_rows(len(index), MOST_JUDGED)
    vectors = vectors_of(index, rows)
    return {
        "trustworthiness": {
            name: trustworthiness(vectors, xy[rows]) for name, xy in positions.items()
        },
        "tracks": len(rows),
        "neighbourhood_hit": {
            name: {
                **{of: neighbourhood_hit(xy, labels) for of, xy in positions.items()},
                "chance": chance_hit(labels),
            }
            for name, labels in genre_codes(index).items()
        },
    }


def genre_codes(index: TrackIndex) -> dict[str, IntArray]:
    """Codes of the genre of each track, ``predicted`` and ``tagged``, where two are known."""
    columns = {"predicted": index.columns["predicted"], "tagged": index.columns["genre"]}
    found = {name: np.asarray(column.whole()) for name, column in columns.items()}
    return {name: codes for name, codes in found.items() if len(np.unique(_named(codes))) > 1}


def trustworthiness(vectors: FloatArray, positions: FloatArray) -> float | None:
    """How far from a track those lie by rank that only the map puts near to it; 1 is best.

    Venna & Kaski, "Neighborhood preservation in nonlinear projection methods", ICANN 2001. None
    for fewer than four tracks. Raises `RecsysError` where scikit-learn is not installed.

    Args:
        vectors: np.ndarray [shape=(n, d)], unit rows.
        positions: np.ndarray [shape=(n, 2)].
    """
    k = min(NEIGHBOURS, (len(vectors) - 1) // 2)
    if k < 1 or len(vectors) < 4:
        return None
    manifold = imported("sklearn.manifold")
    return float(manifold.trustworthiness(vectors, positions, n_neighbors=k))


def neighbourhood_hit(positions: FloatArray, labels: IntArray) -> float | None:
    """Of the ten nearest on a map, the share with a track's own label; mean over tracks.

    Paulovich, Nonato, Minghim & Levkowitz, "Least square projection", IEEE TVCG 14(3), 2008.
    Tracks without a label are left out; None for fewer than two.
    """
    known = np.flatnonzero(labels != NO_NAME)
    if len(known) < 2:
        return None
    neighbours = imported("sklearn.neighbors")
    k = min(NEIGHBOURS, len(known) - 1)
    search = neighbours.NearestNeighbors(n_neighbors=k).fit(positions[known])
    nearest = labels[known][search.kneighbors(return_distance=False)]
    return float((nearest == labels[known, None]).mean())


def chance_hit(labels: IntArray) -> float | None:
    """`neighbourhood_hit` of a map that knows nothing, on average."""
    known = _named(labels)
    if len(known) < 2:
        return None
    _, counts = np.unique(known, return_counts=True)
    return float((counts * (counts - 1)).sum() / (len(known) * (len(known) - 1)))


def _named(labels: IntArray) -> IntArray:
    named: IntArray = labels[labels != NO_NAME]
    return named

"""Clusters of points, by scikit-learn. Shapes: n points of m components, c clusters."""

from collections import Counter
from typing import Literal

import numpy as np

from recommender.library_map.requirements import imported
from recommender.utils.arrays import FloatArray, IntArray, row_parts

Method = Literal["kmeans", "hdbscan"]

NOISE = -1
"""The label of points in no cluster."""

_STARTS = 4
_SEED = 0
_VOTING = 5
"""Nearest points whose most frequent label a new one gets."""


def cluster(method: Method, components: FloatArray, count: int) -> IntArray:
    """The cluster of each point, from 0, or `NOISE`: np.ndarray [shape=(n,)].

    ``kmeans`` (Lloyd, IEEE Transactions on Information Theory 28(2), 1982) gives `count` clusters
    of all points. ``hdbscan`` (Campello, Moulavi & Sander, PAKDD 2013; the excess of mass) finds
    how many there are, each of at least `least_size` points, and leaves points out.

    Args:
        components: np.ndarray [shape=(n, m)].
        count: c of k-means; HDBSCAN takes none.

    Raises `RecsysError` where scikit-learn is not installed.
    """
    library = imported("sklearn.cluster")
    if method == "kmeans":
        count = min(count, len(np.unique(components, axis=0)))
        found = library.KMeans(count, n_init=_STARTS, random_state=_SEED).fit_predict(components)
    else:
        size = least_size(len(components))
        found = library.HDBSCAN(min_cluster_size=size, min_samples=5, copy=True).fit_predict(
            components
        )
    return np.asarray(found, dtype=np.int64)


def usual_count(tracks: int) -> int:
    """How many clusters k-means makes of so many tracks where nobody says: sqrt(n / 2), 2 to 30.

    A rule of thumb (Mardia, Kent & Bibby, "Multivariate analysis", 1979, section 13.1); more than
    thirty are too many to look through.
    """
    return int(np.clip(round(np.sqrt(tracks / 2)), 2, 30))


def least_size(tracks: int) -> int:
    """Points in a cluster of HDBSCAN at least: one in two hundred, and five."""
    return max(5, tracks // 200)


def assign(method: Method, new: FloatArray, reference: FloatArray, labels: IntArray) -> IntArray:
    """The clusters of further points among those of a reference [n, m] with labels [n].

    That of the nearest mean of a cluster (k-means), or what most of the five nearest points are,
    noise being as good as a cluster (HDBSCAN; of equals, what the nearest of them is).
    """
    if method == "kmeans":
        names = np.unique(labels)
        means = np.stack([reference[labels == name].mean(axis=0) for name in names])
        half = (means**2).sum(axis=1) / 2
        return np.concatenate(
            [
                names[(new[part] @ means.T - half).argmax(axis=1)]
                for part in row_parts(len(new), len(names))
            ]
        )
    neighbours = imported("sklearn.neighbors")
    search = neighbours.NearestNeighbors(n_neighbors=min(_VOTING, len(reference)))
    nearest = labels[search.fit(reference).kneighbors(new, return_distance=False)]
    # Counter keeps the order in which labels came first, and that is of rising distance.
    return np.array([Counter(own).most_common(1)[0][0] for own in nearest.tolist()], np.int64)


def by_size(labels: IntArray) -> IntArray:
    """The same clusters, numbered from the largest on; of equals, by their first point."""
    names, first, sizes = np.unique(labels[labels != NOISE], return_index=True, return_counts=True)
    order = names[np.lexsort((first, -sizes))]
    number = {int(name): place for place, name in enumerate(order)} | {NOISE: NOISE}
    return np.array([number[label] for label in labels.tolist()], dtype=np.int64)

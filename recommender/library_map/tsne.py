"""t-SNE by openTSNE: of all tracks, and of further ones among them.

van der Maaten & Hinton, "Visualizing data using t-SNE", JMLR 9, 2008; with principal components as
the start (Kobak & Berens, "The art of using t-SNE for single-cell transcriptomics", Nature
Communications 10, 2019) and further points placed one by one into what is there (Poličar, Stražar &
Zupan, "Embedding to reference t-SNE space addresses batch effects in single-cell classification",
Machine Learning 112, 2023).

One thread, so that a map depends on the vectors alone; more would wait for each other in each of
the 750 steps. Shapes: n tracks of m components, q of them new.
"""

from types import ModuleType
from typing import Any

import numpy as np

from recommender.library_map.requirements import imported
from recommender.utils.arrays import FloatArray, IntArray, Scores, row_parts

PERPLEXITY = 30.0
PLACING_PERPLEXITY = 5.0
PLACING_STEPS = 100
"""Of new points; with openTSNE's 250 they keep their neighbours no better."""

_MEDIAN_OF = 25
"""Nearest tracks whose median position a new one starts from."""

_PLACED_AT_ONCE = 50_000
"""New tracks; more would take memory, and come out the same."""

_INTERPOLATED_FROM = 10_000
"""Tracks from which on the interpolation of forces on a grid is the faster way."""

_SEED = 0


def fit_tsne(components: FloatArray) -> FloatArray:
    """Positions of tracks: np.ndarray [shape=(n, 2)], float32, the middle of their box at 0.

    Args:
        components: np.ndarray [shape=(n, m)], m at least 2, n at least 4.

    Raises `RecsysError` where openTSNE is not installed.
    """
    library = imported("openTSNE")
    x = np.ascontiguousarray(components, dtype=np.float64)
    fitted = library.TSNE(
        perplexity=min(PERPLEXITY, (len(x) - 1) / 3),
        initialization=_start(x),
        neighbors="exact",
        negative_gradient_method="fft" if len(x) >= _INTERPOLATED_FROM else "bh",
        n_jobs=1,
        random_state=_SEED,
    ).fit(x)
    found = np.asarray(fitted, dtype=np.float64)
    middle = (found.max(axis=0) + found.min(axis=0)) / 2
    return np.asarray(found - middle, dtype=np.float32)


def _start(components: Scores) -> Scores:
    """The first two components as t-SNE wants them: small, and no two tracks in one place."""
    spread = float(components[:, 0].std())
    start = components[:, :2] / spread if spread > 0 else np.zeros((len(components), 2))
    jitter = np.random.default_rng(_SEED).normal(scale=0.01, size=start.shape)
    found: Scores = 1e-4 * (start + jitter)
    return found


def place(new: FloatArray, reference: FloatArray, positions: FloatArray) -> FloatArray:
    """Positions of further tracks among those of a map, none of which is moved.

    Each is placed as if it were the only one.

    Args:
        new: np.ndarray [shape=(q, m)].
        reference: np.ndarray [shape=(n, m)], n at least 4.
        positions: np.ndarray [shape=(n, 2)], of the reference.

    Returns:
        np.ndarray [shape=(q, 2)], float32.

    Raises `RecsysError` where openTSNE is not installed.
    """
    library = imported("openTSNE")
    neighbours = imported("sklearn.neighbors")
    count = min(len(reference), max(_MEDIAN_OF, int(3 * PLACING_PERPLEXITY)))
    search = neighbours.NearestNeighbors(n_neighbors=count, algorithm="brute").fit(reference)
    found = np.empty((len(new), 2), dtype=np.float32)
    for part in row_parts(len(new), 1, _PLACED_AT_ONCE):
        distances, nearest = search.kneighbors(new[part])
        affinities = _affinities(distances, nearest, len(reference))
        start = np.median(positions[nearest[:, :_MEDIAN_OF]].astype(np.float64), axis=1)
        found[part] = _moved(library, start, positions, affinities)
    return found


def _affinities(distances: Scores, nearest: IntArray, references: int) -> Any:
    """Of new points [q] to their nearest [k] of a reference: a sparse matrix, rows of sum 1."""
    count = nearest.shape[1]
    perplexity = min(PLACING_PERPLEXITY, count / 3)
    used = min(count, int(3 * PLACING_PERPLEXITY))
    return imported("openTSNE.affinity").joint_probabilities_nn(
        np.ascontiguousarray(nearest[:, :used]),
        np.ascontiguousarray(distances[:, :used], dtype=np.float64),
        [perplexity],
        symmetrize=False,
        normalization="point-wise",
        n_reference_samples=references,
        n_jobs=1,
    )


def _moved(
    library: ModuleType, start: Scores, positions: FloatArray, affinities: Any
) -> FloatArray:
    """New points moved to where their affinities pull them."""
    tsne = imported("openTSNE.tsne")
    middle = (positions.max(axis=0) + positions.min(axis=0)) / 2
    options = {"negative_gradient_method": "fft", "n_jobs": 1}
    empty = imported("scipy.sparse").csr_matrix((len(positions), len(positions)))
    unused = imported("openTSNE.affinity").PrecomputedAffinities(empty, normalize=False)
    base = library.TSNEEmbedding((positions - middle).astype(np.float64), unused, **options)
    base.prepare_interpolation_grid()  # of the reference alone, so that no new point has a say
    placed = tsne.PartialTSNEEmbedding(start - middle, base, P=affinities, **options)
    placed = placed.optimize(
        n_iter=PLACING_STEPS, learning_rate=0.1, exaggeration=1.5, momentum=0.8, max_grad_norm=0.25
    )
    return np.asarray(placed + middle, dtype=np.float32)

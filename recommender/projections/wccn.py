"""Within-class covariance normalisation; classes are recordings and artists.

Two clips of one recording, or two songs of one artist, differ along directions that do not make
music different in kind. Whitening by the covariance *within* recordings and *within* artists makes
such directions count less (Hatch, Kajarekar & Stolcke, Interspeech 2006, with recordings and
artists in place of speakers). No genre is used, so nothing is discarded that genres do not need.
The covariance is shrunk towards a multiple of the identity: some hundred recordings determine few
directions well.

A lossy codec or another master takes the treble away, and such a copy should remain near its
original. So the differences between recordings and their low-pass filtered copies add to the
covariance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.embedding.projection import Projection
from recommender.projections.lda import Scaling, standard_scale
from recommender.utils.arrays import FloatArray


@dataclass(frozen=True)
class WccnSettings:
    """Chosen by cross-validation over artists (`tests/experiments/ablation.py`), the number of
    components in `joint_whitening.py` there.

    Attributes:
        components: at most so many principal components of the standardised vectors.
        shrinkage: weight of the identity, between 0 (the covariance as estimated) and 1 (no
            whitening).
        recordings, artists, low_passed: relative weights of the covariances within recordings,
            within artists, and between recordings and their low-pass filtered copies.
    """

    components: int = 150
    shrinkage: float = 0.3
    recordings: float = 3
    artists: float = 3
    low_passed: float = 1


DEFAULT_SETTINGS = WccnSettings()


def fit_wccn(
    vectors: FloatArray,
    clips: FloatArray,
    artists: Sequence[str] = (),
    low_passed: FloatArray | None = None,
    settings: WccnSettings = DEFAULT_SETTINGS,
    scaling: Scaling = standard_scale,
) -> Projection:
    """Standardise, reduce to principal components, whiten by the within-class covariance.

    Args:
        vectors: np.ndarray [shape=(n, d)], one a recording.
        clips: np.ndarray [shape=(n, c, d)], the same of c >= 2 clips of each.
        artists: n names, blank where unknown, or none at all; they have no effect unless an artist
            has two recordings.
        low_passed: np.ndarray [shape=(n, d)], the same recordings, low-pass filtered.
        settings: weights, shrinkage and size.
        scaling: of the centred vectors.

    Raises:
        ValueError: artists are given, but not one for each vector.
    """
    if artists and len(artists) != len(vectors):
        raise ValueError(f"{len(artists)} artists do not name {len(vectors)} vectors.")
    mean, scale = vectors.mean(axis=0), scaling(vectors)
    _, _, axes = np.linalg.svd((vectors - mean) * scale, full_matrices=False)
    matrix = scale[:, None] * axes[: settings.components].T
    within_recordings = (clips - clips.mean(axis=1, keepdims=True)).reshape(-1, clips.shape[2])
    differences = [(settings.recordings, within_recordings)]
    if len(within_artists := _within_artists(vectors, artists)):
        differences.append((settings.artists, within_artists))
    if low_passed is not None:
        differences.append((settings.low_passed, low_passed - vectors))
    total = sum(weight for weight, _ in differences)
    estimated = sum(
        weight / total * _normalised_covariance(found @ matrix) for weight, found in differences
    )
    identity = np.eye(matrix.shape[1])
    covariance = (1 - settings.shrinkage) * estimated + settings.shrinkage * identity
    values, directions = np.linalg.eigh(covariance)
    whitening = (directions / np.sqrt(np.maximum(values, 1e-12))) @ directions.T
    return Projection(mean, (matrix @ whitening).astype(np.float32))


def _within_artists(vectors: FloatArray, artists: Sequence[str]) -> FloatArray:
    """Difference of each recording from its artist's mean, of artists with several: [m, d]."""
    rows: dict[str, list[int]] = {}
    for row, artist in enumerate(artists):
        if artist:
            rows.setdefault(artist, []).append(row)
    several = [vectors[own] for own in rows.values() if len(own) > 1]
    differences: FloatArray = np.concatenate(
        [np.empty((0, vectors.shape[1]), dtype=np.float32)]
        + [own - own.mean(axis=0) for own in several]
    )
    return differences


def _normalised_covariance(differences: FloatArray) -> npt.NDArray[np.float64]:
    """Second moments [p, p] of differences [n, p], scaled to a mean of 1 along the diagonal."""
    moments = differences.T.astype(np.float64) @ differences
    scaled: npt.NDArray[np.float64] = moments * (
        len(moments) / max(float(np.trace(moments)), 1e-12)
    )
    return scaled

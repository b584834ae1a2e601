"""Projections that discount what varies within a recording.

Two clips of one recording differ in what chance put there: a fill, a pause, a singer's rest. Along
such directions two songs differ for no reason either. Whitening by the covariance *within*
recordings makes them count less. It is within-class covariance normalisation (Hatch, Kajarekar &
Stolcke, Interspeech 2006) with recordings in the place of speakers: it needs no label, so it
forgets nothing that the labels do not tell apart. The covariance is shrunk towards a multiple of
the identity, strongly: a few clips of some hundred recordings say little of most
directions.

Chance also takes the treble, by a lossy codec or another master, and a copy should still be near
its original. So a little of the covariance is that of tracks against themselves with their treble
cut off (`MUFFLED`).
"""

import numpy as np
import numpy.typing as npt

from recommender.discriminants import standardising
from recommender.projection import Projection
from recommender.space import FloatArray

COMPONENTS = 300
"""Principal components that are kept. On the validation tracks 100 give .01 to .02 less."""

SHRINKAGE = 0.75
"""Share of the identity. On the validation tracks .6 to .85 give the same within .01."""

MUFFLED = 0.03
"""Share of the covariance that is of tracks against themselves without treble. On the validation
tracks (`tests/bench/ablation.py`) it costs less than .01 of precision@10. More costs more: the
treble tells genres."""


def steady(
    vectors: FloatArray,
    clips: FloatArray,
    weights: FloatArray | None = None,
    components: int = COMPONENTS,
    shrinkage: float = SHRINKAGE,
    muffled: FloatArray | None = None,
) -> Projection:
    """Standardise, weigh, keep principal components, whiten by what varies within recordings.

    Args:
        vectors: np.ndarray [shape=(n, d)], one a recording.
        clips: np.ndarray [shape=(n, c, d)], the same of c >= 2 clips of each.
        weights: np.ndarray [shape=(d,)], multiply the standardised values; all alike when None.
        components: at most so many principal components.
        shrinkage: between 0 (the covariance as measured) and 1 (no whitening).
        muffled: np.ndarray [shape=(n, d)], the same recordings without their treble.
    """
    scale = standardising(vectors, np.zeros(len(vectors), dtype=np.int64))
    weighed = scale.matrix if weights is None else scale.matrix * weights
    _, _, axes = np.linalg.svd((vectors - scale.mean) @ weighed, full_matrices=False)
    matrix = weighed @ axes[:components].T
    within = (clips - clips.mean(axis=1, keepdims=True)).reshape(-1, clips.shape[2])
    covariance = _even_covariance(within @ matrix)
    if muffled is not None:
        covariance *= 1 - MUFFLED
        covariance += MUFFLED * _even_covariance((muffled - vectors) @ matrix)
    size = len(covariance)
    values, directions = np.linalg.eigh((1 - shrinkage) * covariance + shrinkage * np.eye(size))
    whitening = (directions / np.sqrt(np.maximum(values, 1e-12))) @ directions.T
    return Projection(scale.mean, (matrix @ whitening).astype(np.float32))


def _even_covariance(differences: FloatArray) -> npt.NDArray[np.float64]:
    """Second moments [p, p] of differences [n, p], scaled to a mean of 1 along the diagonal."""
    moments = differences.T.astype(np.float64) @ differences
    scaled: npt.NDArray[np.float64] = moments * (
        len(moments) / max(float(np.trace(moments)), 1e-12)
    )
    return scaled

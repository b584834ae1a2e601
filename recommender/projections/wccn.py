"""Projections that discount what varies within a recording and within an artist.

Two clips of one recording differ in what chance put there: a fill, a pause, a singer's rest. Two
songs of one artist differ in what makes no other kind of music. Along such directions other songs
differ for no reason either, and whitening by the covariance *within* recordings and *within*
artists makes them count less. It is within-class covariance normalisation (Hatch, Kajarekar &
Stolcke, Interspeech 2006) with recordings and artists in the place of speakers: it needs no genre,
so it forgets nothing that genres do not tell apart. The covariance is shrunk towards a multiple of
the identity: some hundred recordings say little of most directions.

Chance also takes the treble, by a lossy codec or another master, and a copy should still be near
its original. So some of the covariance is that of tracks against themselves with their treble cut
off.

How much each counts was chosen by cross-validation over the artists of GTZAN's training and
validation tracks (`experiments/ablation.py`), which tell more than the validation tracks alone: in
four genres those are by one or two artists. As the models have it, with discriminants beside,
precision@10 falls there by .033 without the copies that lost their treble, and by .015 without
recordings. Artists lower the log loss of the genres that are told (`last_layer`) by .016; the lists
gain nothing by them now, and genres left out lose .013. On the validation tracks alone the copies
cost .004.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recommender.embedding.projection import Projection
from recommender.projections.lda import standardising
from recommender.utils.arrays import FloatArray

COMPONENTS = 300
"""Principal components that are kept. In cross-validation half of them find a little less, half as
many again the same."""

SHRINKAGE = 0.3
"""Share of the identity; half of it gives the same, twice as much .014 less precision@10."""

RECORDINGS, ARTISTS, MUFFLED = 3, 3, 1
"""What the covariances within recordings, within artists and against copies without treble count,
against each other."""


def steady(
    vectors: FloatArray,
    clips: FloatArray,
    artists: Sequence[str] = (),
    muffled: FloatArray | None = None,
    components: int = COMPONENTS,
    shrinkage: float = SHRINKAGE,
) -> Projection:
    """Standardise, keep principal components, whiten by what varies where music is alike.

    Args:
        vectors: np.ndarray [shape=(n, d)], one a recording.
        clips: np.ndarray [shape=(n, c, d)], the same of c >= 2 clips of each.
        artists: n names, blank where unknown, or none at all; without any with two recordings they
            have no part.
        muffled: np.ndarray [shape=(n, d)], the same recordings without their treble.
        components: at most so many principal components.
        shrinkage: between 0 (the covariance as measured) and 1 (no whitening).

    Raises:
        ValueError: artists are given, but not one for each vector.
    """
    if artists and len(artists) != len(vectors):
        raise ValueError(f"{len(artists)} artists do not name {len(vectors)} vectors.")
    scale = standardising(vectors, np.zeros(len(vectors), dtype=np.int64))
    _, _, axes = np.linalg.svd((vectors - scale.mean) @ scale.matrix, full_matrices=False)
    matrix = scale.matrix @ axes[:components].T
    alike = [(RECORDINGS, (clips - clips.mean(axis=1, keepdims=True)).reshape(-1, clips.shape[2]))]
    if len(among := _among_artists(vectors, artists)):
        alike.append((ARTISTS, among))
    if muffled is not None:
        alike.append((MUFFLED, muffled - vectors))
    total = sum(count for count, _ in alike)
    measured = sum(count / total * _even_covariance(found @ matrix) for count, found in alike)
    covariance = (1 - shrinkage) * measured + shrinkage * np.eye(matrix.shape[1])
    values, directions = np.linalg.eigh(covariance)
    whitening = (directions / np.sqrt(np.maximum(values, 1e-12))) @ directions.T
    return Projection(scale.mean, (matrix @ whitening).astype(np.float32))


def _among_artists(vectors: FloatArray, artists: Sequence[str]) -> FloatArray:
    """Of each recording whose artist has others, its difference from the mean of them all."""
    places: dict[str, list[int]] = {}
    for place, artist in enumerate(artists):
        if artist:
            places.setdefault(artist, []).append(place)
    several = [vectors[own] for own in places.values() if len(own) > 1]
    differences: FloatArray = np.concatenate(
        [np.empty((0, vectors.shape[1]), dtype=np.float32)]
        + [own - own.mean(axis=0) for own in several]
    )
    return differences


def _even_covariance(differences: FloatArray) -> npt.NDArray[np.float64]:
    """Second moments [p, p] of differences [n, p], scaled to a mean of 1 along the diagonal."""
    moments = differences.T.astype(np.float64) @ differences
    scaled: npt.NDArray[np.float64] = moments * (
        len(moments) / max(float(np.trace(moments)), 1e-12)
    )
    return scaled

"""Whether a probability and a similarity can be taken at their word. numpy only.

A probability of .7 should be right seven times in ten: `calibration_error` tells how far from that
a model is. A cosine means nothing by itself, as every projection has its own scale; `SimilarityCalibration`
says what it means: how probable it is that two tracks so similar, of different artists, are of one
genre. Where that is under one half, nothing is really close.
"""

from collections.abc import Sequence

import numpy as np

from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.evaluation.metrics import rank
from recommender.utils.arrays import FloatArray, IntArray

NEIGHBOURS = 10
"""Nearest tracks of other artists that a closeness is fitted on, for each track."""


def calibration_error(probabilities: FloatArray, labels: IntArray, bins: int = 15) -> float:
    """Expected calibration error: how far confidence is from accuracy, in [0, 1].

    Guo et al., "On Calibration of Modern Neural Networks" (2017), section 2: tracks are binned by
    the probability of their most probable class; the mean over the bins of |accuracy - mean
    confidence|, weighed by their tracks.

    Args:
        probabilities: np.ndarray [shape=(n, n_classes)], rows sum to 1.
        labels: np.ndarray [shape=(n,)].
        bins: of equal width.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(bin_of, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def fit_similarity_calibration(
    vectors: FloatArray, genres: Sequence[str], artists: Sequence[str]
) -> SimilarityCalibration | None:
    """SimilarityCalibration by logistic regression on the neighbours of tracks that nothing was fitted on.

    Args:
        vectors: np.ndarray [shape=(n, d)], unit vectors.
        genres: of the n tracks.
        artists: of the n tracks; a blank one equals no other.

    Returns:
        None where similarity tells nothing: neighbours all of one genre, or none, or the more
        similar ones not more often.
    """
    from sklearn.linear_model import LogisticRegression

    genre, artist = np.asarray(genres), np.asarray(artists)
    barred = (artist[:, None] == artist) & (artist != "")
    np.fill_diagonal(barred, True)
    similarities = vectors @ vectors.T
    nearest = rank(similarities, barred, NEIGHBOURS)
    allowed = ~np.take_along_axis(barred, nearest, axis=1)
    same = (genre[nearest] == genre[:, None])[allowed]
    found = np.take_along_axis(similarities, nearest, axis=1)[allowed]
    if same.all() or not same.any():
        return None
    fit = LogisticRegression(C=1e6).fit(found[:, None].astype(np.float64), same)
    slope = float(fit.coef_[0, 0])
    return SimilarityCalibration(-float(fit.intercept_[0]) / slope, slope) if slope > 0 else None

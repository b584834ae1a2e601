"""Calibration of genre probabilities and of similarities. numpy only.

A probability of .7 should be right seven times in ten: `calibration_error` is how far from that a
model is. A cosine means nothing by itself, as every projection has its own scale;
`SimilarityCalibration` maps it to the probability that two tracks of different artists with this
similarity have one genre. Where that is under one half, two tracks do not count as close.
"""

from collections.abc import Sequence

import numpy as np

from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.evaluation.metrics import DEFAULT_K, rank
from recommender.utils.arrays import FloatArray, IntArray


def calibration_error(probabilities: FloatArray, labels: IntArray, bins: int = 15) -> float:
    """Expected calibration error: how far confidence is from accuracy, in [0, 1].

    Guo et al., "On Calibration of Modern Neural Networks" (2017), section 2: tracks are binned by
    the probability of their most probable class; the mean over the bins of |accuracy - mean
    confidence|, weighted by the number of their tracks.

    Args:
        probabilities: np.ndarray [shape=(n, n_classes)], rows sum to 1.
        labels: np.ndarray [shape=(n,)], the right classes.
        bins: how many, of equal width.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(bin_of, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def fit_similarity_calibration(
    vectors: FloatArray, genres: Sequence[str], artists: Sequence[str]
) -> SimilarityCalibration | None:
    """Logistic regression of "same genre" on similarity, over each track's ten nearest neighbours.

    Neighbours by the track's own artist are left out. Nothing else may have been fitted on these
    tracks.

    Args:
        vectors: np.ndarray [shape=(n, d)], unit vectors.
        genres: of the n tracks.
        artists: of the n tracks; a blank one equals no other.

    Returns:
        None where it is undefined: all neighbours have the track's genre, or none has, or the more
        similar ones not more often.
    """
    from sklearn.linear_model import LogisticRegression

    genre, artist = np.asarray(genres), np.asarray(artists)
    excluded = (artist[:, None] == artist) & (artist != "")
    np.fill_diagonal(excluded, True)
    similarities = vectors @ vectors.T
    nearest = rank(similarities, excluded, DEFAULT_K)
    candidates = ~np.take_along_axis(excluded, nearest, axis=1)
    same = (genre[nearest] == genre[:, None])[candidates]
    found = np.take_along_axis(similarities, nearest, axis=1)[candidates]
    if same.all() or not same.any():
        return None
    fit = LogisticRegression(C=1e6).fit(found[:, None].astype(np.float64), same)
    slope = float(fit.coef_[0, 0])
    return SimilarityCalibration(-float(fit.intercept_[0]) / slope, slope) if slope > 0 else None

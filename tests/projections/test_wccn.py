"""Within-class covariance normalisation on made-up recordings whose variation is known."""

import numpy as np
import pytest

from recommender.embedding.projection import Projection
from recommender.projections.lda import concatenate
from recommender.projections.wccn import WccnSettings, fit_wccn


def recordings(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """200 recordings that differ in four directions, their clips ten times as much in two others.

    Returns the means [200, 12] over clips, and the clips [200, 3, 12].
    """
    generator = np.random.default_rng(seed)
    own = np.zeros((200, 1, 12))
    own[..., :4] = generator.normal(size=(200, 1, 4))
    noise = generator.normal(0, 0.2, (200, 3, 12))
    noise[..., 4:6] *= 50
    clips = (own + noise).astype(np.float32)
    return clips.mean(axis=1), clips


def twin_is_nearest(one: np.ndarray, other: np.ndarray) -> float:
    return float(((one @ other.T).argmax(axis=1) == np.arange(len(one))).mean())


def test_what_varies_within_recordings_counts_less() -> None:
    vectors, clips = recordings(0)
    plain = fit_wccn(vectors, clips, settings=WccnSettings(shrinkage=1))
    whitened = fit_wccn(vectors, clips, settings=WccnSettings(shrinkage=0.05))
    _, fresh = recordings(1)
    hits = [
        twin_is_nearest(projection.apply(fresh[:, 0]), projection.apply(fresh[:, 1]))
        for projection in (plain, whitened)
    ]
    assert hits[1] > 2 * hits[0]


def test_what_a_low_pass_filter_changes_counts_less() -> None:
    vectors, clips = recordings(0)
    low_passed = vectors.copy()
    low_passed[:, 3] -= 2.0  # what distinguishes recordings is lost in every copy
    loss = np.eye(12, dtype=np.float32)[3:4]

    def moved(projection: Projection) -> float:
        """How far the loss moves a recording, against how far others are."""
        lengths = np.linalg.norm(projection.affine(vectors), axis=1)
        return float(np.linalg.norm(loss @ projection.matrix) / lengths.mean())

    settings = WccnSettings(shrinkage=0.2)
    plain = fit_wccn(vectors, clips, settings=settings)
    robust = fit_wccn(vectors, clips, low_passed=low_passed, settings=settings)
    assert moved(robust) < 0.9 * moved(plain)


def test_what_differs_within_artists_counts_less() -> None:
    """Two artists' songs differ along one direction as much as their songs do."""
    vectors, clips = recordings(0)
    artists = [f"artist {row // 10}" for row in range(len(vectors))]
    shift = 3 * np.random.default_rng(3).normal(size=len(vectors)).astype(np.float32)
    vectors[:, 2] += shift
    clips[:, :, 2] += shift[:, None]

    def relative_length(projection: Projection) -> float:
        return float(np.linalg.norm(projection.matrix[2]) / np.linalg.norm(projection.matrix))

    plain = relative_length(fit_wccn(vectors, clips))
    assert relative_length(fit_wccn(vectors, clips, artists)) < 0.8 * plain


def test_artists_unknown_or_of_one_recording_have_no_effect() -> None:
    vectors, clips = recordings(0)
    expected = fit_wccn(vectors, clips).matrix
    for artists in ([""] * len(vectors), [str(row) for row in range(len(vectors))]):
        np.testing.assert_array_equal(fit_wccn(vectors, clips, artists).matrix, expected)


def test_each_covariance_has_its_weight() -> None:
    vectors, clips = recordings(0)
    low_passed = vectors + np.random.default_rng(2).normal(size=vectors.shape).astype(np.float32)
    artists = [str(row // 2) for row in range(len(vectors))]
    unwhitened = fit_wccn(vectors, clips, settings=WccnSettings(shrinkage=1)).matrix
    whitened = fit_wccn(vectors, clips, artists, low_passed, WccnSettings(shrinkage=0)).matrix
    total = np.zeros((12, 12))
    within = (clips - clips.mean(axis=1, keepdims=True)).reshape(-1, 12)
    pairs = vectors.reshape(-1, 2, 12)
    within_artists = (pairs - pairs.mean(axis=1, keepdims=True)).reshape(-1, 12)
    weights = WccnSettings()
    counts = (
        (weights.recordings, within),
        (weights.artists, within_artists),
        (weights.low_passed, low_passed - vectors),
    )
    for count, moved in counts:
        size = np.sum((moved @ unwhitened) ** 2) / 12
        weight = count / (weights.recordings + weights.artists + weights.low_passed)
        total += weight * (moved @ whitened).T @ (moved @ whitened) / size
    np.testing.assert_allclose(total, np.eye(12), atol=1e-3)


def test_concatenated_projections_have_their_weights() -> None:
    vectors, clips = recordings(0)
    parts = [
        fit_wccn(vectors, clips),
        fit_wccn(vectors, clips, settings=WccnSettings(components=2)),
    ]
    both = concatenate(parts, (0.8, 0.2), vectors)
    projected = (vectors - both.mean) @ both.matrix
    width = parts[0].matrix.shape[1]
    assert (projected[:, :width] ** 2).sum(axis=1).mean() == pytest.approx(0.8, rel=1e-4)
    assert (projected[:, width:] ** 2).sum(axis=1).mean() == pytest.approx(0.2, rel=1e-4)

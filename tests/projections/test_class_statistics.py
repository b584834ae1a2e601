"""Statistics in the span of a few vectors, against the same in all dimensions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.projections.lda import class_statistics, fit_lda, fit_standardisation


def classes(seed: int, count: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    centres = generator.normal(0, 2, (3, size))
    return (centres[labels] + generator.normal(0, 1, (count, size))).astype(np.float32), labels


def plain_covariance(values: np.ndarray, labels: np.ndarray, shrinkage: float) -> np.ndarray:
    means = np.stack([values[labels == label].mean(axis=0) for label in range(3)])
    residuals = values.astype(np.float64) - means[labels]
    covariance = residuals.T @ residuals / len(values)
    size = values.shape[1]
    return (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / size * np.eye(size)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1000), size=st.sampled_from([4, 60]), shrinkage=st.sampled_from([0.1, 0.9])
)
def test_what_is_solved_in_the_span_is_what_is_solved_everywhere(
    seed: int, size: int, shrinkage: float
) -> None:
    values, labels = classes(seed, 24, size)
    found = class_statistics(values, labels, shrinkage)
    inside = found.axes @ np.linalg.solve(found.within, found.means.T)
    covariance = plain_covariance(values, labels, shrinkage)
    means = np.stack([values[labels == label].mean(axis=0) for label in range(3)])
    everywhere = np.linalg.solve(covariance, (means - values.mean(axis=0)).T)
    np.testing.assert_allclose(inside, everywhere, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.priors, 1 / 3)


def test_axes_are_orthonormal_and_as_many_as_the_vectors_span() -> None:
    values, labels = classes(0, 12, 50)
    found = class_statistics(values, labels, 0.5)
    assert found.axes.shape == (50, 11)
    np.testing.assert_allclose(found.axes.T @ found.axes, np.eye(11), atol=1e-6)


@pytest.mark.parametrize("size", [5, 80])
def test_shrunk_lda_is_fishers(size: int) -> None:
    """They have unit variance within classes and are uncorrelated there, the strongest first."""
    values, labels = classes(1, 30, size)
    projection = fit_lda(values, labels, 0.3)
    assert projection.matrix.shape == (size, 2)
    scale = fit_standardisation(values, labels)
    scaled = (values - scale.mean) @ scale.matrix
    covariance = plain_covariance(scaled, labels, 0.3)
    axes = np.linalg.lstsq(scale.matrix, projection.matrix, rcond=None)[0]
    np.testing.assert_allclose(axes.T @ covariance @ axes, np.eye(2), atol=1e-3)
    projected = projection.affine(values)
    centres = np.stack([projected[labels == label].mean(axis=0) for label in range(3)])
    spread = centres.var(axis=0)
    assert spread[0] >= spread[1] > 0

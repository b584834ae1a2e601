"""Projections on toy worlds whose right answer is known."""

import numpy as np
import pytest

from recommender.embedding.projection import Projection
from recommender.projections.lda import (
    CANDIDATES,
    fit_centring,
    fit_ledoit_wolf_lda,
    fit_pca,
    fit_standardisation,
    lda_with_pca,
)

DIMENSIONS, CLASSES, PER_CLASS = 24, 4, 60


def toy_world(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes differ by small steps in four directions; six others vary widely in all of them."""
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=(DIMENSIONS, DIMENSIONS)))[0]
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(CLASSES), PER_CLASS)
    values = generator.normal(0, 0.2, (len(labels), DIMENSIONS))
    values[:, :CLASSES] += np.eye(CLASSES)[labels]
    values[:, CLASSES : CLASSES + 6] *= 10
    return (values @ axes + 3).astype(np.float32), labels


@pytest.fixture(scope="module")
def training() -> tuple[np.ndarray, np.ndarray]:
    return toy_world(seed=1)


@pytest.fixture(scope="module")
def others() -> tuple[np.ndarray, np.ndarray]:
    return toy_world(seed=2)


def nearest_is_of_the_class(vectors: np.ndarray, labels: np.ndarray) -> float:
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -np.inf)
    return float((labels[similarities.argmax(axis=1)] == labels).mean())


def cosines(projection: Projection, activations: np.ndarray) -> np.ndarray:
    rows = projection.apply(activations)
    return rows @ rows.T


def test_lda_separates_what_a_plain_cosine_does_not(training, others) -> None:
    activations, labels = others
    plain = nearest_is_of_the_class(fit_centring(*training).apply(activations), labels)
    learned = nearest_is_of_the_class(fit_ledoit_wolf_lda(*training).apply(activations), labels)
    assert plain < 0.5
    assert learned > 0.95


@pytest.mark.parametrize("name", CANDIDATES)
class TestEveryCandidate:
    def test_gives_unit_rows(self, name: str, training, others) -> None:
        rows = CANDIDATES[name](*training).apply(others[0])
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)

    def test_names_of_classes_have_no_effect(self, name: str, training, others) -> None:
        activations, labels = training
        renamed = np.array([7, 2, 9, 0])[labels]
        one, other = (CANDIDATES[name](activations, given) for given in (labels, renamed))
        np.testing.assert_allclose(cosines(one, others[0]), cosines(other, others[0]), atol=1e-3)

    def test_a_common_offset_has_no_effect(self, name: str, training, others) -> None:
        activations, labels = training
        offset = np.linspace(-2, 2, DIMENSIONS, dtype=np.float32)
        one = CANDIDATES[name](activations, labels)
        other = CANDIDATES[name](activations + offset, labels)
        np.testing.assert_allclose(
            cosines(one, others[0]), cosines(other, others[0] + offset), atol=1e-3
        )


@pytest.mark.parametrize("name", [name for name in CANDIDATES if name != "centred"])
@pytest.mark.parametrize("jitter", [0, 1e-7])
def test_activation_that_is_constant_in_training_does_not_dominate_later(
    name: str, jitter: float, training, others
) -> None:
    constant = np.random.default_rng(3).normal(0.5, jitter, len(training[0]))
    activations = np.column_stack([training[0], constant]).astype(np.float32)
    fitted = CANDIDATES[name](activations, training[1])
    moved = np.column_stack([others[0], np.full(len(others[0]), 0.6)]).astype(np.float32)
    still = np.column_stack([others[0], np.full(len(others[0]), 0.5)]).astype(np.float32)
    same = (fitted.apply(moved) * fitted.apply(still)).sum(axis=1)
    assert same.min() > 0.999


class TestLedoitWolfLda:
    def test_one_axis_fewer_than_classes(self, training) -> None:
        assert fit_ledoit_wolf_lda(*training).matrix.shape == (DIMENSIONS, CLASSES - 1)

    def test_classes_have_unit_variance_where_shrinkage_changes_nothing(self) -> None:
        generator = np.random.default_rng(4)
        labels = np.repeat(np.arange(3), 300)
        values = generator.normal(0, 2, (900, 6)) + 3 * np.eye(3, 6)[labels]
        projection = fit_ledoit_wolf_lda(values.astype(np.float32), labels)
        projected = (values - projection.mean) @ projection.matrix
        within = [np.cov(projected[labels == label].T) for label in range(3)]
        np.testing.assert_allclose(np.mean(within, axis=0), np.eye(2), atol=0.1)


class TestPca:
    def test_components_are_uncorrelated_and_in_order(self, training) -> None:
        projection = fit_pca(*training, components=5)
        projected = (training[0] - projection.mean) @ projection.matrix
        covariance = np.cov(projected.T)
        variances = covariance.diagonal()
        assert (np.diff(variances) <= 1e-3).all()
        np.testing.assert_allclose(covariance, np.diag(variances), atol=1e-3)

    def test_all_components_keep_the_cosines(self, training, others) -> None:
        every = fit_pca(*training, components=DIMENSIONS)
        np.testing.assert_allclose(
            cosines(every, others[0]), cosines(fit_standardisation(*training), others[0]), atol=1e-4
        )


class TestLdaWithPca:
    @pytest.mark.parametrize(("weight", "alone"), [(1, fit_ledoit_wolf_lda), (0, fit_pca)])
    def test_weight_one_is_that_part_alone(self, weight, alone, training, others) -> None:
        np.testing.assert_allclose(
            cosines(lda_with_pca(weight)(*training), others[0]),
            cosines(alone(*training), others[0]),
            atol=1e-4,
        )

    def test_weight_is_of_the_squared_length(self, training) -> None:
        projection = lda_with_pca(0.7)(*training)
        squares = ((training[0] - projection.mean) @ projection.matrix) ** 2
        discriminant = squares[:, : CLASSES - 1].sum(axis=1).mean()
        rest = squares[:, CLASSES - 1 :].sum(axis=1).mean()
        assert discriminant == pytest.approx(0.7, abs=1e-3)
        assert rest == pytest.approx(0.3, abs=1e-3)

"""Projections on toy worlds whose right answer is known."""

import numpy as np
import pytest

from recommender.embedding.projection import Projection
from recommender.projections.lda import (
    CANDIDATES,
    centred,
    discriminants,
    mixture,
    principal,
    standardising,
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
def unseen() -> tuple[np.ndarray, np.ndarray]:
    return toy_world(seed=2)


def nearest_is_of_the_class(vectors: np.ndarray, labels: np.ndarray) -> float:
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -np.inf)
    return float((labels[similarities.argmax(axis=1)] == labels).mean())


def cosines(projection: Projection, activations: np.ndarray) -> np.ndarray:
    rows = projection.apply(activations)
    return rows @ rows.T


def test_discriminants_separate_what_a_plain_cosine_does_not(training, unseen) -> None:
    activations, labels = unseen
    plain = nearest_is_of_the_class(centred(*training).apply(activations), labels)
    learned = nearest_is_of_the_class(discriminants(*training).apply(activations), labels)
    assert plain < 0.5
    assert learned > 0.95


@pytest.mark.parametrize("name", CANDIDATES)
class TestEveryCandidate:
    def test_gives_unit_rows(self, name: str, training, unseen) -> None:
        rows = CANDIDATES[name](*training).apply(unseen[0])
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)

    def test_names_of_classes_do_not_matter(self, name: str, training, unseen) -> None:
        activations, labels = training
        renamed = np.array([7, 2, 9, 0])[labels]
        one, other = (CANDIDATES[name](activations, given) for given in (labels, renamed))
        np.testing.assert_allclose(cosines(one, unseen[0]), cosines(other, unseen[0]), atol=1e-3)

    def test_a_common_offset_does_not_matter(self, name: str, training, unseen) -> None:
        activations, labels = training
        offset = np.linspace(-2, 2, DIMENSIONS, dtype=np.float32)
        one = CANDIDATES[name](activations, labels)
        other = CANDIDATES[name](activations + offset, labels)
        np.testing.assert_allclose(
            cosines(one, unseen[0]), cosines(other, unseen[0] + offset), atol=1e-3
        )


@pytest.mark.parametrize("name", [name for name in CANDIDATES if name != "centred"])
@pytest.mark.parametrize("jitter", [0, 1e-7])
def test_activation_that_slept_in_training_does_not_rule_when_it_wakes(
    name: str, jitter: float, training, unseen
) -> None:
    asleep = np.random.default_rng(3).normal(0.5, jitter, len(training[0]))
    activations = np.column_stack([training[0], asleep]).astype(np.float32)
    fitted = CANDIDATES[name](activations, training[1])
    awake = np.column_stack([unseen[0], np.full(len(unseen[0]), 0.6)]).astype(np.float32)
    still = np.column_stack([unseen[0], np.full(len(unseen[0]), 0.5)]).astype(np.float32)
    same = (fitted.apply(awake) * fitted.apply(still)).sum(axis=1)
    assert same.min() > 0.999


class TestDiscriminants:
    def test_one_axis_fewer_than_classes(self, training) -> None:
        assert discriminants(*training).matrix.shape == (DIMENSIONS, CLASSES - 1)

    def test_classes_have_unit_variance_where_shrinkage_changes_nothing(self) -> None:
        generator = np.random.default_rng(4)
        labels = np.repeat(np.arange(3), 300)
        values = generator.normal(0, 2, (900, 6)) + 3 * np.eye(3, 6)[labels]
        projection = discriminants(values.astype(np.float32), labels)
        projected = (values - projection.mean) @ projection.matrix
        within = [np.cov(projected[labels == label].T) for label in range(3)]
        np.testing.assert_allclose(np.mean(within, axis=0), np.eye(2), atol=0.1)


class TestPrincipal:
    def test_components_are_uncorrelated_and_in_order(self, training) -> None:
        projection = principal(*training, components=5)
        projected = (training[0] - projection.mean) @ projection.matrix
        covariance = np.cov(projected.T)
        variances = covariance.diagonal()
        assert (np.diff(variances) <= 1e-3).all()
        np.testing.assert_allclose(covariance, np.diag(variances), atol=1e-3)

    def test_all_components_keep_the_cosines(self, training, unseen) -> None:
        every = principal(*training, components=DIMENSIONS)
        np.testing.assert_allclose(
            cosines(every, unseen[0]), cosines(standardising(*training), unseen[0]), atol=1e-4
        )


class TestMixture:
    @pytest.mark.parametrize(("share", "alone"), [(1, discriminants), (0, principal)])
    def test_the_whole_share_is_that_part_alone(self, share, alone, training, unseen) -> None:
        np.testing.assert_allclose(
            cosines(mixture(share)(*training), unseen[0]),
            cosines(alone(*training), unseen[0]),
            atol=1e-4,
        )

    def test_share_is_of_the_squared_length(self, training) -> None:
        projection = mixture(0.7)(*training)
        squares = ((training[0] - projection.mean) @ projection.matrix) ** 2
        discriminant = squares[:, : CLASSES - 1].sum(axis=1).mean()
        rest = squares[:, CLASSES - 1 :].sum(axis=1).mean()
        assert discriminant == pytest.approx(0.7, abs=1e-3)
        assert rest == pytest.approx(0.3, abs=1e-3)

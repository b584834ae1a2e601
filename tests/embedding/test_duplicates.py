"""What of a model's activations is compared to find copies of a recording."""

import itertools

import numpy as np
import pytest

from recommender.embedding.duplicates import (
    DESCRIPTOR_THRESHOLD,
    NETWORK_THRESHOLD,
    DuplicateDetector,
    Recording,
    cosine,
)
from recommender.embedding.projection import Projection
from recommender.features.descriptors import DIMENSION

NETWORK = 6


@pytest.fixture
def projection() -> Projection:
    """Takes six activations of a network and descriptors."""
    generator = np.random.default_rng(0)
    size = NETWORK + DIMENSION
    matrix = generator.normal(size=(size, 5)).astype(np.float32)
    matrix[:NETWORK, 3:] = 0
    matrix[NETWORK:, :2] = 0
    return Projection(generator.normal(size=size).astype(np.float32), matrix)


def lot(seed: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


def test_a_networks_activations_are_centred_and_compared(projection) -> None:
    same = DuplicateDetector.of_model(projection, descriptors=False)
    assert same.threshold == NETWORK_THRESHOLD
    activations = lot(1, NETWORK + DIMENSION)
    np.testing.assert_array_equal(same.view(activations), activations - projection.mean)


def test_with_descriptors_they_alone_are_compared_as_projected(projection) -> None:
    same = DuplicateDetector.of_model(projection, descriptors=True)
    assert same.threshold == DESCRIPTOR_THRESHOLD
    descriptors = lot(2, DIMENSION)
    one, other = (np.concatenate([lot(seed, NETWORK), descriptors]) for seed in (3, 4))
    assert same(Recording(same.view(one), 100.0), Recording(same.view(other), 101.0))
    assert not same(Recording(same.view(one), 100.0), Recording(same.view(other), 110.0))
    another = np.concatenate([one[:NETWORK], -descriptors])
    assert not same(Recording(same.view(one), 100.0), Recording(same.view(another), 100.0))
    assert len(same.view(one)) == 3  # what only the network's activations move is left out


@pytest.mark.parametrize("descriptors", [False, True])
def test_what_the_card_says_counts(projection, descriptors) -> None:
    assert DuplicateDetector.of_model(projection, descriptors, 0.9).threshold == 0.9


def test_the_fitted_threshold_lies_above_the_nearest_two(projection) -> None:
    same = DuplicateDetector.of_model(projection, descriptors=True)
    recordings = np.stack([lot(seed, NETWORK + DIMENSION) for seed in range(40)])
    views = [same.view(one) for one in recordings]
    nearest = max(cosine(a, b) for a, b in itertools.combinations(views, 2))
    assert nearest > 0.9  # of 780 pairs in three dimensions
    assert same.fitted(recordings) == pytest.approx(nearest + 0.1 * (1 - nearest))
    louder = np.concatenate([recordings, 2 * recordings[:1] - projection.mean])
    assert same.fitted(louder) == pytest.approx(1.0)


def test_few_recordings_leave_the_threshold_where_it_is_safe(projection) -> None:
    same = DuplicateDetector.of_model(projection, descriptors=True)
    apart = projection.mean + np.stack([lot(5, NETWORK + DIMENSION), -lot(5, NETWORK + DIMENSION)])
    assert same.fitted(apart) == same.fitted(apart[:1]) == 0.9

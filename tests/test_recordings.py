"""What of a model's activations tells copies of a recording."""

import numpy as np
import pytest

from recommender.descriptors import DIMENSION
from recommender.projection import Projection
from recommender.recordings import SAME_DESCRIBED, SAME_RECORDING, Recording, SameRecording

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
    same = SameRecording.of_model(projection, descriptors=False)
    assert same.threshold == SAME_RECORDING
    activations = lot(1, NETWORK + DIMENSION)
    np.testing.assert_array_equal(same.view(activations), activations - projection.mean)


def test_with_descriptors_they_alone_are_compared_as_projected(projection) -> None:
    same = SameRecording.of_model(projection, descriptors=True)
    assert same.threshold == SAME_DESCRIBED
    descriptors = lot(2, DIMENSION)
    one, other = (np.concatenate([lot(seed, NETWORK), descriptors]) for seed in (3, 4))
    assert same(Recording(same.view(one), 100.0), Recording(same.view(other), 101.0))
    assert not same(Recording(same.view(one), 100.0), Recording(same.view(other), 110.0))
    another = np.concatenate([one[:NETWORK], -descriptors])
    assert not same(Recording(same.view(one), 100.0), Recording(same.view(another), 100.0))
    assert len(same.view(one)) == 3  # what only the network's activations move is left out

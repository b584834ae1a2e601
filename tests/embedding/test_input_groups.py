"""A similarity is divided among the groups of the input without a rest."""

import numpy as np
import pytest

from recommender.embedding.input_groups import (
    GROUPS,
    NETWORK,
    GroupedProjection,
    contributions,
    group_slices,
)
from recommender.embedding.projection import Projection
from recommender.features.descriptors import DIMENSION, PARTS

NETWORK_SIZE = 6


@pytest.fixture(scope="module")
def grouped() -> GroupedProjection:
    rng = np.random.default_rng(0)
    size = NETWORK_SIZE + DIMENSION
    mean, matrix = rng.normal(size=size), rng.normal(size=(size, 9))
    return GroupedProjection.of(
        Projection(mean.astype(np.float32), matrix.astype(np.float32)), descriptors=True
    )


@pytest.mark.parametrize("network", [0, NETWORK_SIZE])
def test_every_activation_is_in_one_group(network: int) -> None:
    found = group_slices(network + DIMENSION, descriptors=True)
    assert tuple(found) == (NETWORK,) * (network > 0) + GROUPS
    places = np.concatenate([np.arange(s.start, s.stop) for parts in found.values() for s in parts])
    assert sorted(places.tolist()) == list(range(network + DIMENSION))
    assert sum(len(parts) for name, parts in found.items() if name != NETWORK) == len(PARTS)


def test_a_model_without_descriptors_is_all_network() -> None:
    assert group_slices(7, descriptors=False) == {NETWORK: [slice(0, 7)]}


def test_terms_add_up_to_the_vector(grouped: GroupedProjection) -> None:
    x = np.random.default_rng(1).normal(size=(4, NETWORK_SIZE + DIMENSION)).astype(np.float32)
    np.testing.assert_allclose(
        grouped.terms(x).sum(axis=0), grouped.projection.affine(x), rtol=1e-3, atol=1e-3
    )


def test_contributions_add_up_to_the_cosine(grouped: GroupedProjection) -> None:
    x = np.random.default_rng(2).normal(size=(5, NETWORK_SIZE + DIMENSION)).astype(np.float32)
    terms = grouped.terms(x)
    found = contributions(terms[:, 0], terms)
    unit = grouped.projection.apply(x)
    assert found.shape == (5, 1 + len(GROUPS))
    np.testing.assert_allclose(found.sum(axis=1), unit @ unit[0], rtol=0, atol=1e-6)
    # Nobody is the one: the two of a pair may change places.
    np.testing.assert_allclose(contributions(terms[:, 3], terms)[0], found[3], atol=1e-9)


def test_a_group_that_says_nothing_contributes_nothing(grouped: GroupedProjection) -> None:
    x = np.random.default_rng(3).normal(size=(2, NETWORK_SIZE + DIMENSION)).astype(np.float32)
    x[:, :NETWORK_SIZE] = grouped.projection.mean[:NETWORK_SIZE]
    terms = grouped.terms(x)
    assert contributions(terms[:, 0], terms)[:, 0].tolist() == [0.0, 0.0]


def test_a_track_without_direction_is_like_nothing(grouped: GroupedProjection) -> None:
    x = np.stack([grouped.projection.mean, grouped.projection.mean + 1])
    terms = grouped.terms(x)
    assert not contributions(terms[:, 0], terms).any()

"""The candidate projections: what they are invariant to, and how they are fitted."""

from dataclasses import replace

import numpy as np
import pytest
from adaptation_worlds import (
    DIMENSIONS,
    GENRES,
    OWN,
    World,
    artists_of,
    by_artist,
    noise,
    weighed_down,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.adaptation import TrainingData, adaptation_of
from recommender.adaptation.candidates import Candidate, candidates, fit_all, in_full
from recommender.embedding.projection import Projection
from recommender.utils.arrays import is_unit


@settings(max_examples=4, deadline=None)
@given(st.permutations(range(120)))
def test_the_order_of_the_tracks_does_not_matter(order: list[int]) -> None:
    world = replace(weighed_down(120), activations=by_artist(120))
    usual, mixed = (adaptation_of(OWN, world.data(rows)) for rows in (None, order))
    assert mixed.as_dict() == usual.as_dict()
    for candidate in candidates(with_genres=True):
        one, other = (in_full(OWN, candidate, world.data(rows)) for rows in (None, order))
        assert one.digest == other.digest


@settings(max_examples=10, deadline=None)
@given(scale=st.floats(0.01, 100), offset=st.floats(-10, 10))
def test_what_is_centred_does_not_depend_on_offset_and_scale(scale: float, offset: float) -> None:
    activations = weighed_down(120).activations
    changed = (activations * np.float32(scale) + np.float32(offset)).astype(np.float32)
    for candidate in candidates(with_genres=False)[1:]:
        one, other = (
            in_full(OWN, candidate, World(values).data()).apply(values)
            for values in (activations, changed)
        )
        np.testing.assert_allclose(one @ one.T, other @ other.T, atol=5e-3)


@pytest.mark.parametrize("candidate", candidates(with_genres=True), ids=lambda one: one.name)
def test_fitted_in_full_is_what_was_measured(candidate: Candidate) -> None:
    """The projection of activations equals that of what the model's own makes of them."""
    rng = np.random.default_rng(5)
    own = Projection(
        rng.normal(size=30).astype(np.float32), rng.normal(size=(30, 12)).astype(np.float32)
    )
    activations = rng.normal(size=(150, 30)).astype(np.float32) + 2
    genres = [GENRES[n % 3] for n in range(150)]
    data = TrainingData.of(own, np.arange(150), activations, genres, artists_of(150, 3))
    full = in_full(own, candidate, data).apply(activations)
    assert is_unit(full).all()
    fitted = fit_all([candidate], data.projected, data.codes)[candidate]
    np.testing.assert_allclose(full, fitted.apply(data.projected), atol=1e-4)
    if candidate == Candidate():
        np.testing.assert_allclose(full, own.apply(activations), atol=1e-6)


@pytest.mark.parametrize("shrinkage", [0.3, 1.0])
def test_whitening_is_as_strong_as_the_shrinkage_lets_it(shrinkage: float) -> None:
    values = noise(2_000) * np.where(np.arange(DIMENSIONS) < 2, 5, 1).astype(np.float32)
    candidate = Candidate(True, shrinkage)
    fitted = fit_all([candidate], values, np.zeros(2_000, np.int64))[candidate]
    variances = (fitted.affine(values) @ np.eye(DIMENSIONS)).var(axis=0)
    ratio = variances[:2].mean() / variances[2:].mean()
    level = np.mean([25] * 2 + [1] * (DIMENSIONS - 2))
    large, small = ((1 - shrinkage) * own + shrinkage * level for own in (25, 1))
    assert ratio == pytest.approx(25 * small / large, rel=0.15)

"""The projections that are tried for a model, by what its activations consist of.

Networks alone: those of `discriminants`. Descriptors know no genre, so their vectors are whitened
by what varies within recordings and artists (`steadiness`); discriminants beside them bring the
genres in. A model with both gets shares of all four. Every part is fitted by itself: what hardly
varies is told by the largest deviation, and a network's activations may all be small beside
descriptors in decibels.
"""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

import numpy as np

from recommender.embedding.projection import Projection
from recommender.errors import UsageError
from recommender.projections.lda import (
    CANDIDATES,
    concatenate,
    discriminants,
    principal,
    fit_lda,
)
from recommender.projections.wccn import COMPONENTS, fit_wccn
from recommender.research.model_building.activations import Activations, ActivationLayout
from recommender.utils.arrays import FloatArray, IntArray

T = TypeVar("T")

Fit = Callable[[Activations, IntArray], Projection]
"""From the training tracks' activations and labels (np.ndarray [shape=(n,)])."""


def fit_on_networks(
    fit: Callable[[FloatArray, IntArray], Projection], known: Activations, labels: IntArray
) -> Projection:
    """A projection fitted on the networks' activations; descriptors have no part in it.

    Each network's activations are brought to one largest deviation first.
    """
    scales = np.ones(known.layout.all_networks.stop, dtype=np.float32)
    for where in known.layout.networks:
        scales[where] = 1 / max(float(known.tracks[:, where].std(axis=0).max()), 1e-12)
    fitted = fit(known.tracks[:, known.layout.all_networks] * scales, labels)
    return _embedded(scales[:, None] * fitted.matrix, known, known.layout.all_networks)


def descriptor_wccn(
    known: Activations, labels: IntArray, components: int = COMPONENTS
) -> Projection:
    """Descriptors whitened by what varies within recordings and artists; no genre is used."""
    where = _descriptors(known.layout)
    tracks, clips = known.tracks[:, where], known.clips[:, :, where]
    fitted = fit_wccn(tracks, clips, known.artists, known.low_passed, components)
    return _embedded(fitted.matrix, known, where)


def descriptor_lda(known: Activations, labels: IntArray) -> Projection:
    """Linear discriminants of the descriptors."""
    where = _descriptors(known.layout)
    fitted = fit_lda(known.tracks[:, where], labels)
    return _embedded(fitted.matrix, known, where)


INGREDIENTS: dict[str, Fit] = {
    "network LDA": lambda known, labels: fit_on_networks(discriminants, known, labels),
    "network PCA": lambda known, labels: fit_on_networks(principal, known, labels),
    "descriptor WCCN": descriptor_wccn,
    "descriptor LDA": descriptor_lda,
}
"""What stands beside each other in the mixtures, by name."""

DESCRIPTOR_SHARES = (
    (0.0, 0.0, 1.0, 0.0),
    (0.0, 0.0, 0.95, 0.05),
    (0.0, 0.0, 0.9, 0.1),
    (0.0, 0.0, 0.85, 0.15),
    (0.0, 0.0, 0.8, 0.2),
    (0.0, 0.0, 0.7, 0.3),
    (0.0, 0.0, 0.6, 0.4),
)
"""Tried for descriptors alone: parts of the mean squared length, in the order of `INGREDIENTS`."""

BOTH_SHARES = (
    *DESCRIPTOR_SHARES,
    (0.0, 0.1, 0.8, 0.1),
    (0.1, 0.0, 0.9, 0.0),
    (0.1, 0.0, 0.8, 0.1),
    (0.1, 0.0, 0.7, 0.2),
    (0.2, 0.0, 0.7, 0.1),
    (0.2, 0.0, 0.6, 0.2),
    (0.3, 0.0, 0.5, 0.2),
    (0.2, 0.0, 0.4, 0.4),
)
"""The same for networks with descriptors."""


def fit_candidates(
    known: Activations, labels: IntArray, names: Collection[str] | None = None
) -> dict[str, Projection]:
    """Every projection that is tried for a model of these parts, by name.

    Args:
        known: activations of the n training tracks.
        labels: np.ndarray [shape=(n,)].
        names: only these of them.

    Raises:
        UsageError: one of `names` is not tried for such a model.
    """
    if known.layout.descriptors is None:
        plain = _wanted(CANDIDATES, names)
        return {name: fit_on_networks(fit, known, labels) for name, fit in plain.items()}
    shares = BOTH_SHARES if known.layout.networks else DESCRIPTOR_SHARES
    mixtures = [
        {name: share for name, share in zip(INGREDIENTS, row, strict=True) if share}
        for row in shares
    ]
    mixed = _wanted({_named(mixture): mixture for mixture in mixtures}, names)
    needed = {ingredient for mixture in mixed.values() for ingredient in mixture}
    fitted = {name: fit(known, labels) for name, fit in INGREDIENTS.items() if name in needed}
    return {name: _mixed(mixture, fitted, known) for name, mixture in mixed.items()}


def _wanted(tried: Mapping[str, T], names: Collection[str] | None) -> dict[str, T]:
    absent = set(names or ()) - set(tried)
    if absent:
        raise UsageError(f"no projection {absent} is tried for such a model: {list(tried)}.")
    return {name: value for name, value in tried.items() if names is None or name in names}


def _mixed(
    mixture: Mapping[str, float], fitted: Mapping[str, Projection], known: Activations
) -> Projection:
    return concatenate([fitted[name] for name in mixture], list(mixture.values()), known.tracks)


def _named(mixture: Mapping[str, float]) -> str:
    return " + ".join(f"{name} {share:g}" for name, share in mixture.items())


def _embedded(matrix: FloatArray, known: Activations, where: slice) -> Projection:
    """A projection of one part [k, p] as one of all activations; the others get weight 0."""
    whole = np.zeros((known.tracks.shape[1], matrix.shape[1]), dtype=np.float32)
    whole[where] = matrix
    return Projection(known.tracks.mean(axis=0), whole)


def _descriptors(layout: ActivationLayout) -> slice:
    assert parts.descriptors is not None  # these ingredients are for models that have them
    return parts.descriptors

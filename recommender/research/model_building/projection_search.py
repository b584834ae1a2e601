"""The candidate projections of a model, by the layout of its activations.

Networks alone: those of `projections.lda`. Descriptors are fixed, so their vectors are whitened by
what varies within recordings and artists (`projections.wccn`), and linear discriminants are
concatenated to bring the genres in. For a model with both there are two ways. *Jointly*: networks'
activations and descriptors make one vector, standardised part by part, that goes through the same
principal components, WCCN and LDA. *Separately*: weighted concatenations of what is fitted on each
part by itself. Parts are standardised by themselves because the largest deviation decides which
activations are nearly constant, and a network's activations may all be small beside descriptors in
decibels.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from recommender.embedding.projection import Projection
from recommender.errors import UsageError
from recommender.projections import lda, wccn
from recommender.projections.lda import (
    CANDIDATES,
    Scaling,
    concatenate,
    fit_lda,
    standard_scale,
)
from recommender.projections.nca import fit_nca
from recommender.projections.wccn import WccnSettings, fit_wccn
from recommender.research.model_building.activations import ActivationLayout, Activations
from recommender.utils.arrays import FloatArray, IntArray

T = TypeVar("T")

Fit = Callable[[Activations, IntArray], Projection]
"""From activations and labels (np.ndarray [shape=(n,)]) of the training tracks."""


def fit_on_networks(fit: lda.Fit, train: Activations, labels: IntArray) -> Projection:
    """A projection fitted on the networks' activations; descriptors have weight 0.

    Each network's activations are scaled to the same largest deviation first.

    Args:
        fit: how.
        train: activations of the n training tracks.
        labels: np.ndarray [shape=(n,)].
    """
    networks = train.layout.all_networks
    scales = np.ones(networks.stop, dtype=np.float32)
    for values in train.layout.networks:
        scales[values] = 1 / max(float(train.tracks[:, values].std(axis=0).max()), 1e-12)
    fitted = fit(train.tracks[:, networks] * scales, labels)
    return _embedded(scales[:, None] * fitted.matrix, train, networks)


def descriptor_wccn(
    train: Activations, labels: IntArray, settings: WccnSettings = wccn.DEFAULT_SETTINGS
) -> Projection:
    """WCCN of the descriptors; labels are not used."""
    values = _descriptors(train.layout)
    low_passed = None if train.low_passed is None else train.low_passed[:, values]
    tracks, clips = train.tracks[:, values], train.clips[:, :, values]
    fitted = fit_wccn(tracks, clips, train.artists, low_passed, settings)
    return _embedded(fitted.matrix, train, values)


def descriptor_lda(train: Activations, labels: IntArray) -> Projection:
    """Linear discriminants of the descriptors."""
    values = _descriptors(train.layout)
    return _embedded(fit_lda(train.tracks[:, values], labels).matrix, train, values)


NETWORK_SCALE = 0.7
"""Deviation of networks' activations, where descriptors have 1, in joint whitening
(`tests/experiments/joint_whitening.py`)."""


def joint_wccn(
    train: Activations, labels: IntArray, settings: WccnSettings = wccn.DEFAULT_SETTINGS
) -> Projection:
    """WCCN of networks' activations and descriptors as one vector; labels are not used."""
    scaling = part_scaling(train.layout)
    tracks, clips = train.tracks, train.clips
    return fit_wccn(tracks, clips, train.artists, train.low_passed, settings, scaling)


def joint_lda(train: Activations, labels: IntArray) -> Projection:
    """Linear discriminants of networks' activations and descriptors as one vector."""
    return fit_lda(train.tracks, labels, scaling=part_scaling(train.layout))


def part_scaling(layout: ActivationLayout, network: float = NETWORK_SCALE) -> Scaling:
    """Every network, and the descriptors, standardised by themselves.

    Args:
        layout: of activations that end with descriptors.
        network: factor of the networks.
    """

    def scale(values: FloatArray) -> FloatArray:
        networks = [network * standard_scale(values[:, own]) for own in layout.networks]
        described = standard_scale(values[:, _descriptors(layout)])
        return np.concatenate([*networks, described]).astype(np.float32)

    return scale


COMPONENTS: dict[str, Fit] = {
    "network LDA": lambda train, labels: fit_on_networks(lda.fit_ledoit_wolf_lda, train, labels),
    "network PCA": lambda train, labels: fit_on_networks(lda.fit_pca, train, labels),
    "descriptor WCCN": descriptor_wccn,
    "descriptor LDA": descriptor_lda,
    "network and descriptor WCCN": joint_wccn,
    "network and descriptor LDA": joint_lda,
}
"""What is concatenated, by name."""

LDA_WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)
NCA_LDA_WEIGHTS = (0.1, 0.15)


@dataclass(frozen=True)
class Candidate:
    """A weighted concatenation of components.

    Attributes:
        weights: in the mean squared length, by name in `COMPONENTS`.
        refined: whether it is refined by NCA (`projections.nca`).
    """

    weights: Mapping[str, float]
    refined: bool = False

    @property
    def name(self) -> str:
        """As in a model's card."""
        parts = " + ".join(f"{name} {weight:g}" for name, weight in self.weights.items())
        return f"{parts}, NCA" if self.refined else parts


def _with_lda(parts: str) -> tuple[Candidate, ...]:
    def candidate(weight: float, refined: bool) -> Candidate:
        discriminants = {f"{parts} LDA": weight} if weight else {}
        return Candidate({f"{parts} WCCN": round(1 - weight, 2), **discriminants}, refined)

    return (
        *(candidate(weight, False) for weight in LDA_WEIGHTS),
        *(candidate(weight, True) for weight in NCA_LDA_WEIGHTS),
    )


DESCRIPTOR_CANDIDATES = _with_lda("descriptor")
"""Candidates for descriptors alone."""

COMBINED_CANDIDATES: tuple[Candidate, ...] = (
    *DESCRIPTOR_CANDIDATES,
    Candidate({"network PCA": 0.1, "descriptor WCCN": 0.8, "descriptor LDA": 0.1}),
    Candidate({"network LDA": 0.1, "descriptor WCCN": 0.9}),
    Candidate({"network LDA": 0.1, "descriptor WCCN": 0.8, "descriptor LDA": 0.1}),
    Candidate({"network LDA": 0.1, "descriptor WCCN": 0.7, "descriptor LDA": 0.2}),
    Candidate({"network LDA": 0.2, "descriptor WCCN": 0.7, "descriptor LDA": 0.1}),
    Candidate({"network LDA": 0.2, "descriptor WCCN": 0.6, "descriptor LDA": 0.2}),
    Candidate({"network LDA": 0.3, "descriptor WCCN": 0.5, "descriptor LDA": 0.2}),
    Candidate({"network LDA": 0.2, "descriptor WCCN": 0.4, "descriptor LDA": 0.4}),
    *_with_lda("network and descriptor"),
)
"""The same for networks with descriptors."""


def fit_candidates(
    train: Activations, labels: IntArray, names: Collection[str] | None = None
) -> dict[str, Projection]:
    """Every candidate projection for activations of this layout, by name.

    Args:
        train: activations of the n training tracks.
        labels: np.ndarray [shape=(n,)].
        names: only these of them.

    Raises:
        UsageError: one of `names` is no candidate for such a model.
    """
    if train.layout.descriptors is None:
        selected = _selected(CANDIDATES, names)
        return {name: fit_on_networks(fit, train, labels) for name, fit in selected.items()}
    candidates = COMBINED_CANDIDATES if train.layout.networks else DESCRIPTOR_CANDIDATES
    selection = _selected({candidate.name: candidate for candidate in candidates}, names)
    needed = {component for candidate in selection.values() for component in candidate.weights}
    components = {name: fit(train, labels) for name, fit in COMPONENTS.items() if name in needed}
    return {
        name: _combined(candidate, components, train, labels)
        for name, candidate in selection.items()
    }


def refined_by_nca(projection: Projection, train: Activations, labels: IntArray) -> Projection:
    """A projection refined by the neighbours of the training tracks, clips and copies."""
    clips = [train.clips[:, number] for number in range(train.clips.shape[1])]
    copies = [] if train.low_passed is None else [train.low_passed]
    return fit_nca(projection, train.tracks, [*clips, *copies], labels, train.artists)


def _combined(
    candidate: Candidate,
    components: Mapping[str, Projection],
    train: Activations,
    labels: IntArray,
) -> Projection:
    parts = [components[name] for name in candidate.weights]
    combined = concatenate(parts, [*candidate.weights.values()], train.tracks)
    return refined_by_nca(combined, train, labels) if candidate.refined else combined


def _selected(candidates: Mapping[str, T], names: Collection[str] | None) -> dict[str, T]:
    absent = set(names or ()) - set(candidates)
    if absent:
        raise UsageError(f"no candidate projection is named {absent}: {list(candidates)}.")
    return {name: value for name, value in candidates.items() if names is None or name in names}


def _embedded(matrix: FloatArray, train: Activations, values: slice) -> Projection:
    """A projection of one part [k, p] as one of all activations; the others get weight 0."""
    whole = np.zeros((train.tracks.shape[1], matrix.shape[1]), dtype=np.float32)
    whole[values] = matrix
    return Projection(train.tracks.mean(axis=0), whole)


def _descriptors(layout: ActivationLayout) -> slice:
    assert layout.descriptors is not None  # these components are for models that have them
    return layout.descriptors

"""Similarities divided among the groups of what a projection is applied to.

A projection is affine, so an unnormalised vector is a sum of one term for each group of inputs,
``u = Σ_g a_g`` with ``a_g = (x_g - mean_g) @ matrix_g``. A cosine is a sum over pairs of groups,
``cos(u, v) = Σ_g Σ_h a_g · b_h / (|u| |v|)``, and with the terms of two different groups shared
equally between both, a sum over groups: ``(a_g · v + u · b_g) / (2 |u| |v|)``. Nothing is
approximated, and no group is left out.

Shapes: n tracks, d activations, p components, g groups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.embedding.projection import Projection
from recommender.features.descriptors import DIMENSION, slices
from recommender.utils.arrays import FloatArray, Scores, unit_rows

NETWORK = "network"
"""The group of a network's activations, which have no meaning that could be named."""

PARTS_OF: Mapping[str, tuple[str, ...]] = {
    "timbre": (
        "cepstral percentiles",
        "cepstral covariance",
        "cepstral correlation",
        "contrast",
        "band correlation",
        "small patches",
    ),
    "rhythm": ("modulation", "rhythm"),
    "harmony": ("sustain", "tall patches"),
    "dynamics": ("change", "skewness", "cepstral change"),
}
"""Which parts of the descriptors (`features.descriptors.PARTS`) make a group.

Timbre: the shape of the spectrum. Rhythm: which rates its levels vary at. Harmony: how long tones
last, and the pattern of partials; no key. Dynamics: how much, how suddenly and how often levels
change.
"""

GROUPS = tuple(PARTS_OF)
"""The groups that can be given weight, by name."""


def group_slices(dimension: int, descriptors: bool) -> dict[str, list[slice]]:
    """Where the activations of each group are.

    Args:
        dimension: d.
        descriptors: whether activations end with descriptors; else all are a network's.
    """
    begin = dimension - DIMENSION if descriptors else dimension
    found = {NETWORK: [slice(0, begin)]} if begin > 0 else {}
    if descriptors:
        at = slices()
        for group, parts in PARTS_OF.items():
            found[group] = [slice(begin + at[p].start, begin + at[p].stop) for p in parts]
    return found


@dataclass(frozen=True, eq=False)
class GroupedProjection:
    """A projection with the groups of its input.

    Attributes:
        projection: what vectors are projected by.
        slices: group → where its activations are.
    """

    projection: Projection
    slices: Mapping[str, Sequence[slice]]

    @classmethod
    def of(cls, projection: Projection, descriptors: bool) -> "GroupedProjection":
        """See `group_slices`."""
        return cls(projection, group_slices(len(projection.mean), descriptors))

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the groups, in the order of `terms`."""
        return tuple(self.slices)

    def terms(self, activations: FloatArray) -> FloatArray:
        """What each group adds to the unnormalised vectors of tracks.

        Args:
            activations: np.ndarray [shape=(n, d)].

        Returns:
            np.ndarray [shape=(g, n, p)], float32.
        """
        mean, matrix = self.projection.mean, self.projection.matrix
        found = np.zeros((len(self.slices), len(activations), matrix.shape[1]), dtype=np.float32)
        for own, parts in zip(found, self.slices.values(), strict=True):
            for part in parts:
                own += (activations[:, part] - mean[part]) @ matrix[part]
        return found


def contributions(one: FloatArray, others: FloatArray) -> Scores:
    """What each group contributes to the cosine of one track with others.

    Args:
        one: np.ndarray [shape=(g, p)], terms of the one.
        others: np.ndarray [shape=(g, n, p)], terms of the others.

    Returns:
        np.ndarray [shape=(n, g)], float64; a row sums to the cosine (0 for a track without
        direction).
    """
    a, b = one.astype(np.float64), others.astype(np.float64)
    u, v = a.sum(axis=0), b.sum(axis=0)
    lengths = np.linalg.norm(u) * np.linalg.norm(v, axis=1)
    shared = (a @ v.T).T + np.einsum("gnp,p->ng", b, u)
    found: Scores = shared / (2 * np.maximum(lengths, 1e-24))[:, None]
    return found


def weighted(terms: FloatArray, weights: Scores) -> FloatArray:
    """Unit vectors as if each group of the input had been multiplied by its weight.

    Args:
        terms: np.ndarray [shape=(g, n, p)].
        weights: np.ndarray [shape=(g,)], not negative.

    Returns:
        np.ndarray [shape=(n, p)], float32.
    """
    return unit_rows(np.einsum("g,gnp->np", weights.astype(np.float32), terms))

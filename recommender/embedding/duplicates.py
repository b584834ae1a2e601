"""Duplicate detection: whether two tracks are copies of one recording (another bit rate, say)."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.embedding.projection import Projection
from recommender.features.descriptors import DIMENSION
from recommender.utils.arrays import BoolArray, FloatArray, Scores, unit_rows

DURATION_TOLERANCE = 0.02
"""Copies differ in length by an encoder's padding; 2 % also spans a trimmed silence."""

NETWORK_THRESHOLD = 0.985
"""Least cosine of two copies by a network's centred activations, where the model does not say.

Chosen so that no two different recordings are merged: a missed copy costs one line of a list, a
false merge hides a song.
"""

DESCRIPTOR_THRESHOLD = 0.925
"""The same for projected descriptors."""

_MARGIN = 0.1
"""How far above the nearest two recordings a fitted threshold lies, as a fraction of what is left
to 1."""

_LEAST = 0.9
"""The least fitted threshold: recordings that a projection was fitted to are no sample of how near
others can come."""


@dataclass(frozen=True)
class Recording:
    """What is compared: `DuplicateDetector.view` of the activations, and the duration, seconds."""

    view: FloatArray
    duration: float


@dataclass(frozen=True, eq=False)
class DuplicateDetector:
    """The test for copies of one recording: alike in sound and in length.

    Attributes:
        threshold: least cosine of two copies' views.
        tolerance: largest difference of their durations, as a fraction of the longer one.
        centre: np.ndarray [shape=(d,)], float32, subtracted from activations first, or None. All
            activations share a large common part, beside which two songs look alike.
        matrix: np.ndarray [shape=(d, v)], float32, by which they are multiplied then, or None.
    """

    threshold: float = NETWORK_THRESHOLD
    tolerance: float = DURATION_TOLERANCE
    centre: FloatArray | None = None
    matrix: FloatArray | None = None

    @classmethod
    def of_model(
        cls, projection: Projection, descriptors: bool, threshold: float | None = None
    ) -> "DuplicateDetector":
        """The detector for a model's activations.

        Args:
            projection: the model's.
            descriptors: whether its activations end with descriptors. Then they alone are compared,
                projected as the model does; otherwise the network's, which are only centred.
            threshold: from the model's card; None where it has none.
        """
        if not descriptors:
            limit = NETWORK_THRESHOLD if threshold is None else threshold
            return cls(limit, centre=projection.mean)
        matrix = projection.matrix.copy()
        matrix[:-DIMENSION] = 0
        compared = matrix[:, matrix.any(axis=0)]
        limit = DESCRIPTOR_THRESHOLD if threshold is None else threshold
        return cls(limit, centre=projection.mean, matrix=compared)

    @cached_property
    def digest(self) -> str:
        """Twelve hex digits of what `view` computes with; stored views of another are stale."""
        values = hashlib.blake2b(digest_size=6)
        for array in (self.centre, self.matrix):
            if array is None:
                values.update(b"none")
            else:
                values.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return values.hexdigest()

    def fitted(self, recordings: FloatArray) -> float:
        """A threshold from n recordings, none of them repeated: it lies above the nearest two.

        They may be those that the projection was fitted to.

        Args:
            recordings: np.ndarray [shape=(n, d)], their activations.
        """
        units = unit_rows(self.view(recordings))
        nearest = float((units @ units.T)[~np.eye(len(units), dtype=bool)].max(initial=-1.0))
        return max(_LEAST, nearest + _MARGIN * (1 - nearest))

    def view(self, activations: FloatArray) -> FloatArray:
        """What is compared of activations (np.ndarray [shape=(..., d)]): [shape=(..., v)]."""
        view = activations if self.centre is None else activations - self.centre
        if self.matrix is not None:
            view = np.asarray(view @ self.matrix, dtype=np.float32)
        return view

    def durations_agree(self, one: float, others: Scores) -> BoolArray:
        """Whether durations in seconds (np.ndarray [shape=(n,)]) are within the tolerance of `one`.

        The cheap half of the test.
        """
        agree: BoolArray = np.abs(others - one) <= self.tolerance * np.maximum(others, one)
        return agree

    def duplicates(self, one: Recording, views: FloatArray, durations: Scores) -> BoolArray:
        """Which of n other recordings are copies of `one`: np.ndarray [shape=(n,)], bool.

        Args:
            views: np.ndarray [shape=(n, v)], of the others.
            durations: np.ndarray [shape=(n,)], seconds.
        """
        found = self.durations_agree(one.duration, durations)
        if found.any():
            found[found] = cosines(one.view, views[found]) >= self.threshold
        return found

    def duplicate_pairs(
        self, views: FloatArray, durations: Scores, other_views: FloatArray, others: Scores
    ) -> BoolArray:
        """Which of n pairs of recordings are copies: np.ndarray [shape=(n,)], bool.

        Args:
            views, other_views: np.ndarray [shape=(n, v)].
            durations, others: np.ndarray [shape=(n,)], seconds.
        """
        found: BoolArray = np.abs(others - durations) <= self.tolerance * np.maximum(
            others, durations
        )
        found[found] = pair_cosines(views[found], other_views[found]) >= self.threshold
        return found

    def __call__(self, one: Recording, other: Recording) -> bool:
        """Whether the two are copies of one recording."""
        return bool(self.duplicates(one, other.view[None], np.array([other.duration]))[0])


def cosines(one: FloatArray, others: FloatArray) -> Scores:
    """Cosines of a vector [v] with others [n, v] in double precision, [n]; 0 if one is zero."""
    a, b = one.astype(np.float64), others.astype(np.float64)
    lengths = np.linalg.norm(b, axis=1) * np.linalg.norm(a)
    found: Scores = np.divide(b @ a, lengths, out=np.zeros(len(b)), where=lengths > 0)
    return found


def pair_cosines(ones: FloatArray, others: FloatArray) -> Scores:
    """Cosines of n pairs of vectors [n, v] in double precision, [n]; 0 if one is zero."""
    a, b = ones.astype(np.float64), others.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    inner = np.einsum("nv,nv->n", a, b)
    found: Scores = np.divide(inner, lengths, out=np.zeros(len(a)), where=lengths > 0)
    return found


def cosine(one: FloatArray, other: FloatArray) -> float:
    """Cosine of two vectors (np.ndarray [shape=(v,)]); see `cosines`."""
    return float(cosines(one, other[None])[0])

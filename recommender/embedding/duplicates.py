"""Whether two tracks are copies of one recording: another bit rate, another container."""

from dataclasses import dataclass

import numpy as np

from recommender.embedding.projection import Projection
from recommender.features.descriptors import DIMENSION
from recommender.utils.arrays import FloatArray, unit_rows

DURATION_TOLERANCE = 0.02
"""Copies differ in length by an encoder's padding; 2 % also spans a trimmed silence."""

NETWORK_THRESHOLD = 0.985
"""Cosine of a network's centred activations from which two tracks of one length are one recording.

Chosen with ``experiments/duplicates.py`` so that no two different recordings are merged: of 118,341
pairs of GTZAN tracks the nearest reach 0.980. Of 14 pairs of one recording at two bit rates 11 lie
above; the others (a dog, a whale, a song) reach 0.976 to 0.982. A copy that is missed costs one
line of a list; a false merge hides a song.
"""

DESCRIPTOR_THRESHOLD = 0.925
"""The same for projected descriptors, where the model does not say: no projection that was measured
brings two different recordings of GTZAN nearer than .922."""

_TOWARDS_EQUAL = 0.1
"""How far above the nearest two recordings a fitted threshold lies, as a share of what is left."""

_LEAST = 0.9
"""The least threshold, which decides for all shipped models: recordings that a projection was
fitted to say little of how near others can come. Of 443 training tracks the nearest two stay below
0.85, while of the other 487 two reach 0.883; taught all, 0.885 (`experiments/duplicates.py`)."""


@dataclass(frozen=True)
class Recording:
    """What is compared: `DuplicateDetector.view` of its activations, and its duration in seconds."""

    view: FloatArray
    duration: float


@dataclass(frozen=True, eq=False)
class DuplicateDetector:
    """The test for copies, with its two limits.

    Attributes:
        threshold: least cosine of two copies' views.
        tolerance: largest difference of their durations, as a share of the longer one.
        centre: np.ndarray [shape=(d,)], float32, subtracted from activations first, or None. All
            activations share a large common part, beside which two songs look alike.
        matrix: np.ndarray [shape=(d, p)], float32, that is multiplied with then, or None.
    """

    threshold: float = NETWORK_THRESHOLD
    tolerance: float = DURATION_TOLERANCE
    centre: FloatArray | None = None
    matrix: FloatArray | None = None

    @classmethod
    def of_model(
        cls, projection: Projection, descriptors: bool, threshold: float | None = None
    ) -> "DuplicateDetector":
        """The test for a model's activations.

        Args:
            projection: the model's.
            descriptors: whether its activations end with descriptors. Then they alone are compared,
                projected as the model does; otherwise the network's, which are only centred.
            threshold: as the model's card says; None where it does not.
        """
        if not descriptors:
            limit = NETWORK_THRESHOLD if threshold is None else threshold
            return cls(limit, centre=projection.mean)
        matrix = projection.matrix.copy()
        matrix[:-DIMENSION] = 0
        compared = matrix[:, matrix.any(axis=0)]
        limit = DESCRIPTOR_THRESHOLD if threshold is None else threshold
        return cls(limit, centre=projection.mean, matrix=compared)

    def fitted(self, recordings: FloatArray) -> float:
        """A threshold by n recordings, none of them repeated: it lies above the nearest two.

        They may be those that the projection was fitted to. Copies are not needed: of 14 recordings
        at two bit rates all but two are nearer yet (`experiments/duplicates.py`).

        Args:
            recordings: np.ndarray [shape=(n, d)], their activations.
        """
        units = unit_rows(self.view(recordings))
        nearest = float((units @ units.T)[~np.eye(len(units), dtype=bool)].max(initial=-1.0))
        return max(_LEAST, nearest + _TOWARDS_EQUAL * (1 - nearest))

    def view(self, activations: FloatArray) -> FloatArray:
        """What is compared of activations (np.ndarray [shape=(..., d)]): [shape=(..., p)]."""
        view = activations if self.centre is None else activations - self.centre
        if self.matrix is not None:
            view = np.asarray(view @ self.matrix, dtype=np.float32)
        return view

    def durations_agree(self, one: float, other: float) -> bool:
        """Whether two durations in seconds are within the tolerance: the cheap half of the test."""
        return abs(one - other) <= self.tolerance * max(one, other)

    def __call__(self, one: Recording, other: Recording) -> bool:
        """Whether the two are copies of one recording."""
        if not self.durations_agree(one.duration, other.duration):
            return False
        return cosine(one.view, other.view) >= self.threshold


def cosine(one: FloatArray, other: FloatArray) -> float:
    """Cosine of two vectors (np.ndarray [shape=(d,)]) in double precision; 0 if one is zero."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else 0.0

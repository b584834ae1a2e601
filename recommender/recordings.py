"""Whether two tracks are copies of one recording: another bit rate, another container."""

from dataclasses import dataclass

import numpy as np

from recommender.space import FloatArray

DURATION_TOLERANCE = 0.02
"""Copies differ in length by an encoder's padding; 2 % also spans a trimmed silence."""

SAME_RECORDING = 0.985
"""Cosine of centred activations from which two tracks of one length are one recording.

Chosen with ``tests/bench/duplicates.py`` so that no two different recordings are merged: of 118,341
pairs of GTZAN tracks the nearest reach 0.980. Of 14 pairs of one recording at two bit rates 11 lie
above; the others (a dog, a whale, a song) reach 0.976 to 0.982. A copy that is missed costs one
line of a list; a false merge hides a song.
"""


@dataclass(frozen=True)
class Recording:
    """What is compared: activations (np.ndarray [shape=(d,)], float32) and duration in seconds."""

    activations: FloatArray
    duration: float


@dataclass(frozen=True, eq=False)
class SameRecording:
    """The test for copies, with its two limits.

    Attributes:
        threshold: least cosine of two copies' activations.
        tolerance: largest difference of their durations, as a share of the longer one.
        centre: np.ndarray [shape=(d,)], float32, subtracted from activations first, or None. All
            activations share a large common part, beside which two songs look alike.
    """

    threshold: float = SAME_RECORDING
    tolerance: float = DURATION_TOLERANCE
    centre: FloatArray | None = None

    def durations_agree(self, one: float, other: float) -> bool:
        """Whether two durations in seconds are within the tolerance: the cheap half of the test."""
        return abs(one - other) <= self.tolerance * max(one, other)

    def __call__(self, one: Recording, other: Recording) -> bool:
        """Whether the two are copies of one recording."""
        if not self.durations_agree(one.duration, other.duration):
            return False
        return cosine(self._centred(one), self._centred(other)) >= self.threshold

    def _centred(self, recording: Recording) -> FloatArray:
        if self.centre is None:
            return recording.activations
        return recording.activations - self.centre


def cosine(one: FloatArray, other: FloatArray) -> float:
    """Cosine of two vectors (np.ndarray [shape=(d,)]) in double precision; 0 if one is zero."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else 0.0

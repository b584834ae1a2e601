"""Whether two tracks are copies of one recording: another bit rate, another container."""

from dataclasses import dataclass

import numpy as np

from recommender.space import FloatArray

DURATION_TOLERANCE = 0.02
"""Copies differ in length by an encoder's padding; 2 % also spans a trimmed silence."""

SAME_RECORDING = 0.999
"""Cosine of two tracks' activations above which tracks of equal length are one recording.
"""


@dataclass(frozen=True)
class Recording:
    """What is compared: activations (np.ndarray [shape=(d,)], float32) and duration in seconds."""

    activations: FloatArray
    duration: float


@dataclass(frozen=True)
class SameRecording:
    """The test for copies, with its two limits."""

    threshold: float = SAME_RECORDING
    tolerance: float = DURATION_TOLERANCE

    def durations_agree(self, one: float, other: float) -> bool:
        """Whether two durations in seconds are within the tolerance: the cheap half of the test."""
        return abs(one - other) <= self.tolerance * max(one, other)

    def __call__(self, one: Recording, other: Recording) -> bool:
        """Whether the two are copies of one recording."""
        if not self.durations_agree(one.duration, other.duration):
            return False
        return cosine(one.activations, other.activations) >= self.threshold


def cosine(one: FloatArray, other: FloatArray) -> float:
    """Cosine of two vectors (np.ndarray [shape=(d,)]) in double precision; 0 if one is zero."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else 0.0

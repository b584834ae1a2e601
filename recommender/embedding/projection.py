"""From activations to the unit vectors that are compared. numpy only.

A projection is affine and then normalised, so that the inner product of two projected vectors is
their cosine similarity. It is applied when an index is built, never stored per track: a new
projection does not need the files to be analysed again.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from recommender.embedding.tensor_file import (
    FLOAT16_BITS,
    as_float16,
    load_arrays,
    save_arrays,
    values_digest,
)
from recommender.errors import SpaceMismatch
from recommender.utils.arrays import FloatArray, unit_rows

_SIGNIFICANT_BITS = 9
"""Of the values of a large projection that is saved: errors of thousands of terms cancel out."""

_LARGE = 1000
"""Activations from which on a projection is large; a smaller one saves no space worth the error."""


@dataclass(frozen=True, eq=False)
class Projection:
    """``x → unit((x - mean) @ matrix)``. The digest is cached: the arrays must not be changed.

    Attributes:
        mean: np.ndarray [shape=(d,)], float32.
        matrix: np.ndarray [shape=(d, p)], float32.
    """

    mean: FloatArray
    matrix: FloatArray

    @cached_property
    def digest(self) -> str:
        """Twelve hex digits of the values, computed once; part of the `SpaceId`."""
        return values_digest(self.mean, self.matrix)

    def apply(self, activations: FloatArray) -> FloatArray:
        """Unit vectors of activations.

        Args:
            activations: np.ndarray [shape=(n, d)].

        Returns:
            np.ndarray [shape=(n, p)], float32; each row has length 1 (0 where the activations
            are exactly the mean: such a track has no direction, and is near nothing).

        Raises:
            SpaceMismatch: the activations have another dimension.
        """
        return unit_rows(self.affine(activations))

    def affine(self, activations: FloatArray) -> FloatArray:
        """The same before normalisation to length 1; see `apply`."""
        if activations.ndim != 2 or activations.shape[1] != len(self.mean):
            raise SpaceMismatch(
                f"this projection takes activations of {len(self.mean)} values, not of shape "
                f"{activations.shape}: analyse the files again with 'recsys ingest'."
            )
        return np.asarray((activations - self.mean) @ self.matrix, dtype=np.float32)

    def rounded(self) -> "Projection":
        """The nearest one that is saved in half the space: similarities change by up to 3e-4."""
        bits = _SIGNIFICANT_BITS if len(self.mean) >= _LARGE else FLOAT16_BITS
        return Projection(self.mean, as_float16(self.matrix, bits))

    def save(self, path: Path) -> None:
        """Write as safetensors; see `tensor_file`. Raises `OSError`."""
        save_arrays(path, {"mean": self.mean, "matrix": self.matrix})

    @classmethod
    def load(cls, path: Path) -> "Projection":
        """Read what `save` wrote. Raises `WeightsError` when it is missing or damaged."""
        return cls(*load_arrays(path, ("mean", "matrix"), "projection"))

"""From a network's activations to the unit vectors that are compared. numpy only.

A projection is affine and then normalised, so that the inner product of two projected vectors is
their cosine similarity. It is applied when an index is built, never stored per track: a new
projection does not need the files to be analysed again.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommender.errors import SpaceMismatch, WeightsError
from recommender.utils.arrays import FloatArray, unit_rows


@dataclass(frozen=True, eq=False)
class Projection:
    """``x → unit((x - mean) @ matrix)``.

    Attributes:
        mean: np.ndarray [shape=(d,)], float32.
        matrix: np.ndarray [shape=(d, p)], float32.
    """

    mean: FloatArray
    matrix: FloatArray

    @property
    def digest(self) -> str:
        """Twelve hex digits of the values; part of the `SpaceId`."""
        values = hashlib.blake2b(digest_size=6)
        for array in (self.mean, self.matrix):
            values.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return values.hexdigest()

    def apply(self, activations: FloatArray) -> FloatArray:
        """Unit vectors of activations.

        Args:
            activations: np.ndarray [shape=(n, d)].

        Returns:
            np.ndarray [shape=(n, p)], float32; each row has length 1 (0 where the activations
            are exactly the mean, which resembles nothing).

        Raises:
            SpaceMismatch: the activations have another dimension.
        """
        return unit_rows(self.affine(activations))

    def affine(self, activations: FloatArray) -> FloatArray:
        """The same before it is brought to length 1; see `apply`."""
        if activations.ndim != 2 or activations.shape[1] != len(self.mean):
            raise SpaceMismatch(
                f"this projection takes activations of {len(self.mean)} values, not of shape "
                f"{activations.shape}: analyse the files again with 'recsys ingest'."
            )
        return np.asarray((activations - self.mean) @ self.matrix, dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write as safetensors."""
        from safetensors.numpy import save_file

        arrays = {"mean": self.mean, "matrix": self.matrix}
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)

    @classmethod
    def load(cls, path: Path) -> "Projection":
        """Read what `save` wrote. Raises `WeightsError` when it is missing or damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            arrays = load_file(path)
            return cls(arrays["mean"], arrays["matrix"])
        except (OSError, SafetensorError, KeyError) as error:
            raise WeightsError(
                f"the projection {path} cannot be read ({error}): install the package again or "
                "train the model again with 'recsys train'."
            ) from error

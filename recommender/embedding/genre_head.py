"""From a model's activations to genre probabilities: one linear layer over all of them. numpy only.

Softmax regression, p(c | x) ∝ exp(w_c · x + b_c), as in Bishop, "Pattern Recognition and Machine
Learning" (2006), sections 4.2 and 4.3.4. `research.model_building.head_fitting` fits it.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from recommender.embedding.tensor_file import as_float16, load_arrays, save_arrays, values_digest
from recommender.errors import SpaceMismatch
from recommender.utils.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class GenreHead:
    """``x → softmax(x @ weight + bias)``. The digest is cached: the arrays must not be changed.

    Attributes:
        weight: np.ndarray [shape=(d, n_classes)], float32.
        bias: np.ndarray [shape=(n_classes,)], float32.
    """

    weight: FloatArray
    bias: FloatArray

    @cached_property
    def digest(self) -> str:
        """Twelve hex digits of the values, computed once."""
        return values_digest(self.weight, self.bias)

    def probabilities(self, activations: FloatArray) -> FloatArray:
        """Genre probabilities of activations.

        Args:
            activations: np.ndarray [shape=(n, d)].

        Returns:
            np.ndarray [shape=(n, n_classes)], float32; rows sum to 1.

        Raises:
            SpaceMismatch: the activations have another dimension.
        """
        if activations.ndim != 2 or activations.shape[1] != len(self.weight):
            raise SpaceMismatch(
                f"this genre head takes activations of {len(self.weight)} values, not of shape "
                f"{activations.shape}: analyse the files again with 'recsys ingest'."
            )
        logits = activations @ self.weight + self.bias
        # The largest exponent is 0, so that none overflows.
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        return probabilities

    def rounded(self) -> "GenreHead":
        """The nearest one that is saved in half the space: probabilities change by up to 4e-4."""
        return GenreHead(as_float16(self.weight), self.bias)

    def save(self, path: Path) -> None:
        """Write as safetensors; see `tensor_file`. Raises `OSError`."""
        save_arrays(path, {"weight": self.weight, "bias": self.bias})

    @classmethod
    def load(cls, path: Path) -> "GenreHead":
        """Read what `save` wrote. Raises `WeightsError` when it is missing or damaged."""
        return cls(*load_arrays(path, ("weight", "bias"), "genre head"))

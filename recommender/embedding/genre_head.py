"""From a model's activations to genre probabilities: one linear layer over all of them. numpy only.

Softmax regression, p(c | x) ∝ exp(w_c · x + b_c), as in Bishop, "Pattern Recognition and Machine
Learning" (2006), sections 4.2 and 4.3.4. How its values are found is `last_layer`'s business.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommender.errors import SpaceMismatch, WeightsError
from recommender.utils.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class GenreHead:
    """``x → softmax(x @ weight + bias)``.

    Attributes:
        weight: np.ndarray [shape=(d, n_classes)], float32.
        bias: np.ndarray [shape=(n_classes,)], float32.
    """

    weight: FloatArray
    bias: FloatArray

    @property
    def digest(self) -> str:
        """Twelve hex digits of the values."""
        values = hashlib.blake2b(digest_size=6)
        for array in (self.weight, self.bias):
            values.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return values.hexdigest()

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
                f"this head takes activations of {len(self.weight)} values, not of shape "
                f"{activations.shape}: analyse the files again with 'recsys ingest'."
            )
        logits = activations @ self.weight + self.bias
        # The largest exponent is 0, so that none overflows.
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        return shares

    def save(self, path: Path) -> None:
        """Write as safetensors."""
        from safetensors.numpy import save_file

        arrays = {"weight": self.weight, "bias": self.bias}
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)

    @classmethod
    def load(cls, path: Path) -> "GenreHead":
        """Read what `save` wrote. Raises `WeightsError` when it is missing or damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            arrays = load_file(path)
            return cls(arrays["weight"], arrays["bias"])
        except (OSError, SafetensorError, KeyError) as error:
            raise WeightsError(
                f"the head {path} cannot be read ({error}): install the package again or "
                "train the model again with 'recsys train'."
            ) from error

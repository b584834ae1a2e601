"""A network as a graph of ONNX operators, built step by step."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from recommender.networks.onnx_format import Attribute, write_model, write_node

Array = npt.NDArray[np.float32]

BATCH_NORM_EPSILON = 1e-5
"""As in torch, whose layers the weights come from."""

_CLIPS, _ACTIVATIONS = "clips", "activations"


class WeightsMismatch(ValueError):
    """The weights are not those of the architecture."""


class Graph:
    """Operators added one after the other; each takes and gives names of tensors.

    Attributes:
        clips: name of the input, [batch, n_mels, frames].
        n_mels: Mel bands of the clips.
    """

    def __init__(self, weights: Mapping[str, Array], n_mels: int) -> None:
        """With the weights of a network, under the names that its state dict has."""
        self.clips = _CLIPS
        self.n_mels = n_mels
        self._weights = dict(weights)
        self._used: set[str] = set()
        self._nodes: list[bytes] = []
        self._tensors: dict[str, Array | npt.NDArray[np.int64]] = {}

    def weight(self, name: str) -> Array:
        """The values of a weight. Raises `WeightsMismatch` where there is none of that name."""
        if name not in self._weights:
            raise WeightsMismatch(f"the weight {name} is missing")
        self._used.add(name)
        return self._weights[name]

    def has(self, name: str) -> bool:
        """Whether there is a weight of that name."""
        return name in self._weights

    def unused(self) -> set[str]:
        """Names of the weights that nothing has taken."""
        return set(self._weights) - self._used

    def constant(self, values: npt.NDArray[np.float64] | Array | Sequence[int]) -> str:
        """A constant of these values: integers of a sequence, else float32."""
        name = f"constant{len(self._tensors)}"
        if isinstance(values, np.ndarray):
            self._tensors[name] = np.ascontiguousarray(values, np.float32)
        else:
            self._tensors[name] = np.array(values, np.int64)
        return name

    def stored(self, name: str) -> str:
        """A weight as a constant."""
        self._tensors[name] = self.weight(name)
        return name

    def add(self, operator: str, *inputs: str, skip: int = 0, **attributes: Attribute) -> str:
        """Add an operator; the name of its output, which stands after `skip` others."""
        output = f"step{len(self._nodes)}"
        self._nodes.append(write_node(operator, inputs, [""] * skip + [output], attributes))
        return output

    def written(self, activations: str) -> bytes:
        """The model whose output, [batch, feature_dim], is that tensor."""
        self._nodes.append(write_node("Identity", [activations], [_ACTIVATIONS], {}))
        shape = ("batch", self.n_mels, "frames")
        return write_model(self._nodes, self._tensors, _CLIPS, shape, _ACTIVATIONS)

    def batch_norm(self, x: str, prefix: str) -> str:
        """Batch normalisation with fixed statistics."""
        names = ("weight", "bias", "running_mean", "running_var")
        stored = [self.stored(f"{prefix}.{name}") for name in names]
        return self.add("BatchNormalization", x, *stored, epsilon=BATCH_NORM_EPSILON)

    def convolution(self, x: str, prefix: str, stride: int = 1, padding: int | None = None) -> str:
        """A convolution over all but the first two axes, padded to equal size by default."""
        kernel = self.weight(f"{prefix}.weight").shape[2:]
        pads = [size // 2 if padding is None else padding for size in kernel]
        inputs = [x, self.stored(f"{prefix}.weight")]
        if self.has(f"{prefix}.bias"):
            inputs.append(self.stored(f"{prefix}.bias"))
        return self.add("Conv", *inputs, pads=[*pads, *pads], strides=[stride] * len(kernel))

    def largest(self, x: str, size: Sequence[int], stride: Sequence[int], padding: int = 0) -> str:
        """Max pooling."""
        pads = [padding] * (2 * len(size))
        return self.add("MaxPool", x, kernel_shape=size, strides=stride, pads=pads)

    def linear(self, x: str, prefix: str) -> str:
        """A dense layer over the last axis."""
        product = self.add("MatMul", x, self.constant(self.weight(f"{prefix}.weight").T))
        return self.add("Add", product, self.stored(f"{prefix}.bias"))

    def mean(self, x: str, *axes: int) -> str:
        """The mean over axes, which are dropped."""
        return self.add("ReduceMean", x, axes=list(axes), keepdims=0)

"""The weights of the networks in the wheel `musicnn`, under the names that this package has.

The tensors of a checkpoint are named as TensorFlow numbers layers: ``conv2d``, ``conv2d_1`` and so
on, in the order in which musicnn/models.py builds them.
"""

from collections.abc import Mapping

import numpy as np

from recommender.pretrained.tensor_bundle import read_tensors
from recommender.utils.arrays import FloatArray

WEIGHTS = 792_079
"""Values of one network, those of its optimiser left out."""

_TENSORFLOW_EPSILON, _EPSILON = 1e-3, 1e-5
"""What batch normalisation adds to variances there and here: stored variances hold the rest."""

_CONVOLUTIONS = {
    "conv2d": ("timbral.0.0", (7, 38, 1, 204)),
    "conv2d_1": ("timbral.1.0", (7, 67, 1, 204)),
    "conv2d_2": ("temporal.0.0", (128, 1, 1, 51)),
    "conv2d_3": ("temporal.1.0", (64, 1, 1, 51)),
    "conv2d_4": ("temporal.2.0", (32, 1, 1, 51)),
    "conv2d_5": ("middle.0.0", (7, 561, 1, 64)),
    "conv2d_6": ("middle.1.0", (7, 64, 1, 64)),
    "conv2d_7": ("middle.2.0", (7, 64, 1, 64)),
}
"""Layer → our prefix and the shape of its kernel: frames, bands or channels, 1, filters."""

_NORMS = {
    "batch_normalization": ("bands", 1),
    "batch_normalization_1": ("timbral.0.1", 204),
    "batch_normalization_2": ("timbral.1.1", 204),
    "batch_normalization_3": ("temporal.0.1", 51),
    "batch_normalization_4": ("temporal.1.1", 51),
    "batch_normalization_5": ("temporal.2.1", 51),
    "batch_normalization_6": ("middle.0.1", 64),
    "batch_normalization_7": ("middle.1.1", 64),
    "batch_normalization_8": ("middle.2.1", 64),
    "batch_normalization_9": ("pooled_norm", 1506),
    "batch_normalization_10": ("dense_norm", 200),
}
"""Layer → our prefix and its size."""

_DENSE = {"dense": ("dense", (1506, 200)), "dense_1": ("tags", (200, 50))}

_NORM_VALUES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """Name → shape of every weight of a checkpoint."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (_, kernel) in {**_CONVOLUTIONS, **_DENSE}.items():
        shapes |= {f"{layer}/kernel": kernel, f"{layer}/bias": kernel[-1:]}
    for layer, (_, size) in _NORMS.items():
        shapes |= {f"{layer}/{name}": (size,) for name in _NORM_VALUES}
    return shapes


def read_weights(index: bytes, data: bytes, of: str) -> dict[str, FloatArray]:
    """A network's state dict. Arguments and errors: `tensor_bundle.read_tensors`."""
    return _renamed(read_tensors(index, data, tensor_shapes(), of))


def _renamed(tensors: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    weights: dict[str, FloatArray] = {}
    for layer, (prefix, _) in _CONVOLUTIONS.items():
        # [frames, bands, 1, filters] → [filters, 1, bands, frames], the 1 dropped along time alone.
        values = tensors[f"{layer}/kernel"].transpose(3, 2, 1, 0)
        weights[f"{prefix}.weight"] = values[:, 0] if prefix.startswith("middle") else values
        weights[f"{prefix}.bias"] = tensors[f"{layer}/bias"]
    for layer, (prefix, _) in _NORMS.items():
        for theirs, ours in _NORM_VALUES.items():
            weights[f"{prefix}.{ours}"] = tensors[f"{layer}/{theirs}"]
        weights[f"{prefix}.running_var"] = weights[f"{prefix}.running_var"] + np.float32(
            _TENSORFLOW_EPSILON - _EPSILON
        )
    for name, values in [(n, v) for n, v in weights.items() if n.startswith("pooled_norm.")]:
        weights[name] = _grouped(values)
    for layer, (prefix, _) in _DENSE.items():
        weights[f"{prefix}.weight"] = tensors[f"{layer}/kernel"].T
        weights[f"{prefix}.bias"] = tensors[f"{layer}/bias"]
    weights["dense.weight"] = _grouped(weights["dense.weight"])
    return {name: np.ascontiguousarray(values) for name, values in weights.items()}


def _grouped(values: FloatArray) -> FloatArray:
    """The last axis with all largest values first, then all means; there, the two alternate."""
    return np.concatenate([values[..., 0::2], values[..., 1::2]], axis=-1)

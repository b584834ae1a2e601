"""The networks of this package as ONNX graphs, made of their weights: to serve them without torch.

Each builder repeats what its network's `activations` computes in evaluation mode. Sizes are read
from the shapes of the weights; settings that leave no trace in them come from the model's card.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from recommender.networks.graph import Array, Graph, WeightsMismatch
from recommender.networks.musicnn_graph import musicnn_graph

BANDS_KEPT = 8
"""Groups of bands that the 2D encoder keeps apart."""

ATTENTION_HEADS = 10
"""Of the Transformer, unless its settings say otherwise."""

SMALLEST_VARIANCE = 1e-6
"""Of the 1D encoder's statistics pooling."""

LONGEST_WAVE = 10_000.0
"""Base of the Transformer's sinusoids (Vaswani et al. 2017, section 3.5)."""

Builder = Callable[[Graph, Mapping[str, Any]], str]

_NOT_SERVED = re.compile(r"classifier\.|.*\.num_batches_tracked$")


def has_graph(architecture: str) -> bool:
    """Whether there is a graph for an architecture of this name."""
    return architecture in _BUILDERS


def takes_patches(architecture: str) -> bool:
    """Whether networks of this architecture take patches, not windows, and compute tags."""
    return architecture == "musicnn"


def network_graph(
    architecture: str, n_mels: int, settings: Mapping[str, Any], weights: Mapping[str, Array]
) -> bytes:
    """An ONNX model that computes a network's activations.

    Args:
        architecture: its registered name.
        n_mels: Mel bands of the clips.
        settings: of the architecture.
        weights: its state dict.

    Returns:
        A model: clips [batch, n_mels, frames], each standardised → [batch, feature_dim]. Where
        the architecture `takes_patches`, these take the place of clips.

    Raises:
        WeightsMismatch: weights are missing, or some are of no use to this architecture.
        ValueError, LookupError, TypeError: the settings or the weights make no network.
    """
    graph = Graph(weights, n_mels)
    model = graph.written(_BUILDERS[architecture](graph, settings))
    if left := {name for name in graph.unused() if not _NOT_SERVED.match(name)}:
        raise WeightsMismatch(f"nothing takes the weight {min(left)}")
    return model


def _numbered(graph: Graph, pattern: str) -> list[str]:
    """``pattern.format(0)``, ``pattern.format(1)`` … as long as there is a weight of that name."""
    count = 0
    while graph.has(pattern.format(count)):
        count += 1
    return [pattern.format(index).rpartition(".")[0] for index in range(count)]


def _bands(graph: Graph) -> str:
    return graph.batch_norm(graph.clips, "bands")


def _image(graph: Graph) -> str:
    """The clips with one channel, [batch, 1, n_mels, frames]."""
    return graph.add("Unsqueeze", _bands(graph), graph.constant([1]))


def _conv1d(graph: Graph, settings: Mapping[str, Any]) -> str:
    x = _bands(graph)
    for layer in _numbered(graph, "blocks.{}.0.weight"):
        x = graph.largest(graph.add("Relu", graph.convolution(x, layer)), [2], [2])
    return graph.mean(x, 2)


def _conv1d_encoder(graph: Graph, settings: Mapping[str, Any]) -> str:
    x = _bands(graph)
    for layer in _numbered(graph, "blocks.{}.0.weight"):
        x = graph.add("Relu", graph.convolution(x, layer))
        x = graph.batch_norm(x, layer.removesuffix("0") + "3")
    mean = graph.add("ReduceMean", x, axes=[2], keepdims=1)
    deviations = graph.add("Sub", x, mean)
    variance = graph.mean(graph.add("Mul", deviations, deviations), 2)
    least = graph.constant(np.array(SMALLEST_VARIANCE))
    deviation = graph.add("Sqrt", graph.add("Max", variance, least))
    return graph.add("Concat", graph.add("Flatten", mean), deviation, axis=1)


def _conv2d(graph: Graph, settings: Mapping[str, Any]) -> str:
    x = _image(graph)
    for layer in _numbered(graph, "blocks.{}.0.weight"):
        x = graph.largest(graph.add("Relu", graph.convolution(x, layer)), [2, 2], [2, 2])
    return graph.add("Flatten", graph.mean(x, 3))


def _conv2d_encoder(graph: Graph, settings: Mapping[str, Any]) -> str:
    x, bands = _image(graph), graph.n_mels
    layers = _numbered(graph, "blocks.{}.0.weight")
    sizes = settings.get("pooling") or [(1, 1)] * len(layers)
    for layer, size in zip(layers, sizes, strict=True):
        x = graph.add("Relu", graph.convolution(x, layer))
        norm = layer.removesuffix("0") + "3"
        # What rises with its input may be applied to the largest values alone.
        late = bool((graph.weight(f"{norm}.weight") > 0).all())
        x = x if late else graph.batch_norm(x, norm)
        if tuple(size) != (1, 1):
            x = graph.largest(x, list(size), list(size))
        x = graph.batch_norm(x, norm) if late else x
        bands //= size[0]
    means = graph.add("MatMul", graph.mean(x, 3), graph.constant(_group_means(bands)))
    return graph.add("Flatten", means)


def _group_means(bands: int) -> Array:
    """Means of groups of bands, [bands, BANDS_KEPT], which may overlap: adaptive pooling."""
    matrix = np.zeros((bands, BANDS_KEPT), np.float32)
    for group in range(BANDS_KEPT):
        first = group * bands // BANDS_KEPT
        end = -(-(group + 1) * bands // BANDS_KEPT)
        matrix[first:end, group] = 1 / (end - first)
    return matrix


def _lstm(graph: Graph, settings: Mapping[str, Any]) -> str:
    x = graph.add("Transpose", _bands(graph), perm=[2, 0, 1])  # [frames, batch, n_mels]
    layers = [name for name in ("l0", "l1") if graph.has(f"layers.weight_ih_{name}")]
    for layer in layers:
        inputs = [_gates(graph, f"layers.{part}_{layer}") for part in ("weight_ih", "weight_hh")]
        biases = [_gates(graph, f"layers.{part}_{layer}") for part in ("bias_ih", "bias_hh")]
        units = inputs[0].shape[0] // 4
        constants = [*inputs, np.concatenate(biases)]
        tensors = [graph.constant(values[None]) for values in constants]
        if layer == layers[-1]:  # the last frame's output, [1, batch, units]
            last = graph.add("LSTM", x, *tensors, skip=1, hidden_size=units)
            return graph.add("Squeeze", last, graph.constant([0]))
        every = graph.add("LSTM", x, *tensors, hidden_size=units)  # [frames, 1, batch, units]
        x = graph.add("Squeeze", every, graph.constant([1]))
    raise WeightsMismatch("the weight layers.weight_ih_l0 is missing")


def _gates(graph: Graph, name: str) -> Array:
    """Rows of a weight in ONNX's order of the gates: input, output, forget, cell."""
    entry, forget, cell, output = np.split(graph.weight(name), 4)
    return np.concatenate([entry, output, forget, cell])


def _transformer(graph: Graph, settings: Mapping[str, Any]) -> str:
    x = graph.add("Transpose", _bands(graph), perm=[0, 2, 1])  # [batch, frames, n_mels]
    units = graph.weight("entry.weight").shape[0]
    x = graph.add("Add", graph.linear(x, "entry"), _sinusoids(graph, x, units))
    heads = settings.get("heads", ATTENTION_HEADS)
    for layer in _numbered(graph, "layers.{}.attention_norm.weight"):
        layer = layer.removesuffix(".attention_norm")
        normed = _layer_norm(graph, x, f"{layer}.attention_norm")
        x = graph.add("Add", x, _self_attention(graph, normed, f"{layer}.attention", heads))
        normed = _layer_norm(graph, x, f"{layer}.forward_norm")
        hidden = graph.add("Relu", graph.linear(normed, f"{layer}.forward_network.0"))
        x = graph.add("Add", x, graph.linear(hidden, f"{layer}.forward_network.2"))
    return graph.mean(_layer_norm(graph, x, "norm"), 1)


def _layer_norm(graph: Graph, x: str, prefix: str) -> str:
    scale, shift = graph.stored(f"{prefix}.weight"), graph.stored(f"{prefix}.bias")
    return graph.add("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-5)


def _sinusoids(graph: Graph, frames: str, units: int) -> str:
    """Sines and cosines of the frame's number, [frames, units]; `frames` [batch, frames, any]."""
    count = graph.add("Gather", graph.add("Shape", frames), graph.constant([1]), axis=0)
    count = graph.add("Squeeze", count, graph.constant([0]))
    zero, one = (graph.add("Squeeze", graph.constant([n]), graph.constant([0])) for n in (0, 1))
    position = graph.add("Cast", graph.add("Range", zero, count, one), to=1)
    position = graph.add("Unsqueeze", position, graph.constant([1]))
    rate = np.exp(np.arange(0, units, 2, dtype=np.float32) * (-math.log(LONGEST_WAVE) / units))
    angles = graph.add("Mul", position, graph.constant(rate[None]))
    waves = [
        graph.add("Unsqueeze", graph.add(wave, angles), graph.constant([2]))
        for wave in ("Sin", "Cos")
    ]
    return graph.add("Flatten", graph.add("Concat", *waves, axis=2))


def _self_attention(graph: Graph, x: str, prefix: str, heads: int) -> str:
    width = graph.weight(f"{prefix}.out.weight").shape[1]
    projected = graph.linear(x, f"{prefix}.queries_keys_values")  # [batch, frames, 3 * width]
    shape = graph.constant([0, 0, 3, heads, width // heads])
    parts = graph.add("Reshape", projected, shape)
    queries, keys, values = (
        graph.add("Squeeze", graph.add("Gather", parts, graph.constant([part]), axis=2), two)
        for part, two in ((part, graph.constant([2])) for part in range(3))
    )  # each [batch, frames, heads, width / heads]
    queries = graph.add("Transpose", queries, perm=[0, 2, 1, 3])
    scale = graph.constant(np.array(1 / math.sqrt(width // heads)))
    keys = graph.add("Transpose", graph.add("Mul", keys, scale), perm=[0, 2, 3, 1])
    weights = graph.add("Softmax", graph.add("MatMul", queries, keys), axis=-1)
    values = graph.add("Transpose", values, perm=[0, 2, 1, 3])
    attended = graph.add("MatMul", weights, values)
    joined = graph.add("Transpose", attended, perm=[0, 2, 1, 3])
    joined = graph.add("Reshape", joined, graph.constant([0, 0, width]))
    return graph.linear(joined, f"{prefix}.out")


def _resnet(graph: Graph, settings: Mapping[str, Any]) -> str:
    x = graph.convolution(_image(graph), "trunk.0", stride=2)
    x = graph.add("Relu", graph.batch_norm(x, "trunk.1"))
    x = graph.largest(x, [3, 3], [2, 2], padding=1)
    first = block = 4
    while graph.has(f"trunk.{block}.residual.0.weight"):
        widens = graph.has(f"trunk.{block}.shortcut.0.weight")
        # Each stage begins with a block that widens, and each but the first halves its input there.
        stride = 2 if widens and block > first else 1
        skipped = x
        if widens:
            skipped = graph.convolution(x, f"trunk.{block}.shortcut.0", stride)
            skipped = graph.batch_norm(skipped, f"trunk.{block}.shortcut.1")
        residual = _residual(graph, x, f"trunk.{block}.residual", stride)
        residual = graph.batch_norm(residual, f"trunk.{block}.residual.7")
        x = graph.add("Relu", graph.add("Add", residual, skipped))
        block += 1
    return graph.mean(x, 2, 3)


def _resnet_v2(graph: Graph, settings: Mapping[str, Any]) -> str:
    x = graph.convolution(_image(graph), "trunk.0", stride=2)
    x = graph.largest(x, [3, 3], [2, 2], padding=1)
    block = 2
    while graph.has(f"trunk.{block}.residual.0.weight"):
        # Each stage ends with a block that halves its input, but for the last one.
        stride = 2 if graph.has(f"trunk.{block + 1}.shortcut.weight") else 1
        ready = graph.add("Relu", graph.batch_norm(x, f"trunk.{block}.before.0"))
        if graph.has(f"trunk.{block}.shortcut.weight"):
            x = graph.convolution(ready, f"trunk.{block}.shortcut", stride)
        elif stride > 1:
            x = graph.largest(x, [1, 1], [stride, stride])
        x = graph.add("Add", x, _residual(graph, ready, f"trunk.{block}.residual", stride))
        block += 1
    return graph.mean(graph.add("Relu", graph.batch_norm(x, f"trunk.{block}")), 2, 3)


def _residual(graph: Graph, x: str, prefix: str, stride: int) -> str:
    """A bottleneck's three convolutions, without what follows the last."""
    x = graph.add("Relu", graph.batch_norm(graph.convolution(x, f"{prefix}.0"), f"{prefix}.1"))
    x = graph.convolution(x, f"{prefix}.3", stride)
    x = graph.add("Relu", graph.batch_norm(x, f"{prefix}.4"))
    return graph.convolution(x, f"{prefix}.6")


_BUILDERS: Mapping[str, Builder] = {
    "conv1d": _conv1d,
    "conv1d-encoder": _conv1d_encoder,
    "conv2d": _conv2d,
    "conv2d-encoder": _conv2d_encoder,
    "lstm": _lstm,
    "musicnn": musicnn_graph,
    "resnet50": _resnet,
    "resnet101": _resnet,
    "resnet50v2": _resnet_v2,
    "transformer": _transformer,
}

"""MusiCNN (see `musicnn`) as an ONNX graph."""

from collections.abc import Mapping
from typing import Any

from recommender.networks.graph import Graph

TIMBRAL = (0.4, 0.7)
"""Heights of the timbral kernels, as shares of the bands; each is 7 frames long."""

TEMPORAL = (128, 64, 32)
"""Lengths of the temporal kernels, in frames; each is one band high."""

MIDDLE_LAYERS = 3


def musicnn_graph(graph: Graph, settings: Mapping[str, Any]) -> str:
    """The name of the output, [batch, units + tags]: activations, then the tags' probabilities."""
    image = graph.add("Unsqueeze", graph.clips, graph.constant([1]))  # [batch, 1, n_mels, frames]
    image = graph.batch_norm(image, "bands")
    rows = [_over_bands(graph, image, f"timbral.{index}") for index in range(len(TIMBRAL))]
    rows += [_over_bands(graph, image, f"temporal.{index}") for index in range(len(TEMPORAL))]
    layers = [graph.add("Concat", *rows, axis=1)]  # [batch, channels, frames]
    for index in range(MIDDLE_LAYERS):
        found = graph.add("Relu", graph.convolution(layers[-1], f"middle.{index}.0"))
        found = graph.batch_norm(found, f"middle.{index}.1")
        layers.append(graph.add("Add", found, layers[-1]) if index else found)
    features = graph.add("Concat", *layers, axis=1)
    largest = graph.add("ReduceMax", features, axes=[2], keepdims=0)
    pooled = graph.add("Concat", largest, graph.mean(features, 2), axis=1)
    dense = graph.add("Relu", graph.linear(graph.batch_norm(pooled, "pooled_norm"), "dense"))
    penultimate = graph.batch_norm(dense, "dense_norm")
    tags = graph.add("Sigmoid", graph.linear(penultimate, "tags"))
    return graph.add("Concat", penultimate, tags, axis=1)


def _over_bands(graph: Graph, image: str, block: str) -> str:
    """A layer's largest value over the bands, [batch, filters, frames]."""
    length = graph.weight(f"{block}.0.weight").shape[3]
    pads = [0, (length - 1) // 2, 0, length // 2]
    x = graph.padded_convolution(image, f"{block}.0", pads)
    norm = f"{block}.1"
    # What rises with its input may be applied to the largest values alone; ReLU does.
    late = bool((graph.weight(f"{norm}.weight") > 0).all())
    if late:
        x = graph.add("Relu", graph.add("ReduceMax", x, axes=[2], keepdims=0))
        return graph.batch_norm(x, norm)
    x = graph.batch_norm(graph.add("Relu", x), norm)
    return graph.add("ReduceMax", x, axes=[2], keepdims=0)

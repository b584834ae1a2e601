"""MusiCNN (see `musicnn`) as an ONNX graph."""

from collections.abc import Mapping
from typing import Any

import numpy as np

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
    """A layer's largest value over the bands, [batch, filters, frames].

    ReLU and normalisation rise with their input, or fall throughout where the norm's factor is
    negative. So they are applied to the largest values alone: of the negated convolution where the
    smallest are wanted.
    """
    kernel, bias = graph.weight(f"{block}.0.weight"), graph.weight(f"{block}.0.bias")
    sign = np.where(graph.weight(f"{block}.1.weight") < 0, -1.0, 1.0)
    length = kernel.shape[3]
    values = [kernel * sign[:, None, None, None], bias * sign]
    x = graph.add(
        "Conv",
        image,
        *map(graph.constant, values),
        pads=[0, (length - 1) // 2, 0, length // 2],
        strides=[1, 1],
    )
    x = graph.add("ReduceMax", x, axes=[2], keepdims=0)
    x = graph.add("Relu", graph.add("Mul", x, graph.constant(sign[None, :, None])))
    return graph.batch_norm(x, f"{block}.1")

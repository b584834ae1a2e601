"""Networks as ONNX graphs compute what the torch networks do."""

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.networks import GenreNetwork, create_model, model_names
from recommender.networks.graph import WeightsMismatch
from recommender.networks.graphs import has_graph, network_graph

N_MELS = 128

SMALL = {
    "conv1d": {"filters": (8, 4, 4)},
    "conv1d-encoder": {"filters": (16, 8)},
    "conv2d": {"filters": (4, 4, 2), "kernel": 5},
    "conv2d-encoder": {"filters": (4, 8, 8), "pooling": ((3, 2), (2, 3), (1, 1))},
    "lstm": {"units": 12},
    "transformer": {"units": 32, "heads": 5, "layers": 3},
}
"""Other settings than the defaults, so that each is read from the weights or the card."""


def network_of(name: str, options: dict, seed: int = 0) -> GenreNetwork:
    """A network whose normalisations have statistics, as trained ones do."""
    torch.manual_seed(seed)
    network = create_model(name, n_mels=N_MELS, n_classes=3, **options)
    for layer in network.modules():
        if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.8, 1.2)
            layer.weight.data.normal_(0.5, 0.3)  # some of them negative
            layer.bias.data.normal_(0, 0.1)
    return network.eval()


def weights_of(network: GenreNetwork) -> dict[str, np.ndarray]:
    return {name: values.numpy() for name, values in network.state_dict().items()}


def largest_difference(name: str, options: dict, network: GenreNetwork, frames: int) -> float:
    """Against the largest activation, for three clips."""
    clips = np.random.default_rng(frames).standard_normal((3, N_MELS, frames)).astype(np.float32)
    model = network_graph(name, N_MELS, options, weights_of(network))
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"clips": clips})
    with torch.no_grad():
        expected = network.activations(torch.from_numpy(clips)).numpy()
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("name", model_names())
def test_every_architecture_has_a_graph_that_computes_the_same(name: str) -> None:
    assert has_graph(name)
    network = network_of(name, {})
    assert largest_difference(name, {}, network, 65) < 1e-5


@pytest.mark.parametrize("name", sorted(SMALL))
@pytest.mark.parametrize("frames", [37, 130])
def test_settings_and_lengths_other_than_the_usual(name: str, frames: int) -> None:
    assert largest_difference(name, SMALL[name], network_of(name, SMALL[name]), frames) < 1e-5


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=3),
    st.integers(0, 1000),
)
def test_any_pooling_of_the_2d_encoder(pooling: list[tuple[int, int]], seed: int) -> None:
    options = {"filters": (4,) * len(pooling), "pooling": pooling}
    network = network_of("conv2d-encoder", options, seed)
    assert largest_difference("conv2d-encoder", options, network, 40) < 1e-5


@pytest.mark.parametrize("name", sorted(SMALL))
def test_weights_that_are_missing_or_left_over_are_named(name: str) -> None:
    weights = weights_of(network_of(name, SMALL[name]))
    with pytest.raises(WeightsMismatch, match=r"nothing takes the weight extra\.weight"):
        network_graph(name, N_MELS, SMALL[name], {**weights, "extra.weight": np.zeros(1)})
    del weights["bands.bias"]
    with pytest.raises(WeightsMismatch, match=r"the weight bands\.bias is missing"):
        network_graph(name, N_MELS, SMALL[name], weights)


def test_there_is_none_for_a_stranger() -> None:
    assert not has_graph("perceptron")

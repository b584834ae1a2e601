"""One contract for every registered architecture."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from recommender.errors import UsageError
from recommender.networks import GenreNetwork, create_model, model_names, registered
from recommender.networks.resnet import pre_activation_trunk, trunk
from recommender.networks.transformer import sinusoids

# First logit of two fixed clips at seed 0: changes only when the architecture does.
GOLDEN = {
    "conv1d": (-0.159201, -0.141427),
    "conv1d-encoder": (0.040208, 0.036584),
    "conv2d": (-0.038402, -0.039008),
    "conv2d-encoder": (0.037153, 0.035106),
    "lstm": (0.041282, 0.074651),
    "resnet101": (253.152588, 350.683350),
    "resnet50": (4.787614, 4.854593),
    "resnet50v2": (-2.501987, -2.261429),
    "transformer": (-0.008273, -0.075891),
}


def fresh(name: str, seed: int = 0) -> GenreNetwork:
    torch.manual_seed(seed)
    return create_model(name, n_mels=128, n_classes=10)


@cache
def built(name: str) -> GenreNetwork:
    """One network of each family in evaluation mode, for tests that do not change it."""
    return fresh(name).eval()


def clips(batch: int, frames: int, seed: int = 1) -> torch.Tensor:
    values = np.random.default_rng(seed).standard_normal((batch, 128, frames))
    return torch.from_numpy(values.astype(np.float32))


@pytest.mark.parametrize("name", model_names())
class TestEveryModel:
    @pytest.mark.parametrize("frames", [65, 130, 431])
    def test_shapes_for_any_length(self, name: str, frames: int) -> None:
        network = built(name)
        activations = network.activations(clips(2, frames))
        assert activations.shape == (2, network.feature_dim)
        assert network(clips(2, frames)).shape == (2, 10)

    def test_every_parameter_gets_a_gradient(self, name: str) -> None:
        network = fresh(name).train()
        labels = torch.arange(8) % 10
        torch.nn.functional.cross_entropy(network(clips(8, 130)), labels).backward()
        for label, parameter in network.named_parameters():
            assert parameter.grad is not None, label
            assert torch.isfinite(parameter.grad).all(), label
            assert parameter.grad.abs().sum() > 0, label

    def test_features_are_what_the_classifier_takes(self, name: str) -> None:
        network = built(name)
        assert network.classifier.in_features == network.feature_dim
        activations = network.activations(clips(2, 130))
        torch.testing.assert_close(network.classify(activations), network(clips(2, 130)))

    def test_says_where_the_paper_describes_it(self, name: str) -> None:
        assert registered(name).section
        assert registered(name).summary.endswith(".")

    def test_same_seed_same_network(self, name: str) -> None:
        again = fresh(name).eval()
        assert torch.equal(built(name)(clips(2, 130)), again(clips(2, 130)))

    def test_saved_and_loaded_bit_equal(self, name: str, tmp_path) -> None:
        network, other = built(name), fresh(name, seed=9).eval()
        save_file(network.state_dict(), tmp_path / "w.safetensors")
        other.load_state_dict(load_file(tmp_path / "w.safetensors"))
        assert torch.equal(network(clips(2, 130)), other(clips(2, 130)))

    def test_a_clip_does_not_depend_on_its_batch(self, name: str) -> None:
        network = built(name)
        batch = clips(3, 130)
        torch.testing.assert_close(network(batch)[1:2], network(batch[1:2]), atol=1e-5, rtol=1e-4)

    def test_golden_output(self, name: str) -> None:
        logits = built(name)(clips(2, 130))
        np.testing.assert_allclose(logits.detach()[:, 0], GOLDEN[name], rtol=1e-3, atol=1e-4)


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("built_trunk", "published"),
    [
        # torchvision 0.20: resnet50 25,557,032 and resnet101 44,549,160 less the 2,049,000 of fc
        (lambda: trunk((3, 4, 6, 3), channels=3), 23_508_032),
        (lambda: trunk((3, 4, 23, 3), channels=3), 42_500_160),
        # Keras: ResNet50V2 without its top, 23,564,800 of which 45,440 are running statistics
        (lambda: pre_activation_trunk((3, 4, 6, 3), channels=3), 23_519_360),
    ],
    ids=["ResNet50", "ResNet101", "ResNet50V2"],
)
def test_residual_trunks_have_the_published_number_of_parameters(built_trunk, published) -> None:
    with torch.device("meta"):
        assert parameters(built_trunk()) == published


def test_a_residual_trunk_divides_its_input_by_32() -> None:
    with torch.device("meta"):
        for made in (trunk((3, 4, 6, 3)), pre_activation_trunk((3, 4, 6, 3))):
            assert made(torch.empty(1, 1, 128, 160)).shape == (1, 2048, 4, 5)


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        # 4 gates x units x (inputs + units + 2 biases) a layer, 128 bands' scales, 10 classes
        ("lstm", {"units": 32}, 4 * 32 * (128 + 32 + 2) + 4 * 32 * (64 + 2) + 256 + 330),
        ("conv1d", {"filters": (128, 64)}, 128 * 385 + 64 * 385 + 256 + 650),
        ("conv1d-encoder", {"filters": (256, 128)}, 256 * 387 + 128 * 771 + 256 + 2570),
        ("conv2d", {"filters": (4,) * 5}, 4 * 10 + 4 * 4 * 37 + 256 + 170),
        ("conv2d-encoder", {"filters": (8, 4)}, 8 * 12 + 4 * 75 + 256 + 330),
    ],
)
def test_parameters_counted_by_hand(name: str, settings: dict, expected: int) -> None:
    assert parameters(create_model(name, n_mels=128, n_classes=10, **settings)) == expected


def test_only_regularised_kernels_are_penalised() -> None:
    network = create_model("conv1d", n_mels=128, n_classes=10, filters=(2,), kernel_l2=0.5)
    kernel = network.get_parameter("blocks.0.0.weight")
    expected = 0.5 * kernel.square().sum()
    assert network.penalty().item() == pytest.approx(expected.item())
    assert create_model("conv1d", n_mels=128, n_classes=10).penalty().item() == 0
    lstm = create_model("lstm", n_mels=128, n_classes=10, units=3, kernel_l2=2.0)
    kernels = [lstm.get_parameter(f"layers.weight_ih_l{layer}") for layer in (0, 1)]
    expected = 2 * sum(kernel.square().sum() for kernel in kernels)
    assert lstm.penalty().item() == pytest.approx(expected.item())


def test_the_lstm_depends_on_the_order_of_frames() -> None:
    network = built("lstm")
    forwards = clips(1, 130)
    assert not torch.allclose(network(forwards), network(forwards.flip(2)), atol=1e-4)


def test_the_transformer_hears_the_order_of_frames() -> None:
    network = built("transformer")
    forwards = clips(1, 130)
    assert not torch.allclose(network(forwards), network(forwards.flip(2)), atol=1e-4)


def test_positions_are_those_of_the_paper() -> None:
    table = sinusoids(50, 8, torch.device("cpu"))
    assert table.shape == (50, 8)
    rate = 10_000 ** (-2 / 8)  # of the second pair
    assert float(table[7, 2]) == pytest.approx(math.sin(7 * rate), abs=1e-5)
    assert float(table[7, 3]) == pytest.approx(math.cos(7 * rate), abs=1e-5)


@pytest.mark.parametrize("rising", [True, False])
@pytest.mark.parametrize("frames", [65, 130])
def test_pooling_early_gives_the_same_values(rising: bool, frames: int) -> None:
    pooling = ((2, 2), (3, 2), (1, 1))
    network = create_model(
        "conv2d-encoder", n_mels=128, n_classes=10, filters=(4, 6, 5), pooling=pooling
    ).eval()
    images = clips(2, frames).unsqueeze(1)
    for block in network.blocks:
        scale, offset = block[3].weight, block[3].bias
        torch.nn.init.uniform_(scale, 0.1 if rising else -1, 1)
        torch.nn.init.uniform_(offset, -1, 1)
        in_order = images
        for layer in block:
            in_order = layer(in_order.clone())  # the ReLU overwrites its input
        images = block(images)
        torch.testing.assert_close(images, in_order, rtol=0, atol=0)


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(UsageError, match="conv1d-encoder"):
        create_model("lstm9000", n_mels=128, n_classes=10)


def test_a_clip_shorter_than_what_is_pooled_is_refused() -> None:
    network = create_model(
        "conv2d-encoder", n_mels=128, n_classes=10, filters=(4, 4), pooling=((2, 4), (1, 1))
    ).eval()
    with pytest.raises(RuntimeError, match="too small"):
        network.activations(torch.zeros(1, 128, 3))

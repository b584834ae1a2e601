"""One contract for every registered architecture."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from recommender.errors import UsageError
from recommender.models import GenreNetwork, create_model, model_names

# Sum of the logits of a fixed input at seed 0: changes only when the architecture does.
GOLDEN = {"conv1d-encoder": (0.04020766, 0.03658424)}


def fresh(name: str, seed: int = 0) -> GenreNetwork:
    torch.manual_seed(seed)
    return create_model(name, n_mels=128, n_classes=10)


def clips(batch: int, frames: int, seed: int = 1) -> torch.Tensor:
    values = np.random.default_rng(seed).standard_normal((batch, 128, frames))
    return torch.from_numpy(values.astype(np.float32))


@pytest.mark.parametrize("name", model_names())
class TestEveryModel:
    @pytest.mark.parametrize("frames", [65, 130, 431])
    def test_shapes_for_any_length(self, name: str, frames: int) -> None:
        network = fresh(name).eval()
        activations = network.activations(clips(2, frames))
        assert activations.shape == (2, network.feature_dim)
        assert network(clips(2, frames)).shape == (2, 10)

    def test_every_parameter_gets_a_gradient(self, name: str) -> None:
        network = fresh(name).train()
        labels = torch.arange(8) % 10
        torch.nn.functional.cross_entropy(network(clips(8, 130)), labels).backward()
        for label, parameter in network.named_parameters():
            assert parameter.grad is not None, label
            assert parameter.grad.abs().sum() > 0, label

    def test_same_seed_same_network(self, name: str) -> None:
        first, second = fresh(name).eval(), fresh(name).eval()
        assert torch.equal(first(clips(2, 130)), second(clips(2, 130)))

    def test_saved_and_loaded_bit_equal(self, name: str, tmp_path) -> None:
        network, other = fresh(name).eval(), fresh(name, seed=9).eval()
        save_file(network.state_dict(), tmp_path / "w.safetensors")
        other.load_state_dict(load_file(tmp_path / "w.safetensors"))
        assert torch.equal(network(clips(2, 130)), other(clips(2, 130)))

    def test_a_clip_does_not_depend_on_its_batch(self, name: str) -> None:
        network = fresh(name).eval()
        batch = clips(3, 130)
        torch.testing.assert_close(network(batch)[1:2], network(batch[1:2]), atol=1e-5, rtol=1e-4)

    def test_golden_output(self, name: str) -> None:
        logits = fresh(name).eval()(clips(2, 130))
        np.testing.assert_allclose(logits.detach()[:, 0], GOLDEN[name], atol=1e-4)


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(UsageError, match="conv1d-encoder"):
        create_model("lstm9000", n_mels=128, n_classes=10)

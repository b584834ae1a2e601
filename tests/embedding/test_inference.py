"""What serves a model: ONNX Runtime without torch, and torch where there is no graph."""

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sounds

from recommender import Embedder
from recommender.embedding import model_files
from recommender.embedding.inference import OnnxNetwork, TorchNetwork, serving_networks
from recommender.embedding.model_files import find_model, shipped_models
from recommender.errors import WeightsError


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    """Five standardised windows [5, 128, 130] that hold tones, noise and silence."""
    random = np.random.default_rng(0)
    levels = random.normal(-40, 12, (5, 128, 130)) + 15 * np.sin(np.arange(130) / 7)
    levels[:, 40:44] += 25
    levels[:, 100:] = -80
    levels = np.clip(levels, -80, 0)
    return ((levels - levels.mean()) / levels.std()).astype(np.float32)


@pytest.mark.parametrize("name", shipped_models())
def test_activations_are_those_of_torch(name: str, clips: np.ndarray) -> None:
    files = find_model(name)
    crop = clips[:, :, : files.card.network_frames or None]
    for served, network in zip(serving_networks(files), files.networks(), strict=True):
        expected = TorchNetwork(network, "cpu").activations(crop)
        np.testing.assert_allclose(served.activations(crop), expected, rtol=0, atol=1e-4)


def test_an_architecture_without_a_graph_is_computed_by_torch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(model_files, "has_graph", lambda architecture: False)
    with caplog.at_level(logging.DEBUG, "recommender"):
        (network,) = serving_networks(find_model("conv1d"))
    assert isinstance(network, TorchNetwork)
    assert "torch computes it" in caplog.text


def test_other_devices_are_torchs() -> None:
    (network,) = serving_networks(find_model("conv1d"), device="cpu:0")
    assert isinstance(network, TorchNetwork)


def test_what_is_no_model_is_reported() -> None:
    with pytest.raises(WeightsError, match="do not fit their card"):
        OnnxNetwork(b"no model")


def test_an_embedder_imports_no_torch(tmp_path: Path) -> None:
    sound = sounds.write_sound(tmp_path / "a.wav", sounds.music(3))
    code = (
        "import sys\nfrom recommender import Embedder\n"
        "for model in ('default', 'lstm'): Embedder.load(model).embed(sys.argv[1])\n"
        "assert 'torch' not in sys.modules and 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(sound)], check=True)


def test_threads_may_share_one(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    embedder = Embedder.load("conv1d")
    files = [
        sounds.write_sound(tmp_path / f"{seed}.wav", sounds.music(3, seed=seed)) for seed in (1, 2)
    ]
    alone = [embedder.embed(file).vector for file in files]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(embedder.embed, files * 4))
    for number, embedding in enumerate(together):
        assert np.array_equal(embedding.vector, alone[number % 2])

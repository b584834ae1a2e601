"""Our networks against what those of the wheel compute themselves (`make_musicnn_golden.py`)."""

from pathlib import Path

import numpy as np
import pytest
from golden_sounds import SOUNDS, golden_sound

from recommender.embedding.inference import TorchNetwork, serving_networks
from recommender.features.log_mel import mel_power
from recommender.features.mel_patches import PatchFrontEnd
from recommender.pretrained import musicnn

pytestmark = pytest.mark.slow

TOLERANCE = 1e-3
FRAMES = 187


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).with_name("musicnn_golden.npz")) as stored:
        return dict(stored)


def consecutive_patches(samples: np.ndarray) -> np.ndarray:
    """As the wheel's extractor takes them, from the first frame on."""
    front_end = PatchFrontEnd()
    power = mel_power(np.pad(samples, front_end.n_fft // 2), front_end.spectrogram)
    values = np.log10(1 + front_end.gain * power).astype(np.float32)
    starts = range(0, values.shape[1] - FRAMES + 1, FRAMES)
    return np.stack([values[:, start : start + FRAMES] for start in starts])


def test_both_networks_compute_what_the_originals_do(real_wheel, golden) -> None:
    files, _ = musicnn.add_musicnn(real_wheel)
    engines = [serving_networks(files), [TorchNetwork(one, "cpu") for one in files.networks()]]
    for networks in engines:
        for data, network in zip(musicnn.NETWORKS.values(), networks, strict=True):
            for name in SOUNDS:
                found = network.activations(consecutive_patches(golden_sound(name)))
                expected = golden[f"{data}.{name}.penultimate"]
                assert np.abs(found[:, :200] - expected).max() < TOLERANCE
                tags = found[:, 200:].mean(axis=0)
                assert np.abs(tags - golden[f"{data}.{name}.tags"]).max() < TOLERANCE


def test_the_tags_make_sense(real_wheel, golden) -> None:
    with musicnn.WHEEL.open(real_wheel) as archive:
        networks = musicnn.read_networks(archive)
    best = {
        name: networks["MTT"].tags[int(golden[f"MTT_musicnn.{name}.tags"].argmax())]
        for name in SOUNDS
    }
    assert best["plucked"] in {"guitar", "piano", "harp", "harpsichord", "classical"}
    assert best["beat"] in {"techno", "electronic", "drums", "beat"}

"""Harmonic, percussive, vocal and accompaniment layers: known answers and shapes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_gtzan import noise
from toy_outcomes import outcome

from recommender.errors import UsageError
from recommender.networks import create_model, model_names
from recommender.research.reproduction.layer_comparison import comparison_text, layer_effects
from recommender.research.reproduction.layers import (
    IMAGE_MODELS,
    checked_layers,
    layer_folder,
    layer_masks,
    layered_settings,
    with_layers,
)
from recommender.research.reproduction.outcomes import read_outcomes
from recommender.research.reproduction.runner import declared_jobs, run_jobs
from recommender.research.reproduction.splits import load_protocol

pytestmark = pytest.mark.slow

BANDS, COLUMNS = 128, 387
ALL = ("harmonic", "percussive", "vocal", "accompaniment")
FLOOR = -80.0


def silence() -> np.ndarray:
    return np.full((BANDS, COLUMNS), FLOOR, dtype=np.float32)


def test_a_steady_sine_is_harmonic_and_a_click_percussive() -> None:
    decibels = silence()
    decibels[40] = 0.0  # a sine in one band
    decibels[:, 200] = -3.0  # a click in one column
    masks = layer_masks(decibels, ALL)
    sine = np.delete(np.arange(COLUMNS), 200)
    click = np.delete(np.arange(BANDS), 40)
    assert masks["harmonic"][40, sine].min() > 0.99
    assert masks["percussive"][click, 200].min() > 0.99


def test_tone_and_beats_go_to_different_layers() -> None:
    """Layers in decibels: the tone is gone from the percussive one, beats from the harmonic."""
    decibels = silence()
    decibels[30] = -6.0
    decibels[60:, ::8] = -10.0  # a broad beat each 0.62 s
    stacked = with_layers(decibels, ("harmonic", "percussive"))
    _, harmonic, percussive = np.split(stacked, 3)
    off = np.arange(COLUMNS) % 8 == 4
    assert harmonic[30, off].min() > -6.1
    assert percussive[30, off].max() < -60
    assert percussive[70:, ::8].min() > -10.1
    assert harmonic[70:, ::8].max() < -60


def test_a_changing_voice_over_a_repeating_background() -> None:
    generator = np.random.default_rng(0)
    bar = generator.uniform(-30, -10, (BANDS, 16)).astype(np.float32)
    background = np.tile(bar, 25)[:, :COLUMNS]
    voice = silence()
    for column in range(0, COLUMNS, 5):  # a note of one band, drawn anew, now and then
        if generator.random() < 0.2:
            voice[generator.integers(BANDS), column : column + 5] = 0.0
    masks = layer_masks(np.maximum(background, voice), ("vocal", "accompaniment"))
    sung = voice == 0
    assert sung.sum() > 50
    assert masks["vocal"][sung].mean() > 0.9
    assert masks["vocal"][~sung].mean() < 0.02
    assert masks["accompaniment"][~sung].mean() > 0.98


@pytest.mark.slow
def test_equals_the_reference() -> None:
    from librosa.decompose import hpss

    decibels = np.random.default_rng(0).uniform(FLOOR, 0, (BANDS, 129)).astype(np.float32)
    reference = hpss(10 ** (decibels / 20), kernel_size=(9, 13), power=2.0, mask=True)
    masks = layer_masks(decibels, ("harmonic", "percussive"))
    for mask, expected in zip(masks.values(), reference, strict=True):
        np.testing.assert_allclose(mask, expected, atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), columns=st.sampled_from([129, 387]))
def test_masks_are_shares_and_pairs_sum_to_one(seed: int, columns: int) -> None:
    generator = np.random.default_rng(seed)
    decibels = generator.uniform(FLOOR, 0, (32, columns)).astype(np.float32)
    masks = layer_masks(decibels, ALL)
    for mask in masks.values():
        assert mask.min() >= 0
        assert mask.max() <= 1
    np.testing.assert_allclose(masks["harmonic"] + masks["percussive"], 1, atol=1e-5)
    np.testing.assert_allclose(masks["vocal"] + masks["accompaniment"], 1, atol=1e-5)


def test_layers_stack_below_an_unchanged_spectrogram() -> None:
    decibels = np.random.default_rng(0).uniform(FLOOR, 0, (16, 129)).astype(np.float32)
    stacked = with_layers(decibels, ("percussive", "vocal"))
    assert (stacked.shape, stacked.dtype) == ((48, 129), np.float32)
    np.testing.assert_array_equal(stacked[:16], decibels)
    assert stacked.min() == decibels.min()
    assert (stacked[16:32] <= decibels + 1e-4).all()


def test_silence_has_layers_too() -> None:
    stacked = with_layers(silence(), ALL)
    assert np.isfinite(stacked).all()
    assert stacked.min() == FLOOR


def test_names_are_checked_and_put_in_order() -> None:
    assert checked_layers(["vocal", "harmonic"]) == ("harmonic", "vocal")
    assert layer_folder(("harmonic", "vocal")) == "layers-harmonic-vocal"
    assert layer_folder(()) == ""
    with pytest.raises(UsageError, match="no layer is named 'drums'"):
        checked_layers(["drums"])


@pytest.mark.parametrize("name", model_names())
def test_every_family_takes_layers(name: str) -> None:
    """A channel each where clips are images, else further bands; nothing else grows."""
    own = layered_settings(name, {}, layers=3)
    assert own == ({"channels": 4} if name in IMAGE_MODELS else {})
    with torch.device("meta"), torch.no_grad():  # shapes alone
        network = create_model(name, n_mels=4 * BANDS, n_classes=10, **own).eval()
        plain = create_model(name, n_mels=BANDS, n_classes=10)
        activations = network.activations(torch.empty(2, 4 * BANDS, 129))
    assert activations.shape == (2, network.feature_dim)
    assert network.feature_dim == plain.feature_dim
    wider = {
        key
        for key, weights in network.state_dict().items()
        if weights.shape != plain.state_dict()[key].shape
    }
    assert len({key for key in wider if not key.startswith("bands.")}) == 1


def test_channels_of_an_image_are_the_layers() -> None:
    network = create_model("conv2d", n_mels=6, n_classes=2, filters=(2,), channels=3).eval()
    layers = torch.arange(3.0).repeat_interleave(2)[None, :, None].expand(1, 6, 4)
    images = network.images(layers)
    assert images.shape == (1, 3, 2, 4)
    np.testing.assert_allclose(images.detach().mean(dim=(0, 2, 3)), [0, 1, 2], atol=1e-4)


@pytest.mark.parametrize("name", ["lstm-10", "conv2d-encoder"])
def test_one_epoch_with_layers(tmp_path: Path, name: str) -> None:
    """On noise; the outcome is like those without, in a folder of its own."""
    jobs = declared_jobs(["filtered"], [name], seeds=1)
    layers = ("harmonic", "vocal")
    run_jobs(
        jobs,
        noise(["filtered"]),
        tmp_path / layer_folder(layers),
        tmp_path / "checkpoints",
        layers=layers,
        smoke_test=True,
    )
    [found] = read_outcomes(tmp_path / "layers-harmonic-vocal")
    assert (found.run, found.epochs) == (name, 1)
    assert read_outcomes(tmp_path) == []


def test_splits_have_the_layers_of_their_tracks() -> None:
    data = noise(["filtered"])
    plain, layered = (
        load_protocol(data, "filtered", smoke_test=True, layers=layers)
        for layers in ((), ("percussive",))
    )
    assert layered.test.ids == plain.test.ids
    assert layered.test.tracks.decibels.shape[1] == 2 * plain.test.tracks.decibels.shape[1]
    np.testing.assert_array_equal(
        layered.test.tracks.decibels[0], with_layers(plain.test.tracks.decibels[0], ["percussive"])
    )


class TestComparison:
    def test_differences_are_with_less_without(self) -> None:
        plain = [outcome("lstm-128", right=30, seed=seed) for seed in range(3)]
        layered = [outcome("lstm-128", right=36, seed=seed) for seed in range(2)]
        [effect] = layer_effects(plain, layered)
        assert effect.accuracy.value == pytest.approx(0.1)
        assert effect.accuracy.significant
        assert effect.precision is not None
        assert effect.precision.value == 0
        text = comparison_text(plain, layered, ("harmonic", "vocal"))
        assert "layers: harmonic and vocal" in text
        assert "1 of 1 runs differ in accuracy and 0 of 1 in precision@10" in text
        assert "| lstm-128 | 2 (3) |" in text
        assert "50.0 → 60.0 (+10.0)" in text

    def test_runs_without_a_counterpart_are_left_out(self) -> None:
        text = comparison_text([outcome("lstm-32")], [outcome("lstm-128")], ("vocal",))
        assert text.startswith("No run has outcomes")

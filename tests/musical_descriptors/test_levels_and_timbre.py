"""Loudness against pyloudnorm, and timbre of sounds that are known."""

import numpy as np
import pytest
from synthetic_music import RATE, Samples, cadence, clicks, described, noise, sine

from recommender.errors import UsageError
from recommender.musical_descriptors.loudness import loudness, loudness_range
from recommender.musical_descriptors.spectra import spectra
from recommender.musical_descriptors.timbre import brightness, percussive_part


def loud_and_quiet(quiet_db: float) -> Samples:
    sound = noise(12)
    sound[6 * RATE :] *= 10 ** (quiet_db / 20)
    return sound


@pytest.mark.parametrize(
    "sound",
    [sine(1_000), sine(80), noise(), cadence(3, False, "saw"), loud_and_quiet(-8), clicks(100)],
    ids=["1 kHz", "80 Hz", "noise", "cadence", "two levels", "clicks"],
)
def test_loudness_is_that_of_pyloudnorm(sound: Samples) -> None:
    pyloudnorm = pytest.importorskip("pyloudnorm")
    expected = pyloudnorm.Meter(RATE).integrated_loudness(sound.astype(np.float64))
    assert loudness([spectra(sound).weighted]) == pytest.approx(expected, abs=0.15)


def test_a_sine_at_full_scale_has_the_loudness_of_the_recommendation() -> None:
    """BS.1770-4, annex 1: 997 Hz at 0 dB FS in one channel is -3.01 LUFS."""
    assert described(sine(997, level=1.0)).loudness == pytest.approx(-3.01, abs=0.05)
    assert described(sine(997, level=1.0), channel_gain=2).loudness == pytest.approx(0, abs=0.05)


def test_loudness_range_is_the_distance_of_two_levels() -> None:
    """EBU Tech 3341, as of its test signals: two steady levels."""
    quiet, loud = noise(30), noise(30, seed=1)
    quiet *= 0.1 ** (10 / 20)
    weighted = [spectra(np.concatenate([quiet, loud])).weighted]
    assert loudness_range(weighted) == pytest.approx(10, abs=1)
    assert loudness_range([spectra(noise(30)).weighted]) == pytest.approx(0, abs=0.3)


def test_the_quiet_gate_leaves_out_silence_between_notes() -> None:
    sound = noise(5)
    apart = np.concatenate([sound, np.zeros(10 * RATE, np.float32), sound])
    whole, halves = loudness([spectra(sound).weighted]), loudness([spectra(apart).weighted])
    assert halves == pytest.approx(whole, abs=0.3)


def test_brightness_is_the_frequency_of_a_sine() -> None:
    for hertz in (300, 1_000, 5_000):
        assert brightness([spectra(sine(hertz))]) == pytest.approx(hertz, rel=0.05)


def test_brightness_agrees_with_librosa() -> None:
    librosa = pytest.importorskip("librosa")
    sound = cadence(0, False, "saw")
    sound = sound + 0.01 * noise()[: len(sound)]
    expected = librosa.feature.spectral_centroid(y=sound, sr=RATE, n_fft=1_024, hop_length=256)
    assert brightness([spectra(sound)]) == pytest.approx(float(expected.mean()), rel=0.05)


def test_clicks_are_percussive_and_chords_are_not() -> None:
    struck, held = percussive_part([spectra(clicks(120))]), percussive_part([spectra(sine(440))])
    both = percussive_part([spectra(clicks(120) + sine(440))])
    assert struck is not None
    assert held is not None
    assert both is not None
    assert held < 0.2 < 0.6 < struck
    assert held < both < struck


def test_steady_sound_has_no_dynamics() -> None:
    steady, varied = described(noise()), described(loud_and_quiet(-12))
    assert steady.dynamic_complexity == pytest.approx(0, abs=0.3)
    assert varied.dynamic_complexity == pytest.approx(6, abs=0.3)


def test_louder_and_busier_is_more_energetic() -> None:
    quiet = described(0.02 * cadence(0, False, "flute")).energy
    chords = cadence(0, False, "saw")
    busy = chords + (clicks(160) + noise(level=0.2))[: len(chords)]
    loud = described(busy).energy
    assert quiet is not None
    assert loud is not None
    assert quiet < 0.35 < 0.6 < loud


def test_only_one_rate_is_taken() -> None:
    with pytest.raises(UsageError, match="22050 Hz"):
        spectra(noise(), 44_100)


@pytest.mark.parametrize("sound", [noise(1.2), sine(1e3, 1.0, 1e-6), 1e30 * noise(2)])
def test_every_sound_that_can_be_decoded_gets_a_record(sound: Samples) -> None:
    found = described(sound.astype(np.float32))
    for name, value in vars(found).items():
        assert value is None or isinstance(value, str) or np.isfinite(value), name
    assert found.energy is None
    assert found.vocals is None

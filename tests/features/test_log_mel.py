"""The front end against librosa, and against the stored GTZAN spectrograms."""

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.audio.reader import AudioClip
from recommender.errors import UsageError
from recommender.features.log_mel import (
    FrontEnd,
    centre_crop,
    log_mel,
    mel_filters,
    standardised,
    tile_to_length,
)

RATE = 22_050


def music_like(seconds: float, seed: int = 0) -> np.ndarray:
    """Decaying harmonics over noise: a signal with a wide range of levels."""
    generator = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * 110 * k * time) / k**2 for k in range(1, 40))
    beat = np.exp(-4 * (time % 0.5))
    noise = 1e-3 * generator.standard_normal(len(time))
    return (0.2 * tones * beat + noise).astype(np.float32)


def librosas(samples: np.ndarray, hop: int) -> np.ndarray:
    power = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=2048, hop_length=hop, n_mels=128, power=2
    )
    return librosa.power_to_db(power, ref=np.max, top_db=80)


@pytest.mark.parametrize("hop", [512, 1708])
@pytest.mark.parametrize("seconds", [1.0, 3.3, 10.0])
def test_equals_librosa(hop: int, seconds: float) -> None:
    samples = music_like(seconds)
    mine = log_mel([AudioClip(samples, RATE)], FrontEnd(hop_length=hop))[0].values
    theirs = librosas(samples, hop)
    assert mine.shape == theirs.shape
    assert mine.dtype == np.float32
    assert np.abs(mine - theirs).max() < 0.001


def test_equals_librosa_on_a_recording(shared) -> None:
    path = shared / "gtzan" / "audio" / "rock" / "rock.00000.wav"
    samples, _ = librosa.load(path, sr=RATE)
    mine = log_mel([AudioClip(samples, RATE)], FrontEnd(hop_length=512))[0].values
    assert np.abs(mine - librosas(samples, 512)).max() < 0.001


@pytest.mark.parametrize(("n_mels", "fmin", "fmax"), [(128, 0, 11025), (64, 30, 8000)])
def test_filters_equal_librosas(n_mels: int, fmin: float, fmax: float) -> None:
    mine = mel_filters(FrontEnd(n_mels=n_mels, fmin=fmin, fmax=fmax))
    theirs = librosa.filters.mel(sr=RATE, n_fft=2048, n_mels=n_mels, fmin=fmin, fmax=fmax)
    np.testing.assert_allclose(mine, theirs, atol=1e-7)


def test_windows_of_a_track_share_one_reference() -> None:
    loud, quiet = music_like(2), 0.1 * music_like(2)
    clips = [AudioClip(loud, RATE), AudioClip(quiet, RATE)]
    together = log_mel(clips, FrontEnd(top_db=200))
    assert together[0].values.max() == pytest.approx(0, abs=1e-4)
    assert together[1].values.max() == pytest.approx(-20, abs=0.01)


def test_a_sine_lies_in_its_band() -> None:
    time = np.arange(RATE * 2) / RATE
    sine = np.sin(2 * np.pi * 1000 * time).astype(np.float32)
    values = log_mel([AudioClip(sine, RATE)], FrontEnd())[0].values
    centres = librosa.mel_frequencies(n_mels=130, fmin=0, fmax=11025)[1:-1]
    assert abs(centres[values.mean(axis=1).argmax()] - 1000) < 30


def test_digital_silence_stays_finite() -> None:
    silence = AudioClip(np.zeros(RATE, dtype=np.float32), RATE)
    values = log_mel([silence], FrontEnd())[0].values
    assert np.isfinite(standardised(values)).all()


def test_another_rate_is_refused() -> None:
    with pytest.raises(UsageError, match="44100"):
        log_mel([AudioClip(np.zeros(44_100, dtype=np.float32), 44_100)], FrontEnd())


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 100), st.integers(0, 99))
def test_loudness_cancels(gain: float, seed: int) -> None:
    samples = music_like(1, seed)
    one, other = (
        standardised(log_mel([AudioClip(s.astype(np.float32), RATE)], FrontEnd())[0].values)
        for s in (samples, gain * samples)
    )
    np.testing.assert_allclose(one, other, atol=2e-2)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(1, 200))
def test_repeating_keeps_the_beginning_and_the_values(have: int, want: int) -> None:
    values = np.arange(2 * have, dtype=np.float32).reshape(2, have)
    repeated = tile_to_length(values, want)
    assert repeated.shape == (2, max(have, want))
    np.testing.assert_array_equal(repeated[:, :have], values)
    assert set(repeated.ravel()) <= set(values.ravel())


@pytest.mark.parametrize(
    ("columns", "wanted", "expected"),
    [
        (130, 65, range(32, 97)),
        (7, 3, range(2, 5)),
        (7, 2, range(2, 4)),
        (7, 7, range(7)),
        (7, 9, range(7)),
        (7, 0, range(7)),
    ],
)
def test_the_middle_of_a_clip(columns: int, wanted: int, expected: range) -> None:
    assert range(columns)[centre_crop(columns, wanted)] == expected


def test_frames_are_those_computed() -> None:
    front_end = FrontEnd()
    clip = AudioClip(music_like(10), RATE)
    assert log_mel([clip], front_end)[0].values.shape == (128, front_end.frames(10))

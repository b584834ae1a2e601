"""Patches of a compressed Mel spectrogram: librosa's values, cut where they should be."""

from itertools import pairwise

import librosa
import numpy as np
import pytest
from golden_sounds import RATE, golden_sound
from hypothesis import given
from hypothesis import strategies as st

from recommender.audio.reader import AudioClip
from recommender.features.mel_patches import PatchFrontEnd, mel_patches


def librosas(samples: np.ndarray) -> np.ndarray:
    """[n_mels, frames]."""
    power = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=512, hop_length=256, n_mels=96, pad_mode="constant"
    )
    return np.log10(1 + 10_000 * power)


@pytest.mark.parametrize("name", ["plucked", "noise"])
def test_patches_are_slices_of_librosas_spectrogram(name: str) -> None:
    samples = golden_sound(name)[: 10 * RATE]
    whole, front_end = librosas(samples), PatchFrontEnd(count=3)
    patches = mel_patches([AudioClip(samples, RATE)], front_end)
    starts = front_end.starts(whole.shape[1])
    assert starts == [11, 220, 428]
    for patch, start in zip(patches, starts, strict=True):
        np.testing.assert_allclose(patch, whole[:, start : start + 187], atol=1e-4)


def test_a_clip_at_another_rate_is_resampled() -> None:
    samples = golden_sound("plucked")[: 4 * RATE]
    doubled = librosa.resample(samples, orig_sr=RATE, target_sr=2 * RATE)
    one, other = (
        mel_patches([AudioClip(values, rate)], PatchFrontEnd())
        for values, rate in ((samples, RATE), (doubled, 2 * RATE))
    )
    bands = slice(0, 85)  # below the filter of the resampler
    assert np.abs(one - other)[:, bands].max() < 0.05


def test_a_short_clip_is_repeated() -> None:
    samples = golden_sound("beat")[:RATE]
    (patch,) = mel_patches([AudioClip(samples, RATE)], PatchFrontEnd(count=3))
    frames = librosas(samples).shape[1]
    np.testing.assert_array_equal(patch[:, frames : 2 * frames], patch[:, :frames])


@given(st.integers(0, 3000), st.integers(0, 8))
def test_patches_lie_within_the_window_and_apart(frames: int, count: int) -> None:
    front_end = PatchFrontEnd(count=count)
    starts = front_end.starts(frames)
    assert starts[0] >= 0
    assert len(starts) == max(1, min(count or frames, frames // 187))
    if frames >= 187:
        assert starts[-1] + 187 <= frames
    assert all(later - earlier >= 186 for earlier, later in pairwise(starts))

"""Patches of a Mel spectrogram on a compressed scale, as tagging networks of 2019 take them.

The scale is log10(1 + gain * power) (Pons & Serra 2019; librosa's Mel power, see `log_mel`). A
patch is a stretch of three seconds, say, of a window; a network takes each by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr

from recommender.audio.reader import AudioClip
from recommender.features.log_mel import FrontEnd, mel_power, tile_to_length
from recommender.utils.arrays import FloatArray


@dataclass(frozen=True)
class PatchFrontEnd:
    """Settings of the patches; they travel with the weights. The defaults are those of MusiCNN.

    Attributes:
        sample_rate, n_fft, hop_length, n_mels, fmin, fmax: as of `log_mel.FrontEnd`.
        gain: of the power before the logarithm.
        frames: length of a patch.
        count: patches of a window, at most; 0: as many as lie beside each other.
    """

    sample_rate: int = 16_000
    n_fft: int = 512
    hop_length: int = 256
    n_mels: int = 96
    fmin: float = 0.0
    fmax: float = 8_000.0
    gain: float = 10_000.0
    frames: int = 187
    count: int = 1

    @property
    def spectrogram(self) -> FrontEnd:
        """The settings of the Mel power."""
        return FrontEnd(
            self.sample_rate, self.n_fft, self.hop_length, self.n_mels, self.fmin, self.fmax
        )

    def starts(self, frames: int) -> list[int]:
        """The first frames of the patches of so many, each centred in its part of the window."""
        room = frames - self.frames
        if room <= 0:
            return [0]
        fitting = frames // self.frames
        count = min(self.count, fitting) if self.count else fitting
        part = frames / count
        return [min(max(round((i + 0.5) * part - self.frames / 2), 0), room) for i in range(count)]


def mel_patches(clips: Sequence[AudioClip], front_end: PatchFrontEnd) -> FloatArray:
    """The patches of the windows of one track.

    Args:
        clips: the windows; one at another sample rate is resampled (soxr HQ). One shorter than a
            patch is repeated to its length, as in MusiCNN's training.
        front_end: the settings.

    Returns:
        np.ndarray [shape=(n, n_mels, frames)], float32, in the order of time; infinite where
        samples are far beyond full scale.
    """
    return np.stack([patch for clip in clips for patch in _patches(clip, front_end)])


def _patches(clip: AudioClip, front_end: PatchFrontEnd) -> list[FloatArray]:
    samples = clip.samples
    if clip.sample_rate != front_end.sample_rate:
        samples = soxr.resample(samples, clip.sample_rate, front_end.sample_rate, quality="HQ")
    padded = np.pad(samples, front_end.n_fft // 2)  # frames are centred, as librosa's
    frames = 1 + (len(padded) - front_end.n_fft) // front_end.hop_length
    length = (front_end.frames - 1) * front_end.hop_length + front_end.n_fft
    found = []
    for start in front_end.starts(frames):
        first = start * front_end.hop_length
        power = mel_power(padded[first : first + length], front_end.spectrogram)
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.log10(1 + np.float32(front_end.gain) * power)
        found.append(tile_to_length(values, front_end.frames))
    return found

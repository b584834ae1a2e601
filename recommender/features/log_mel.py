"""Sound to log-Mel spectrogram: librosa's definition, computed with numpy.

The paper's input is `librosa.feature.melspectrogram` in decibels with 128 bands. The values here
equal librosa's to under 0.001 dB (tests/features/test_log_mel.py), without its import time.

Decibels are relative to the loudest point of *all* clips passed together, as `power_to_db` with
``ref=np.max`` over the whole excerpt does: the windows of a track share one reference, as the
30 s excerpts did that the networks were trained on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from recommender.audio.reader import AudioClip
from recommender.errors import UsageError
from recommender.utils.arrays import FloatArray

DoubleArray = npt.NDArray[np.float64]

POWER_FLOOR = 1e-10
"""Smallest power before the logarithm (librosa's `amin`)."""

_BANDS_AT_ONCE = 16
_FRAMES_AT_ONCE = 65
"""Frames whose spectra are held at once: half a megabyte, which a core's cache takes."""


@dataclass(frozen=True)
class FrontEnd:
    """Settings of the spectrogram; they travel with the weights trained on them.

    Attributes:
        sample_rate: Hz of the clips.
        n_fft: samples of the Hann window and of the Fourier transform.
        hop_length: samples between frames. 1,708 is the mean distance of the columns of the
            archive that the shipped networks learn from.
        n_mels: bands between `fmin` and `fmax` (Hz), on Slaney's Mel scale, area-normalised.
        top_db: decibels kept below the loudest point.
    """

    sample_rate: int = 22_050
    n_fft: int = 2_048
    hop_length: int = 1_708
    n_mels: int = 128
    fmin: float = 0.0
    fmax: float = 11_025.0
    top_db: float = 80.0

    def frames(self, seconds: float) -> int:
        """How many frames a clip of this length gives."""
        return 1 + int(seconds * self.sample_rate) // self.hop_length


@dataclass(frozen=True)
class LogMel:
    """np.ndarray [shape=(n_mels, frames)], float32, decibels in [-top_db, 0]."""

    values: FloatArray
    front_end: FrontEnd


def log_mel(clips: Sequence[AudioClip], front_end: FrontEnd) -> list[LogMel]:
    """Log-Mel spectrograms of the windows of one track.

    Args:
        clips: the windows; decibels are relative to the loudest point of them all.
        front_end: the settings.

    Raises:
        UsageError: a clip has another sample rate than the front end.
    """
    powers = [_mel_power(clip, front_end) for clip in clips]
    loudest = max(float(power.max()) for power in powers)
    return [LogMel(_decibels(power, loudest, front_end.top_db), front_end) for power in powers]


def standardised(values: FloatArray) -> FloatArray:
    """One clip scaled to mean 0 and deviation 1: loudness and reference level cancel.

    Args:
        values: np.ndarray [shape=(n_mels, frames)].
    """
    deviation = max(float(values.std()), 1e-3)
    result: FloatArray = ((values - values.mean()) / deviation).astype(np.float32)
    return result


def tile_to_length(values: FloatArray, frames: int) -> FloatArray:
    """A clip shorter than `frames`, tiled to that length.

    Repeating keeps every statistic over time as it was; zeros would change them. Frames are
    repeated rather than samples, so that there is no click at the seams.

    Args:
        values: np.ndarray [shape=(n_mels, t)].

    Returns:
        np.ndarray [shape=(n_mels, max(t, frames))].
    """
    if values.shape[1] >= frames:
        return values
    repeated: FloatArray = np.take(values, np.arange(frames) % values.shape[1], axis=1)
    return repeated


def centre_crop(columns: int, wanted: int) -> slice:
    """The central `wanted` columns of a clip of `columns`; all where it has no more, or for 0."""
    if not 0 < wanted < columns:
        return slice(0, columns)
    first = (columns - wanted) // 2
    return slice(first, first + wanted)


def mel_filters(front_end: FrontEnd) -> FloatArray:
    """Triangular filters on Slaney's Mel scale, each of unit area.

    Source: Slaney, Auditory Toolbox (1998); the same values as `librosa.filters.mel`.

    Returns:
        np.ndarray [shape=(n_mels, 1 + n_fft / 2)]
    """
    bins = np.fft.rfftfreq(front_end.n_fft, 1 / front_end.sample_rate)
    ends = _hz_to_mel(np.array([front_end.fmin, front_end.fmax]))
    mels = np.linspace(float(ends[0]), float(ends[1]), front_end.n_mels + 2)
    edges = _mel_to_hz(mels)
    widths = np.diff(edges)
    ramps = edges[:, None] - bins[None, :]
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    triangles *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    filters: FloatArray = triangles.astype(np.float32)
    return filters


# Slaney's scale: linear below 1 kHz (200/3 Hz a Mel), logarithmic above (27 Mels for a factor 6.4).
_HZ_PER_MEL = 200.0 / 3
_BREAK_HZ = 1_000.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


def _hz_to_mel(hz: DoubleArray) -> DoubleArray:
    logarithmic = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz / _HZ_PER_MEL, logarithmic)


def _mel_to_hz(mel: DoubleArray) -> DoubleArray:
    logarithmic = _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _HZ_PER_MEL, logarithmic)


@lru_cache(maxsize=8)
def _window(n_fft: int) -> FloatArray:
    """The periodic Hann window."""
    window: FloatArray = np.hanning(n_fft + 1)[:-1].astype(np.float32)
    return window


@lru_cache(maxsize=8)
def _filter_blocks(front_end: FrontEnd) -> list[tuple[slice, slice, FloatArray]]:
    """Bands, the bins that they take, and their filters [bins, bands].

    A filter is narrow: neighbouring bands together leave most bins alone.
    """
    filters = mel_filters(front_end)
    blocks = []
    for first in range(0, front_end.n_mels, _BANDS_AT_ONCE):
        bands = slice(first, min(first + _BANDS_AT_ONCE, front_end.n_mels))
        taken = np.flatnonzero(filters[bands].any(axis=0))
        bins = slice(int(taken[0]), int(taken[-1]) + 1) if len(taken) else slice(0, 1)
        blocks.append((bands, bins, np.ascontiguousarray(filters[bands, bins].T)))
    return blocks


def _mel_power(clip: AudioClip, front_end: FrontEnd) -> FloatArray:
    """Mel power of one clip, [n_mels, frames]; frames are centred, edges padded with zeros."""
    if clip.sample_rate != front_end.sample_rate:
        raise UsageError(
            f"this front end takes {front_end.sample_rate} Hz, the clip has {clip.sample_rate} Hz: "
            "decode it at the front end's rate."
        )
    return mel_power(np.pad(clip.samples, front_end.n_fft // 2), front_end)


def mel_power(samples: FloatArray, front_end: FrontEnd) -> FloatArray:
    """Mel power of samples, the first frame beginning with the first of them.

    Args:
        samples: np.ndarray [shape=(n,)], n at least `FrontEnd.n_fft`, at its sample rate.
        front_end: the settings.

    Returns:
        np.ndarray [shape=(n_mels, 1 + (n - n_fft) // hop_length)], float32; not finite where
        samples are too large.
    """
    frames = sliding_window_view(samples, front_end.n_fft)[:: front_end.hop_length]
    mel = np.empty((front_end.n_mels, len(frames)), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # the caller refuses what is not finite
        for first in range(0, len(frames), _FRAMES_AT_ONCE):
            some = slice(first, first + _FRAMES_AT_ONCE)
            spectrum = np.fft.rfft(frames[some] * _window(front_end.n_fft), axis=1)
            power = np.square(spectrum.real)
            power += np.square(spectrum.imag)
            for bands, bins, filters in _filter_blocks(front_end):
                mel[bands, some] = (power[:, bins] @ filters).T
    return mel


def _decibels(power: FloatArray, loudest: float, top_db: float) -> FloatArray:
    reference = 10 * np.log10(max(loudest, POWER_FLOOR))
    decibels = 10 * np.log10(np.maximum(power, np.float32(POWER_FLOOR))) - np.float32(reference)
    result: FloatArray = np.maximum(decibels, np.float32(-top_db))
    return result

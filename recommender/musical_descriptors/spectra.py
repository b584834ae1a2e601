"""The short-time spectra of a window that all musical descriptors are computed from.

Two resolutions: frames of 46 ms every 11.6 ms of the whole band, reduced at once to Mel bands, to
K-weighted power and to the spectral centroid; and the sound below 2.7 kHz at a quarter of its rate,
for pitch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from recommender.errors import UsageError
from recommender.features.log_mel import FrontEnd, mel_filters
from recommender.utils.arrays import FloatArray, Scores

Spectrum = npt.NDArray[np.complex64]

SAMPLE_RATE = 22_050
N_FFT = 1_024
HOP = 256
FRAME_RATE = SAMPLE_RATE / HOP
"""Frames a second: 86.1."""

BANDS = 40
"""Mel bands from 30 Hz to 10 kHz."""

DECIMATION = 4
LOW_RATE = SAMPLE_RATE / DECIMATION
"""Samples a second of the sound for pitch: 5,512.5."""

CENTROID_STEP = 4

_FRAMES_AT_ONCE = 32
_TAPS = 64


@dataclass(frozen=True, eq=False)
class Spectra:
    """Short-time spectra of one window with f frames.

    Attributes:
        mel: np.ndarray [shape=(f, BANDS)], float32, power of Mel bands.
        weighted: np.ndarray [shape=(f,)], float32, K-weighted mean power of the frame, full scale
            1 (a sine at full scale has .5 before weighting).
        centroid: np.ndarray [shape=(f / CENTROID_STEP,)], float32, Hz: centre of the amplitude
            spectrum, of the first frame and every fourth one after it.
        low: np.ndarray [shape=(n / DECIMATION,)], float32, the samples at `LOW_RATE`.
    """

    mel: FloatArray
    weighted: FloatArray
    centroid: FloatArray
    low: FloatArray


def spectra(samples: FloatArray, sample_rate: int = SAMPLE_RATE) -> Spectra:
    """The spectra of a window of mono samples [shape=(n,)].

    Raises `UsageError` for another sample rate than `SAMPLE_RATE`.
    """
    if sample_rate != SAMPLE_RATE:
        raise UsageError(f"musical descriptors need {SAMPLE_RATE} Hz, not {sample_rate} Hz.")
    filters, frequencies = _filters(), _frequencies()
    rows, amplitudes = [], []
    with np.errstate(over="ignore", invalid="ignore"):  # the caller refuses what is not finite
        for spectrum in frames_of(samples, N_FFT, HOP):
            power = np.square(spectrum.real)
            power += np.square(spectrum.imag)
            rows.append(power @ filters)
            amplitude = np.sqrt(power[::CENTROID_STEP])
            total = amplitude.sum(axis=1)
            amplitudes.append((amplitude @ frequencies) / np.maximum(total, 1e-12))
    reduced = np.concatenate(rows)
    return Spectra(
        mel=reduced[:, :BANDS],
        weighted=reduced[:, BANDS],
        centroid=np.concatenate(amplitudes),
        low=_decimated(samples),
    )


def frames_of(samples: FloatArray, length: int, hop: int, padded: int = 0) -> Iterator[Spectrum]:
    """Spectra [some frames, bins] of centred frames with a Hann window, some at a time.

    Args:
        padded: length of the transform where that is longer than the frame's.
    """
    window = hann(length)
    frames = sliding_window_view(np.pad(samples, length // 2), length)[::hop]
    for first in range(0, len(frames), _FRAMES_AT_ONCE):
        some = frames[first : first + _FRAMES_AT_ONCE] * window
        yield np.fft.rfft(some, n=padded or length, axis=1).astype(np.complex64, copy=False)


@cache
def hann(length: int) -> FloatArray:
    """The periodic Hann window."""
    window: FloatArray = np.hanning(length + 1)[:-1].astype(np.float32)
    return window


@cache
def _frequencies() -> FloatArray:
    return np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE).astype(np.float32)


@cache
def _filters() -> FloatArray:
    """Mel filters and, last, the weights that sum a power spectrum to K-weighted mean power."""
    front_end = FrontEnd(SAMPLE_RATE, N_FFT, HOP, BANDS, 30.0, 10_000.0)
    weights = k_weighting(np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE))
    weights[1:-1] *= 2  # the mirrored half
    weights /= N_FFT * float(np.square(hann(N_FFT)).sum())
    return np.concatenate([mel_filters(front_end).T, weights[:, None]], axis=1).astype(np.float32)


def k_weighting(hertz: Scores) -> Scores:
    """Gain of power of the K-weighting filter at these frequencies.

    Source: ITU-R BS.1770-4, annex 1, tables 1 and 2: the coefficients for 48 kHz, evaluated on the
    unit circle there.
    """
    z = np.exp(-2j * np.pi * np.asarray(hertz) / 48_000)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high_pass = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    gain: Scores = np.abs(shelf * high_pass) ** 2
    return gain


@cache
def _low_pass() -> FloatArray:
    """A low-pass filter for the decimation, by windowing: -6 dB at 2.4 kHz."""
    at = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(2 * 2_400 / SAMPLE_RATE * at) * np.blackman(_TAPS)
    scaled: FloatArray = (taps / taps.sum()).astype(np.float32)
    return scaled


def _decimated(samples: FloatArray) -> FloatArray:
    windows = sliding_window_view(np.pad(samples, (_TAPS // 2, _TAPS // 2)), _TAPS)
    decimated: FloatArray = np.ascontiguousarray(windows[::DECIMATION]) @ _low_pass()
    return decimated

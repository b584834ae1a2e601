"""What tells voices from instruments, and speech from music.

Sources: the fluctogram, how partials glide from frame to frame in sub-semitone steps (Lehner,
Widmer & Sonnleitner, ICASSP 2014); the share of quiet frames (Scheirer & Slaney, ICASSP 1997);
change of a cepstral coefficient, as formants move. Both likelihoods are logistic; their weights
were fitted on songs of two lyrics collections against instrumental pieces, and on synthesised
speech against music (`tests/bench/descriptors.py` judges them).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from recommender.musical_descriptors.spectra import BANDS, LOW_RATE, Spectra, frames_of
from recommender.utils.arrays import FloatArray, IntArray, Scores

_N_FFT, _PADDED, _HOP = 512, 1_024, 128
_LOWEST, _HIGHEST = 514.0, 2_200.0
_CENTS = 20.0
"""Between the rows of the fluctogram's spectrum."""

_SHIFTS = 5
"""Rows that partials may glide in a frame of 23 ms, up or down."""

_CLEAR = 0.8
"""Correlation from which on a frame continues the one before."""

_USUAL = (0.10, 0.042, 0.027)
"""Glides of songs in three groups of rows."""

_CEPSTRUM = 4
_STRIDE = 4
"""Frames (46 ms) over which the change of a cepstral coefficient is taken."""

_RANGE_DB = 60.0


@dataclass(frozen=True)
class Voicing:
    """Measures of one window.

    Attributes:
        glides: share of frames whose partials glide, against that of songs.
        change: mean change of the fourth cepstral coefficient in 46 ms, dB.
        spread: its standard deviation, dB.
        quiet: share of frames of less than half the mean power.
    """

    glides: float
    change: float
    spread: float
    quiet: float


def voicing(window: Spectra) -> Voicing:
    """The measures of a window of one second or more."""
    loudest = max(float(window.mel.max()), 1e-20)
    levels = 10 * np.log10(np.maximum(window.mel, loudest * 10 ** (-_RANGE_DB / 10)))
    cepstrum = levels @ _cosine()
    return Voicing(
        glides=_glides(window.low),
        change=float(np.abs(np.diff(cepstrum[::_STRIDE])).mean()),
        spread=float(cepstrum.std()),
        quiet=float((window.weighted < 0.5 * window.weighted.mean()).mean()),
    )


def vocals(windows: Sequence[Voicing]) -> float:
    """Likelihood of singing or speech, 0 to 1, of at least one window."""
    glides, change, _, _ = _means(windows)
    return _logistic(_VOCALS_OFFSET + _VOCALS[0] * _log_glides(glides) + _VOCALS[1] * change)


def speech(windows: Sequence[Voicing], agreement: float, beat_strength: float) -> float:
    """Likelihood that it is speech alone, 0 to 1, of at least one window.

    Args:
        agreement: of spectral peaks on a tuning, by `key.Tonality`.
        beat_strength: by `tempo.Pulse`.
    """
    glides, _, spread, quiet = _means(windows)
    values = (_log_glides(glides), np.log(agreement + 0.01), quiet, beat_strength, spread)
    return _logistic(_SPEECH_OFFSET + float(np.dot(_SPEECH, values)))


_VOCALS_OFFSET, _VOCALS = -3.97, (1.777, 1.013)
_SPEECH_OFFSET, _SPEECH = -9.909, (0.458, -0.907, 4.703, -2.240, 0.355)


def _means(windows: Sequence[Voicing]) -> tuple[float, float, float, float]:
    rows = [(one.glides, one.change, one.spread, one.quiet) for one in windows]
    glides, change, spread, quiet = np.mean(rows, axis=0).tolist()
    return glides, change, spread, quiet


def _log_glides(glides: float) -> float:
    return float(np.log(glides + 0.05))


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))


def _glides(low: FloatArray) -> float:
    """Mean over groups of rows of the share of gliding frames, against `_USUAL`."""
    spectrum = np.concatenate([np.abs(part) for part in frames_of(low, _N_FFT, _HOP, _PADDED)])
    below, share = _rows()
    levels = spectrum[:, below] * (1 - share) + spectrum[:, below + 1] * share
    levels *= np.float32(1e3 / max(float(spectrum.max()), 1e-9))
    rows: FloatArray = np.log1p(levels, dtype=np.float32)
    width = rows.shape[1] // len(_USUAL)
    least = 0.3 * float(rows.max())
    shares = [
        _gliding(rows[:, group * width : (group + 1) * width], least) / usual
        for group, usual in enumerate(_USUAL)
    ]
    return float(np.mean(shares))


def _gliding(rows: FloatArray, least: float) -> float:
    """Share of the frames that correlate best with the one before when shifted, among clear ones.

    A shift to the very edge of what is tried is no glide.
    """
    span = rows.shape[1] - 2 * _SHIFTS
    now = rows[1:, _SHIFTS : _SHIFTS + span]
    now = now - now.mean(axis=1, keepdims=True)
    # Of what is not centred: the product with what is centred is the same.
    products = np.matmul(sliding_window_view(rows[:-1], span, axis=1), now[:, :, None])[:, :, 0]
    lengths = np.sqrt(np.einsum("fr,fr->f", now, now))[:, None] * _deviations(rows[:-1], span)
    correlations = products / np.maximum(lengths, 1e-9)
    clear = (correlations.max(axis=1) > _CLEAR) & (rows[1:].max(axis=1) > least)
    if not clear.any():
        return 0.0
    shift = np.abs(correlations.argmax(axis=1)[clear] - _SHIFTS)
    return float(((shift > 0) & (shift < _SHIFTS)).mean())


def _deviations(rows: FloatArray, span: int) -> Scores:
    """Length of each stretch of `span` values less their mean, [f, stretches]."""
    sums = np.cumsum(np.pad(rows, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    squares = np.cumsum(np.pad(np.square(rows), ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    total = sums[:, span:] - sums[:, :-span]
    squared = squares[:, span:] - squares[:, :-span]
    deviations: Scores = np.sqrt(np.maximum(squared - np.square(total) / span, 0))
    return deviations


@cache
def _rows() -> tuple[IntArray, FloatArray]:
    """For rows `_CENTS` apart, the bin below each, and the share of the next one."""
    rows = int(1_200 / _CENTS * np.log2(_HIGHEST / _LOWEST))
    bins = _LOWEST * 2 ** (np.arange(rows) * _CENTS / 1_200) / LOW_RATE * _PADDED
    below = bins.astype(np.int64)
    return below, (bins - below).astype(np.float32)


@cache
def _cosine() -> FloatArray:
    """The row of the orthonormal DCT-II for the cepstral coefficient."""
    at = np.pi * _CEPSTRUM * (np.arange(BANDS) + 0.5) / BANDS
    row: FloatArray = (np.sqrt(2 / BANDS) * np.cos(at)).astype(np.float32)
    return row

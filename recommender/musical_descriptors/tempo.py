"""Tempo, its confidence and its second candidate, and beat strength.

An onset curve (the rises of log-compressed Mel bands, Böck & Widmer, DAFx 2013, without their
vibrato suppression) is compared with itself: where both its autocorrelation and its spectrum have a
peak, there is a metrical level (Peeters, EURASIP Journal on Advances in Signal Processing, 2007).
Levels are weighed by how often people tap such a tempo (a log-normal curve, as of Ellis, Journal of
New Music Research 36, 2007).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from recommender.musical_descriptors.spectra import FRAME_RATE
from recommender.utils.arrays import FloatArray, Scores

SLOWEST, FASTEST = 40.0, 220.0
"""Beats a minute that are looked for."""

FAINTEST = 0.009
"""Least product of autocorrelation and spectrum (each 0 to 1) that is called a beat: speech, noise
and notes at random moments stay below it."""

_CLEAR = 0.06
"""The product from which on a beat is beyond doubt, but for its octave."""

_PREFERRED, _OCTAVES = 110.0, 1.0
"""Centre and width of the preference among metrical levels."""

_RIVAL = 0.35
"""Share of the best level's weight from which on another one counts as its rival."""

_SHORTEST_S = 4.0
"""Windows below this length hold too few beats."""

_LAGS_S = 6.0
_COMPRESSION = 1e4
_ONE_SECOND = round(FRAME_RATE)
_TRANSFORM = 8_192


@dataclass(frozen=True)
class Pulse:
    """What `pulse` finds.

    Attributes:
        tempo: beats a minute; None where no beat is found.
        confidence: 0 to 1; None where nothing was looked for.
        second_tempo: another level that is nearly as strong.
        beat_strength: 0 to 1: how much of the onsets repeats with the beat.
        onset_rate: onsets a second.
    """

    tempo: float | None = None
    confidence: float | None = None
    second_tempo: float | None = None
    beat_strength: float | None = None
    onset_rate: float = 0.0


def onset_curve(mel: FloatArray) -> Scores:
    """How much sets in at each frame of a window.

    Args:
        mel: np.ndarray [shape=(f, bands)], power.

    Returns:
        np.ndarray [shape=(f,)]: mean rise over bands since two frames before, less its mean over
        the second around.
    """
    reference = max(float(mel.max()), 1e-12)
    levels = np.log1p(mel * np.float32(_COMPRESSION / reference))
    rises = np.zeros(len(mel))
    rises[2:] = np.maximum(levels[2:] - levels[:-2], 0).mean(axis=1)
    around = np.ones(_ONE_SECOND) / _ONE_SECOND
    curve: Scores = np.maximum(rises - np.convolve(rises, around, "same"), 0)
    return curve


def pulse(curves: Sequence[Scores]) -> Pulse:
    """Tempo and beat of a track.

    Args:
        curves: the `onset_curve` of each window; those of less than 4 s count for nothing.
    """
    curves = [curve for curve in curves if len(curve) >= _SHORTEST_S * FRAME_RATE]
    if not curves:
        return Pulse()
    onsets = float(np.mean([_onset_rate(curve) for curve in curves]))
    sounding = [curve for curve in curves if curve.any()]
    if not sounding:
        return Pulse(beat_strength=0.0)
    correlation = np.mean([_autocorrelation(curve) for curve in sounding], axis=0)
    tempi, lags, bins = _grid()
    repeats = _repeats(correlation, lags)
    product = repeats * np.mean([_spectrum(curve, bins) for curve in sounding], axis=0)
    weights = product * np.exp(-0.5 * (np.log2(tempi / _PREFERRED) / _OCTAVES) ** 2)
    levels = _levels(weights, tempi)
    if not len(levels) or product[levels[0]] < FAINTEST:
        strength = float(repeats[levels[0]]) if len(levels) else 0.0
        return Pulse(confidence=0.0, beat_strength=strength, onset_rate=onsets)
    best = levels[0]
    rivals = [i for i in levels[1:] if weights[i] >= _RIVAL * weights[best]]
    doubt = 0.5 * float(weights[rivals[0]] / weights[best]) if rivals else 0.0
    clear = np.log(product[best] / FAINTEST) / np.log(_CLEAR / FAINTEST)
    return Pulse(
        tempo=_refined(correlation, tempi[best]),
        confidence=float(np.clip(0.1 + 0.9 * clear, 0, 1)) * (1 - doubt),
        second_tempo=_refined(correlation, tempi[rivals[0]]) if rivals else None,
        beat_strength=float(min(repeats[best], 1)),
        onset_rate=onsets,
    )


@cache
def _grid() -> tuple[Scores, Scores, Scores]:
    """Tempi to try, a little beyond the range; their beats in frames, their frequencies in bins."""
    tempi = np.geomspace(0.95 * SLOWEST, 1.05 * FASTEST, 190)
    return tempi, 60 * FRAME_RATE / tempi, tempi / 60 / FRAME_RATE * _TRANSFORM


def _autocorrelation(curve: Scores) -> Scores:
    """Of one curve, by lag in frames; 1 at lag 0, and not less where fewer frames overlap."""
    longest, frames = round(_LAGS_S * FRAME_RATE), len(curve)
    spectrum = np.fft.rfft(curve - curve.mean(), 2 * frames)
    sums = np.fft.irfft(np.square(np.abs(spectrum)))[:longest]
    overlap = 1 - np.minimum(np.arange(len(sums)) / frames, 0.75)
    padded: Scores = np.pad(sums / (max(sums[0], 1e-20) * overlap), (0, longest - len(sums)))
    return padded


def _repeats(correlation: Scores, lags: Scores) -> Scores:
    """How much repeats after one beat and after two: the geometric mean of both."""
    at = np.arange(len(correlation))
    near = (0.996, 0.998, 1.0, 1.002, 1.004)
    once, twice = (
        np.max([np.interp(beats * lags * share, at, correlation) for share in near], axis=0)
        for beats in (1, 2)
    )
    both: Scores = np.sqrt(np.maximum(once, 0) * np.maximum(twice, 0))
    return both


def _spectrum(curve: Scores, bins: Scores) -> Scores:
    """Amplitude of the curve's variation at these frequencies, 1 for a sinusoid."""
    centred = curve - curve.mean()
    spectrum = np.abs(np.fft.rfft(centred * np.hanning(len(curve)), _TRANSFORM))
    spectrum /= np.sqrt(np.square(centred).sum() * len(curve) * 0.375)
    at = np.arange(len(spectrum))
    around: Scores = np.max(
        [np.interp(bins * share, at, spectrum) for share in (0.99, 1.0, 1.01)], axis=0
    )
    return around


def _levels(weights: Scores, tempi: Scores) -> list[int]:
    """Places of the peaks in range, the highest first; none within 8 % of a higher one."""
    inner = weights[1:-1]
    peaks = 1 + np.flatnonzero((inner >= weights[:-2]) & (inner > weights[2:]) & (inner > 0))
    peaks = peaks[(tempi[peaks] >= 0.99 * SLOWEST) & (tempi[peaks] <= 1.01 * FASTEST)]
    kept: list[int] = []
    for peak in peaks[np.argsort(-weights[peaks])]:
        if all(abs(np.log(tempi[peak] / tempi[other])) > 0.08 for other in kept):
            kept.append(int(peak))
    return kept


def _refined(correlation: Scores, tempo: float) -> float:
    """The tempo near `tempo` after whose beats, up to eight, most repeats."""
    at = np.arange(len(correlation))
    tried = tempo * np.linspace(0.98, 1.02, 81)
    beats = [n for n in range(1, 9) if n * 60 / (0.98 * tempo) < _LAGS_S]
    sums = np.sum([np.interp(n * 60 * FRAME_RATE / tried, at, correlation) for n in beats], axis=0)
    return float(np.clip(tried[int(sums.argmax())], SLOWEST, FASTEST))


def _onset_rate(curve: Scores) -> float:
    """Peaks a second that are above a fifth of the highest ones."""
    height = 0.2 * np.percentile(curve, 99.5)
    inner = curve[1:-1]
    peaks = (inner > curve[:-2]) & (inner >= curve[2:]) & (inner > max(height, 1e-4))
    return float(peaks.sum()) * FRAME_RATE / len(curve)

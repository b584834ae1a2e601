"""Key, mode and tuning.

Peaks of spectra of .74 s (60 Hz to 2.1 kHz), their frequencies interpolated, give first the tuning,
the common deviation from equal temperament, and then a chroma, to which each peak adds at the notes
whose fifth partial or a lower one it may be (Gómez, Tonal Description of Music Audio Signals, 2006,
chapter 3). The key is the one whose profile correlates best with it (Krumhansl, Cognitive
Foundations of Musical Pitch, 1990, chapter 4), by the profiles of Albrecht & Shanahan (Music
Perception 31, 2013).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from recommender.musical_descriptors.record import MAJOR, MINOR
from recommender.musical_descriptors.spectra import LOW_RATE, frames_of
from recommender.utils.arrays import FloatArray, Scores

_N_FFT, _HOP = 4_096, 1_024
_LOWEST, _HIGHEST = 60.0, 2_100.0
_RANGE_DB = 50.0
"""Peaks that lie further below the highest one of their frame do not count."""

_PARTIALS, _PARTIAL_DECAY = 5, 0.6

_MAJOR_PROFILE = (
    *(0.238, 0.006, 0.111, 0.006, 0.137, 0.094),
    *(0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
)
_MINOR_PROFILE = (
    *(0.220, 0.006, 0.104, 0.123, 0.019, 0.103),
    *(0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
)


@dataclass(frozen=True)
class Peaks:
    """Spectral peaks of one window.

    Attributes:
        hertz, amplitudes: np.ndarray [shape=(p,)], float64.
        frames: how many spectra they are of.
    """

    hertz: Scores
    amplitudes: Scores
    frames: int


@dataclass(frozen=True)
class Tonality:
    """What `tonality` finds; None for what cannot be told.

    `agreement`, from 0 to 1, is how much strong peaks agree on a tuning.
    """

    key: int | None = None
    mode: str | None = None
    confidence: float | None = None
    tuning: float | None = None
    agreement: float = 0.0


def peaks(low: FloatArray) -> Peaks:
    """The peaks of a window, given as `Spectra.low`."""
    first, last = (round(hertz / LOW_RATE * _N_FFT) for hertz in (_LOWEST, _HIGHEST))
    hertz, amplitudes, count = [], [], 0
    for spectrum in frames_of(low, _N_FFT, _HOP):
        count += len(spectrum)
        levels = np.log(np.abs(spectrum[:, first - 1 : last + 2]) + 1e-9)
        inner = levels[:, 1:-1]
        least = inner.max(axis=1, keepdims=True) - _RANGE_DB * np.log(10) / 20
        is_peak = (inner > levels[:, :-2]) & (inner >= levels[:, 2:]) & (inner > least)
        row, column = np.nonzero(is_peak)
        below, top, above = (levels[row, column + step].astype(np.float64) for step in range(3))
        offset = 0.5 * (below - above) / np.minimum(below - 2 * top + above, -1e-12)
        hertz.append((first + column + offset) * LOW_RATE / _N_FFT)
        amplitudes.append(np.exp(top - 0.25 * (below - above) * offset))
    return Peaks(np.concatenate(hertz), np.concatenate(amplitudes), count)


def tuning_of(hertz: Scores, amplitudes: Scores) -> tuple[float, float]:
    """Cents from A = 440 Hz, and from 0 to 1 how much the peaks agree on it."""
    weights = np.sqrt(amplitudes)
    turns = np.exp(2j * np.pi * 12 * np.log2(hertz / 440))
    mean = (weights * turns).sum() / max(weights.sum(), 1e-20)
    return 100 * float(np.angle(mean)) / (2 * np.pi), float(abs(mean))


def chroma_of(hertz: Scores, amplitudes: Scores, tuning: float) -> Scores:
    """Share of each pitch class, from C: np.ndarray [shape=(12,)], of sum 1."""
    cents = np.round(1_200 * np.log2(hertz / 440) + 900 - tuning).astype(np.int64) % 1_200
    by_cent = np.bincount(cents, amplitudes, 1_200)
    octave = np.zeros(1_200)
    for partial in range(1, _PARTIALS + 1):
        lower = -round(1_200 * np.log2(partial))
        octave += np.roll(by_cent, lower) * _PARTIAL_DECAY ** (partial - 1)
    off = (np.arange(1_200) + 50) % 100 - 50
    weighted = np.roll(octave * np.cos(np.pi * off / 100) ** 2, 50)
    chroma = weighted.reshape(12, 100).sum(axis=1)
    shares: Scores = chroma / max(chroma.sum(), 1e-20)
    return shares


def key_correlations(chroma: Scores) -> Scores:
    """Correlation with each key's profile: np.ndarray [shape=(24,)], twelve major, then minor."""
    centred = chroma - chroma.mean()
    correlations: Scores = _profiles() @ centred / max(float(np.linalg.norm(centred)), 1e-20)
    return correlations


@cache
def _profiles() -> Scores:
    """Rows of length 1 and mean 0, [24, 12]."""
    rows = [
        np.roll(profile, tonic)
        for profile in (_MAJOR_PROFILE, _MINOR_PROFILE)
        for tonic in range(12)
    ]
    profiles: Scores = np.array(rows) - np.mean(rows, axis=1, keepdims=True)
    profiles /= np.linalg.norm(profiles, axis=1, keepdims=True)
    return profiles


_LEAST_CORRELATION = 0.68
"""Of a chroma with the best key's profile: noise and speech lie below."""

_MOST_CONCENTRATED = 0.72
"""Share of the three strongest pitch classes above which there is a drone and no key."""

_STRONG_DB = 30.0
_LEAST_AGREEMENT = 0.12
"""Of strong peaks on a tuning, for it to be told; the chroma is tuned by fainter agreement, too."""

_FAINT_AGREEMENT = 0.03
_FEWEST_FRAMES = 10


def tonality(windows: Sequence[Peaks]) -> Tonality:
    """Key, mode and tuning of a track, of the `peaks` of its windows."""
    frames = sum(window.frames for window in windows)
    hertz = np.concatenate([window.hertz for window in windows])
    amplitudes = np.concatenate([window.amplitudes for window in windows])
    if frames < _FEWEST_FRAMES or not len(hertz) or not amplitudes.max() > 0:
        return Tonality()
    strong = amplitudes > amplitudes.max() * 10 ** (-_STRONG_DB / 20)
    tuning, agreement = tuning_of(hertz[strong], amplitudes[strong])
    known_tuning = tuning if agreement >= _LEAST_AGREEMENT else None
    chroma = chroma_of(hertz, amplitudes, tuning if agreement >= _FAINT_AGREEMENT else 0.0)
    correlations = key_correlations(chroma)
    best, second = np.argsort(-correlations)[:2]
    correlation = float(correlations[best])
    if correlation < _LEAST_CORRELATION or np.sort(chroma)[-3:].sum() > _MOST_CONCENTRATED:
        return Tonality(confidence=0.0, tuning=known_tuning, agreement=agreement)
    lead = float(correlations[best] - correlations[second])
    fits = min((correlation - _LEAST_CORRELATION) / 0.2, 1.0)
    return Tonality(
        key=int(best % 12),
        mode=MAJOR if best < 12 else MINOR,
        confidence=float(np.clip(fits * (0.4 + 0.6 * min(lead / 0.2, 1.0)), 0.02, 1)),
        tuning=known_tuning,
        agreement=agreement,
    )

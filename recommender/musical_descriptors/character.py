"""Energy, danceability and acousticness: weighted means of other descriptors.

They are conventions, as those of other programs are; nothing at hand can judge them but their order
over genres. Each part is scaled to 0..1 between two values that music seldom leaves.
"""

from collections.abc import Sequence

import numpy as np

from recommender.musical_descriptors.spectra import Spectra

_LOW_BANDS = 6
"""Mel bands below 400 Hz."""


def energy(loudness: float, onset_rate: float, brightness: float, complexity: float) -> float:
    """0 to 1: loud, busy, bright and steady.

    Args:
        loudness: LUFS.
        onset_rate: onsets a second.
        brightness: Hz.
        complexity: dB, dynamic complexity.
    """
    parts = (
        (0.45, _scaled(loudness, -32, -8)),
        (0.20, _scaled(onset_rate, 0, 8)),
        (0.20, _scaled(np.log2(max(brightness, 1.0)), 9.0, 12.0)),
        (0.15, 1 - _scaled(complexity, 1, 8)),
    )
    return sum(weight * value for weight, value in parts)


def danceability(tempi: Sequence[float], confidence: float, strength: float, low: float) -> float:
    """0 to 1: a strong and sure beat near 115 a minute, in the bass as well.

    Args:
        tempi: the tempo, and the second one where there is one; none without a beat.
        confidence: of the tempo.
        strength: of the beat.
        low: variation of the bass, by `bass_pulse`.
    """
    if not tempi:
        return 0.15 * low
    fit = max(float(np.exp(-0.5 * (np.log2(tempo / 115) / 0.45) ** 2)) for tempo in tempi)
    return 0.4 * float(np.sqrt(max(strength, 0.0))) + 0.25 * fit * confidence + 0.35 * low


def acousticness(brightness: float, loudness: float, percussive: float, complexity: float) -> float:
    """0 to 1: dark, quiet, without drums, with dynamics; arguments as of `energy`."""
    parts = (
        (0.3, 1 - _scaled(np.log2(max(brightness, 1.0)), 9.6, 11.6)),
        (0.3, 1 - _scaled(loudness, -26, -9)),
        (0.25, 1 - _scaled(percussive, 0.25, 0.6)),
        (0.15, _scaled(complexity, 1, 6)),
    )
    return sum(weight * value for weight, value in parts)


def bass_pulse(windows: Sequence[Spectra]) -> float:
    """0 to 1: how much of the sound's variation from frame to frame is below 400 Hz."""
    low = total = 0.0
    for window in windows:
        change = np.abs(np.diff(np.sqrt(window.mel[::4]), axis=0))
        low += float(change[:, :_LOW_BANDS].sum())
        total += float(change.sum())
    return _scaled(low / total, 0.1, 0.6) if total > 0 else 0.0


def _scaled(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))

"""Brightness and the percussive part of windows.

Sources: spectral centroid (Peeters, CUIDADO report, 2004, section 6.1.1); harmonic and percussive
parts by median filters (Fitzgerald, DAFx 2010), here on Mel bands and halved frames.
"""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from recommender.musical_descriptors.spectra import CENTROID_STEP, Spectra
from recommender.utils.arrays import FloatArray

_AUDIBLE_DB = 40.0
"""Frames further below the loudest one do not count for brightness."""

_MEDIAN = 9
"""Bands, and halved frames (.21 s), that a median is taken of."""


def brightness(windows: Sequence[Spectra]) -> float | None:
    """Hz: mean centre of the amplitude spectrum; None where all is silent."""
    levels = np.concatenate([window.weighted[::CENTROID_STEP] for window in windows])
    centroids = np.concatenate([window.centroid for window in windows])
    loudest = float(levels.max(initial=0.0))
    if loudest <= 1e-10:
        return None
    return float(centroids[levels > loudest * 10 ** (-_AUDIBLE_DB / 10)].mean())


def percussive_part(windows: Sequence[Spectra]) -> float | None:
    """Share of the amplitude that is percussive, 0 to 1; None where all is silent."""
    percussive = total = 0.0
    for window in windows:
        halved = _halved(window.mel)
        if len(halved) < _MEDIAN:
            continue
        steady = _running_median(halved, 0)
        broad = _running_median(halved, 1)
        amplitude = np.sqrt(halved)
        share = np.square(broad) / np.maximum(np.square(broad) + np.square(steady), 1e-30)
        percussive += float((share * amplitude).sum())
        total += float(amplitude.sum())
    return percussive / total if total > 0 else None


def _halved(mel: FloatArray) -> FloatArray:
    """Means of pairs of frames."""
    even = mel[: len(mel) // 2 * 2]
    pairs: FloatArray = (even[::2] + even[1::2]) * np.float32(0.5)
    return pairs


def _running_median(values: FloatArray, axis: int) -> FloatArray:
    half = _MEDIAN // 2
    padding = [(half, half) if at == axis else (0, 0) for at in range(2)]
    windows = sliding_window_view(np.pad(values, padding, "edge"), _MEDIAN, axis=axis)
    median: FloatArray = np.partition(windows, half, axis=-1)[..., half]
    return median

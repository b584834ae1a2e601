"""Handcrafted descriptors of a log-Mel spectrogram: what music sounds like without a network.

A network trained on ten genres discards what it does not need to separate them; descriptors use no
labels, so they also find similar tracks in genres outside the training set. They are statistics
over time of a spectrogram in decibels whose columns lie 77.5 ms apart (1,708 samples at 22,050 Hz),
as `log_mel.FrontEnd` and GTZAN's archive have them.

The mean level is subtracted first and no group of descriptors depends on it, so a louder copy of a
track has the same descriptors, as long as the floor of the spectrogram (80 dB) cuts off the same.

`PARTS` names the groups and their sources; they were chosen on GTZAN's validation tracks
(`tests/experiments/rivals.py`, `tests/experiments/ablation.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from recommender.errors import UsageError
from recommender.features.patch_spectrum import PatchSpectrum
from recommender.utils.arrays import FloatArray, IntArray

Levels = npt.NDArray[np.float64]

VERSION = 3
"""Part of the identity of every space with descriptors: to be raised when any value changes by more
than rounding."""

BANDS = 128
"""Mel bands of the spectrogram."""

SEGMENT = 128
"""Columns (9.9 s) of the segments whose modulation spectra are averaged; no clip may be shorter."""

CEPSTRA = 20
SUSTAINED = 4
"""Columns (0.31 s) over which a tone must last to count as sustained."""

PERCENTILES = (10, 25, 50, 75, 90)
OCTAVE = 16
"""Neighbouring bands whose peaks and valleys are set against each other: eight groups."""

GROUP = 8
"""Bands averaged for the modulation spectrum and the correlation of bands: sixteen groups."""

RATE_EDGES = (1, 2, 3, 4, 5, 7, 9, 12, 16, 22, 31, 44, 65)
"""First bin of each of the twelve modulation rates; a bin is 0.101 Hz, the last ends at 6.45 Hz."""

SMALL_PATCHES = PatchSpectrum(bands=16, columns=16, band_hop=8, column_hop=16, heights=15)
TALL_PATCHES = PatchSpectrum(bands=64, columns=32, band_hop=16, column_hop=16, heights=5)
"""1.2 s of an eighth of the bands, for local texture; 2.5 s of half of them, for partials."""

_NOISE = 1.0
"""Variance in dB² that is added wherever variation is divided by or its logarithm is taken, as if
every level were uncertain by 1 dB. Bands that a filter left empty never vary: ratios of two values
near zero would separate a low-pass filtered copy, or one a semitone lower, from its original."""

_NOISE_POWER = _NOISE * float((np.hanning(SEGMENT + 1)[:-1] ** 2).sum())
"""Power of that noise in each bin of a segment's modulation spectrum."""


@dataclass(frozen=True)
class Part:
    """One kind of descriptor.

    Attributes:
        name: short name.
        size: how many values it has.
        meaning: what they are, for people.
    """

    name: str
    size: int
    meaning: str


_PAIRS = CEPSTRA * (CEPSTRA - 1) // 2

PARTS: tuple[Part, ...] = (
    Part("change", BANDS, "each band's mean absolute change from column to column, dB"),
    Part(
        "skewness",
        BANDS,
        "third standardised moment of each band, as an angle: rare peaks or rare gaps",
    ),
    Part(
        "sustain",
        BANDS - 2,
        "how long narrow peaks stay on their band: of each band's level above the mean of its two "
        "neighbours, the product with itself 0.31 s later against its variance, as an angle",
    ),
    Part(
        "cepstral percentiles",
        CEPSTRA * len(PERCENTILES),
        "10th to 90th percentile of 20 MFCCs (1 to 20, without the level; divided by the root of "
        "128, so that they are amplitudes in dB)",
    ),
    Part("cepstral covariance", _PAIRS + CEPSTRA, "covariance of those MFCCs"),
    Part("cepstral correlation", _PAIRS, "their correlation"),
    Part(
        "cepstral change",
        _PAIRS + CEPSTRA,
        "covariance of the change of those MFCCs from column to column",
    ),
    Part(
        "modulation",
        BANDS // GROUP * (len(RATE_EDGES) - 1),
        "logarithm of the modulation power in 16 groups of bands at 12 rates, 0.1 to 6.5 Hz",
    ),
    Part(
        "rhythm",
        BANDS // GROUP * (len(RATE_EDGES) - 1),
        "the same against each group's own mean over the rates: which rates stand out",
    ),
    Part(
        "contrast",
        4 * BANDS // OCTAVE,
        "of 8 groups of bands: mean and deviation over time of the 3 loudest above the 3 quietest "
        "bands, mean of the 3 quietest, mean of the 3 loudest (after Jiang et al., ICME 2002)",
    ),
    Part(
        "band correlation",
        BANDS // GROUP * (BANDS // GROUP - 1) // 2,
        "correlation over time of 16 groups of bands: what sounds together",
    ),
    Part(
        "small patches",
        SMALL_PATCHES.size,
        "spectra of patches of 16 bands, 1.2 s (`patch_spectrum`)",
    ),
    Part("tall patches", TALL_PATCHES.size, "the same of patches of 64 bands, 2.5 s"),
)
"""The parts of the vector, in its order."""

DIMENSION = sum(part.size for part in PARTS)


def slices() -> dict[str, slice]:
    """The slice of the vector that each part takes, by name."""
    ends = np.cumsum([part.size for part in PARTS]).tolist()
    return {part.name: slice(end - part.size, end) for part, end in zip(PARTS, ends, strict=True)}


def describe(windows: FloatArray | Sequence[FloatArray]) -> FloatArray:
    """The descriptors of one clip, or of several windows of a track pooled.

    Windows are described as if their columns were one collection, and nothing spans a seam: levels
    are relative to the mean over all windows, distributions are those of all columns, while
    changes, lags and modulation spectra are taken within windows and then averaged. Their order
    does not matter.

    Args:
        windows: one or several np.ndarray [shape=(128, frames)], levels of a log-Mel spectrogram in
            dB with a common reference, finite, columns 77.5 ms apart, at least `SEGMENT` each.

    Returns:
        np.ndarray [shape=(DIMENSION,)], float32, finite; `slices` names its parts.

    Raises:
        UsageError: no window, another shape, or values that are not finite.
    """
    given = [windows] if isinstance(windows, np.ndarray) else list(windows)
    _check(given)
    levels = np.concatenate(given, axis=1).astype(np.float64)
    levels -= levels.mean()
    seams = np.cumsum([window.shape[1] for window in given])[:-1]
    windowed = np.split(levels.astype(np.float32), seams, axis=1)
    groups = levels.reshape(BANDS // GROUP, GROUP, -1).mean(axis=1)
    parts = (
        np.abs(_changes(levels, seams)).mean(axis=1),
        _skewness(levels),
        _sustain(levels, seams),
        *_cepstral(_cosines() @ levels, seams),
        *_modulation(groups, seams),
        _contrast(levels),
        _upper(_correlation(np.cov(groups), _NOISE), 1),
        SMALL_PATCHES(windowed),
        TALL_PATCHES(windowed),
    )
    return np.concatenate([part.ravel() for part in parts]).astype(np.float32)


def _check(windows: Sequence[FloatArray]) -> None:
    if not windows:
        raise UsageError("descriptors need at least one window, and there is none.")
    for window in windows:
        if window.ndim != 2 or window.shape[0] != BANDS or window.shape[1] < SEGMENT:
            raise UsageError(
                f"descriptors need {BANDS} bands and at least {SEGMENT} columns, not an array of "
                f"shape {window.shape}: tile shorter clips with log_mel.tile_to_length."
            )
        if not np.isfinite(window).all():
            raise UsageError(
                "descriptors need finite levels: this spectrogram holds NaN or infinity."
            )


def _changes(values: Levels, seams: IntArray) -> Levels:
    """Differences of neighbouring columns, [rows, columns less one for each window]."""
    return np.concatenate([np.diff(w, axis=1) for w in np.split(values, seams, axis=1)], axis=1)


def _skewness(levels: Levels) -> Levels:
    deviations = levels - levels.mean(axis=1, keepdims=True)
    squares = deviations * deviations
    moment = (squares * deviations).mean(axis=1)
    angle: Levels = np.arctan(moment / (squares.mean(axis=1) + _NOISE) ** 1.5)
    return angle


def _sustain(levels: Levels, seams: IntArray) -> Levels:
    above = levels[1:-1] - (levels[:-2] + levels[2:]) / 2
    together = [w[:, SUSTAINED:] * w[:, :-SUSTAINED] for w in np.split(above, seams, axis=1)]
    lasting = np.concatenate(together, axis=1).mean(axis=1)
    angle: Levels = np.arctan2(lasting, above.var(axis=1) + _NOISE)
    return angle


def _cepstral(cepstra: Levels, seams: IntArray) -> tuple[Levels, Levels, Levels, Levels]:
    """Percentiles, covariance, correlation, covariance of the change, of [20, frames]."""
    covariance = np.cov(cepstra)
    return (
        np.percentile(cepstra, PERCENTILES, axis=1),
        _upper(covariance, 0),
        _upper(_correlation(covariance, _NOISE / BANDS), 1),
        _upper(np.cov(_changes(cepstra, seams)), 0),
    )


def _modulation(groups: Levels, seams: IntArray) -> tuple[Levels, Levels]:
    """Log power at each rate, [16, 12] (Welch's method), and the same less its mean over rates."""
    segments = np.stack(
        [
            window[:, start : start + SEGMENT]
            for window in np.split(groups, seams, axis=1)
            for start in _segment_starts(window.shape[1])
        ]
    )
    segments = (segments - segments.mean(axis=2, keepdims=True)) * np.hanning(SEGMENT + 1)[:-1]
    power = (np.abs(np.fft.rfft(segments, axis=2)) ** 2).mean(axis=0)
    widths = np.diff(RATE_EDGES)
    rates = np.add.reduceat(power, RATE_EDGES[:-1], axis=1) / widths
    logarithms = np.log(rates + _NOISE_POWER)
    return logarithms, logarithms - logarithms.mean(axis=1, keepdims=True)


def _segment_starts(columns: int) -> list[int]:
    room = columns - SEGMENT
    count = 1 + -(-2 * room // SEGMENT)  # so many that they overlap by half or more
    return [round(room * i / max(count - 1, 1)) for i in range(count)]


def _contrast(levels: Levels) -> Levels:
    ordered = np.sort(levels.reshape(BANDS // OCTAVE, OCTAVE, -1), axis=1)
    valleys, peaks = ordered[:, :3].mean(axis=1), ordered[:, -3:].mean(axis=1)
    contrast = peaks - valleys
    measures = (contrast.mean(axis=1), contrast.std(axis=1), valleys.mean(axis=1))
    return np.concatenate([*measures, peaks.mean(axis=1)])


def _correlation(covariance: Levels, noise: float) -> Levels:
    """Correlations of a covariance matrix [n, n], were noise of that variance added to each."""
    deviation = np.sqrt(np.diag(covariance) + noise)
    result: Levels = covariance / np.outer(deviation, deviation)
    return result


def _upper(matrix: Levels, diagonal: int) -> Levels:
    result: Levels = matrix[_triangle(len(matrix), diagonal)]
    return result


@cache
def _triangle(size: int, diagonal: int) -> tuple[IntArray, IntArray]:
    return np.triu_indices(size, diagonal)


@cache
def _cosines() -> Levels:
    """Rows 1 to 20 of the DCT-II of 128 bands, over the root of 128: from levels to MFCCs.

    On the scale of decibels: were covariances thousands of times larger than correlations,
    standardisation (`projections.lda`) would take the latter for constants.
    """
    angles = np.arange(1, CEPSTRA + 1)[:, None] * (np.arange(BANDS) + 0.5) * (np.pi / BANDS)
    matrix: Levels = np.cos(angles) * (np.sqrt(2) / BANDS)
    return matrix

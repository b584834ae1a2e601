"""Spectra of small patches of a spectrogram: texture, tremolo, glides, the spacing of partials.

A patch is a rectangle of bands and columns. Its two-dimensional spectrum says how fast its levels
change over time (rate) and how finely they are striped along the bands (scale), and apart for
stripes that rise and that fall: what the cells of the auditory cortex respond to (Chi, Ru & Shamma,
JASA 118, 2005) and joint time-frequency scattering computes (Andén, Lostanlen & Mallat, IEEE TSP
67, 2019). Here by windowed Fourier transforms, whose bins are pooled to octaves. Over all patches
of one height the mean amplitude of each cell is taken, and how unsteady it is.

Shapes: b bands, f columns, h x w a patch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Levels = npt.NDArray[np.float32]
Spectra = npt.NDArray[np.complex64]

NOISE = 1.0
"""dB that are added to every amplitude before its logarithm, as if each level were uncertain by
that much: where a filter left no energy, the value is constant."""

AT_ONCE = 8
"""Windows whose patches are held at once."""


@dataclass(frozen=True)
class PatchSpectrum:
    """One size of patches.

    Attributes:
        bands, columns: size of a patch, powers of two.
        band_hop, column_hop: between neighbouring patches.
        heights: how many patches lie above each other.
    """

    bands: int
    columns: int
    band_hop: int
    column_hop: int
    heights: int

    @property
    def size(self) -> int:
        """Number of values that `__call__` gives."""
        return 2 * self.heights * len(self._scales) * len(self._rates)

    def __call__(self, windows: Sequence[Levels]) -> Levels:
        """Log amplitudes of every height, scale and rate, then the log of their unsteadiness.

        Args:
            windows: each np.ndarray [shape=(b, f)], float32, levels in dB, f at least `columns`.

        Returns:
            np.ndarray [shape=(size,)]: mean over patches, in dB, and deviation over them against
            that mean.
        """
        amplitudes = np.concatenate(
            [
                self._amplitudes(windows[start : start + AT_ONCE])
                for start in range(0, len(windows), AT_ONCE)
            ],
            axis=1,
        )
        mean, deviation = amplitudes.mean(axis=1) + NOISE, amplitudes.std(axis=1) + NOISE
        logarithms: Levels = np.log(np.stack([mean, deviation / mean])).ravel()
        return logarithms

    def _amplitudes(self, windows: Sequence[Levels]) -> Levels:
        """Root mean square of each cell's bins, [heights, patches, scales, rates]."""
        over_bands, over_columns = self._tapers
        slid = [sliding_window_view(window, self.columns, axis=1) for window in windows]
        segments = np.concatenate([w[:, :: self.column_hop].swapaxes(0, 1) for w in slid])
        # Patches above each other overlap: what goes along the columns is done once for all.
        along = np.ascontiguousarray(
            _spectra(np.multiply(segments, over_columns, order="C")).swapaxes(1, 2)
        )
        stripes = sliding_window_view(along, self.bands, axis=2)[:, :, :: self.band_hop]
        spectra = _spectra(
            np.multiply(stripes, over_bands, order="C")
        )  # [patches, w / 2 + 1, heights, h]
        sums = sliding_window_view(segments.sum(axis=2), self.bands, axis=1)[:, :: self.band_hop]
        means = sums.sum(axis=2) / (self.bands * self.columns)  # [patches, heights]
        spectra -= means[:, None, :, None] * self._of_tapers[:, None, :]
        power = spectra.real**2 + spectra.imag**2
        by_scale = power @ self._scales.T  # [patches, w / 2 + 1, heights, scales]
        cells = np.tensordot(self._rates, by_scale, (1, 1))  # [rates, patches, heights, scales]
        energy = np.square(over_bands).sum() * np.square(over_columns).sum()
        amplitudes: Levels = np.sqrt(cells / energy).transpose(2, 1, 3, 0)
        return amplitudes

    @cached_property
    def _tapers(self) -> tuple[Levels, Levels]:
        bands, columns = (np.hanning(n + 2)[1:-1] for n in (self.bands, self.columns))
        return bands.astype(np.float32), columns.astype(np.float32)

    @cached_property
    def _of_tapers(self) -> Spectra:
        """Spectrum of a patch of ones, [w / 2 + 1, h]."""
        over_bands, over_columns = self._tapers
        spectrum = np.outer(np.fft.rfft(over_columns), np.fft.fft(over_bands))
        return spectrum.astype(np.complex64)

    @cached_property
    def _scales(self) -> Levels:
        """Means of bins along the bands, [scales, h]: no stripes, then octaves, falling, rising."""
        edges = _octaves(self.bands)
        falling = [np.arange(a, b) for a, b in pairwise(edges)]
        rising = [-bins % self.bands for bins in falling]
        return _means([np.array([0]), *falling, *rising], self.bands)

    @cached_property
    def _rates(self) -> Levels:
        """Means of bins along the columns, [rates, w / 2 + 1]: no change, then octaves."""
        bins = self.columns // 2 + 1
        edges = [*_octaves(self.columns)[:-1], bins]  # the last takes Nyquist's bin, too
        octaves = [np.arange(a, b) for a, b in pairwise(edges)]
        return _means([np.array([0]), *octaves], bins)


def _spectra(values: Levels | Spectra) -> Spectra:
    """Fourier transforms of the last axis; of real values without the mirrored half."""
    transform = np.fft.fft if np.iscomplexobj(values) else np.fft.rfft
    # Of a matrix: with more axes, numpy prepares its transform anew for each of the first.
    spectra = transform(values.reshape(-1, values.shape[-1])).astype(np.complex64, copy=False)
    return spectra.reshape(*values.shape[:-1], -1)


def _octaves(length: int) -> list[int]:
    """First bins of the octaves of a transform of `length`, and the end of the last: 1, 2, 4 …"""
    return [2**i for i in range(length.bit_length() - 1)]


def _means(groups: Sequence[npt.NDArray[np.integer]], bins: int) -> Levels:
    """Rows that take the mean of each group of bins, [groups, bins]."""
    matrix = np.zeros((len(groups), bins), dtype=np.float32)
    for row, group in zip(matrix, groups, strict=True):
        row[group] = 1 / len(group)
    return matrix

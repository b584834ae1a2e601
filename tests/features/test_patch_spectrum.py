"""Patch spectra: gratings of a known scale and rate, and every value computed again, plainly."""

import numpy as np
import pytest

from recommender.features.patch_spectrum import NOISE, PatchSpectrum

PATCH = PatchSpectrum(bands=16, columns=16, band_hop=8, column_hop=16, heights=15)
SCALES = ["none", "1", "2-3", "4-7", "-1", "-2-3", "-4-7"]
RATES = ["none", "1", "2-3", "4-8"]


def cells(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log amplitudes and unsteadiness, each [heights, scales, rates]."""
    both = values.reshape(2, PATCH.heights, len(SCALES), len(RATES))
    return both[0], both[1]


def grating(scale: float, rate: float, amplitude: float = 6.0, frames: int = 130) -> np.ndarray:
    """Stripes: `scale` and `rate` periods in 16 bands and 16 columns; same signs: falling."""
    bands, columns = np.arange(128)[:, None], np.arange(frames)
    phase = 2 * np.pi * (scale * bands + rate * columns) / 16
    return (amplitude * np.cos(phase)).astype(np.float32)


@pytest.mark.parametrize(
    ("scale", "rate", "cell"),
    [
        (0, 1, ("none", "1")),
        (0, 6, ("none", "4-8")),
        (1, 0, ("1", "none")),
        (1, 2, ("1", "2-3")),
        (-1, 2, ("-1", "2-3")),
        (5, 5, ("4-7", "4-8")),
        (-2.5, 1, ("-2-3", "1")),
    ],
)
def test_a_grating_is_loudest_in_its_cell(scale: float, rate: float, cell: tuple[str, str]) -> None:
    amplitudes, unsteadiness = cells(PATCH([grating(scale, rate)]))
    wanted = SCALES.index(cell[0]), RATES.index(cell[1])
    for height in amplitudes:
        loudest = np.unravel_index(height.argmax(), height.shape)
        mirrored = (loudest[0] + 3 if 0 < loudest[0] <= 3 else loudest[0], loudest[1])
        # Without change over time stripes neither rise nor fall.
        assert wanted in (loudest, mirrored) if rate == 0 else wanted == loudest
    expected = -amplitudes[:, wanted[0], wanted[1]]  # as if nothing but the noise deviated
    np.testing.assert_allclose(unsteadiness[:, wanted[0], wanted[1]], expected, atol=0.6)


def test_every_value_is_that_of_its_definition() -> None:
    generator = np.random.default_rng(0)
    windows = [generator.normal(0, 8, (128, n)).astype(np.float32) for n in (130, 128)]
    amplitudes, unsteadiness = cells(PATCH(windows))
    taper = np.outer(np.hanning(18)[1:-1], np.hanning(18)[1:-1])
    scale_bins = [[0], [1], [2, 3], [4, 5, 6, 7], [15], [14, 13], [12, 11, 10, 9]]
    rate_bins = [[0], [1], [2, 3], [4, 5, 6, 7, 8]]
    height = 3
    patches = []
    for window in windows:
        for column in range(0, window.shape[1] - 15, 16):
            patch = window[8 * height : 8 * height + 16, column : column + 16].astype(np.float64)
            power = np.abs(np.fft.fft2((patch - patch.mean()) * taper)) ** 2
            patches.append(
                [
                    [np.sqrt(power[np.ix_(s, r)].mean() / (taper**2).sum()) for r in rate_bins]
                    for s in scale_bins
                ]
            )
    mean, deviation = np.mean(patches, axis=0) + NOISE, np.std(patches, axis=0) + NOISE
    np.testing.assert_allclose(amplitudes[height], np.log(mean), atol=1e-4)
    np.testing.assert_allclose(unsteadiness[height], np.log(deviation / mean), atol=1e-4)


def test_silence_and_a_constant_give_zeros() -> None:
    constant = np.full((128, 130), -37.0, dtype=np.float32)
    np.testing.assert_allclose(PATCH([constant]), 0, atol=1e-4)


def test_white_noise_has_its_own_deviation_as_amplitude() -> None:
    noise = np.random.default_rng(1).normal(0, 5, (128, 2000)).astype(np.float32)
    amplitudes, _ = cells(PATCH([noise]))
    inner = amplitudes[:, 2:4, 2:]  # away from what the mean and the taper take
    np.testing.assert_allclose(np.exp(inner) - NOISE, 5, rtol=0.1)


def test_size_counts_the_values() -> None:
    assert PATCH([grating(1, 1)]).shape == (PATCH.size,) == (2 * 15 * 7 * 4,)

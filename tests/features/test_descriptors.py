"""Descriptors against librosa and scipy, and against what they promise to ignore."""

from itertools import pairwise

import librosa
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import UsageError
from recommender.features.descriptors import (
    BANDS,
    DIMENSION,
    PARTS,
    RATE_EDGES,
    SEGMENT,
    describe,
    slices,
)

COLUMN_S = 1_708 / 22_050
AMPLITUDE = BANDS**-0.5
NOISE_POWER = (np.hanning(SEGMENT + 1)[:-1] ** 2).sum()  # of levels uncertain by 1 dB


def spectrogram(seed: int, frames: int = 200) -> np.ndarray:
    generator = np.random.default_rng(seed)
    tilt = np.linspace(-10, -50, BANDS)[:, None]
    return (tilt + generator.gamma(2, 4, (BANDS, frames))).astype(np.float32)


def part(name: str, decibels: np.ndarray) -> np.ndarray:
    return describe(decibels)[slices()[name]]


def test_the_parts_fill_the_vector() -> None:
    vector = describe(spectrogram(0))
    assert vector.shape == (DIMENSION,)
    assert vector.dtype == np.float32
    assert [s.stop - s.start for s in slices().values()] == [p.size for p in PARTS]
    assert max(s.stop for s in slices().values()) == DIMENSION


def test_cepstral_parts_are_those_of_librosas_mfccs() -> None:
    decibels = spectrogram(1)
    mfcc = AMPLITUDE * librosa.feature.mfcc(S=decibels.astype(np.float64), n_mfcc=21)[1:]
    percentiles = np.percentile(mfcc, [10, 25, 50, 75, 90], axis=1).ravel()
    np.testing.assert_allclose(part("cepstral percentiles", decibels), percentiles, atol=1e-4)
    upper = np.triu_indices(20)
    covariance = np.cov(mfcc)[upper]
    np.testing.assert_allclose(part("cepstral covariance", decibels), covariance, atol=1e-4)
    deviation = np.sqrt(mfcc.var(axis=1, ddof=1) + 1 / BANDS)
    correlation = (np.cov(mfcc) / np.outer(deviation, deviation))[np.triu_indices(20, 1)]
    np.testing.assert_allclose(part("cepstral correlation", decibels), correlation, atol=1e-4)
    change = np.cov(np.diff(mfcc))[upper]
    np.testing.assert_allclose(part("cepstral change", decibels), change, atol=1e-4)


def test_the_modulation_spectrum_is_welchs() -> None:
    decibels = spectrogram(2, frames=SEGMENT + SEGMENT // 2)
    groups = decibels.astype(np.float64).reshape(16, 8, -1).mean(axis=1)
    window = np.hanning(SEGMENT + 1)[:-1]
    _, density = scipy.signal.welch(
        groups, window=window, noverlap=SEGMENT // 2, detrend="constant", scaling="density"
    )
    density[:, [0, -1]] *= 2  # one-sided: all but the ends were doubled
    power = density * np.sum(window**2) / 2
    rates = np.stack([power[:, a:b].mean(axis=1) for a, b in pairwise(RATE_EDGES)], axis=1)
    found = part("modulation", decibels)
    np.testing.assert_allclose(found, np.log(rates + NOISE_POWER).ravel(), atol=1e-3)
    rhythm = found.reshape(16, 12) - found.reshape(16, 12).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(part("rhythm", decibels), rhythm.ravel(), atol=1e-4)


def test_a_pulse_stands_out_at_its_rate() -> None:
    seconds = np.arange(256) * COLUMN_S
    decibels = np.tile(-40 + 5 * np.sin(2 * np.pi * 2.0 * seconds), (BANDS, 1))
    rates = part("rhythm", decibels.astype(np.float32)).reshape(16, 12)
    edges_hz = np.array(RATE_EDGES) / (SEGMENT * COLUMN_S)
    loudest = int(rates[0].argmax())
    assert edges_hz[loudest] <= 2.0 < edges_hz[loudest + 1]


def test_a_held_tone_is_sustained_and_noise_is_not() -> None:
    generator = np.random.default_rng(3)
    noise = generator.normal(-60, 3, (BANDS, 200))
    held = noise.copy()
    held[40] += 20 * (np.arange(200) // 25 % 2)  # two seconds on, two seconds off
    held_there = part("sustain", held.astype(np.float32))[39]
    assert held_there > 0.6
    assert abs(part("sustain", noise.astype(np.float32))).max() < 0.5


@pytest.mark.parametrize("cut", [124, 116])
def test_bands_that_a_filter_left_empty_stay_within_bounds(cut: int) -> None:
    """At the floor but for a few columns, as where a track begins: ratios of next to nothing."""
    emptied = spectrogram(5)
    floor = emptied.max() - 80
    emptied[cut:] = floor
    emptied[cut:, :2] = floor + 25
    whole = spectrogram(5)
    for name in ("skewness", "sustain"):
        assert abs(part(name, emptied)).max() <= np.pi / 2
    for name in ("rhythm", "band correlation", "cepstral correlation"):
        assert abs(part(name, emptied) - part(name, whole)).max() < 2


def test_contrast_is_that_of_peaks_and_valleys() -> None:
    decibels = np.full((BANDS, SEGMENT), -60.0, dtype=np.float32)
    decibels[:3] = -30  # three loud bands in the first group of 16
    mean, deviation, valleys, peaks = part("contrast", decibels).reshape(4, 8)
    level = float(decibels.mean())
    np.testing.assert_allclose(mean, [30] + 7 * [0], atol=1e-4)
    np.testing.assert_allclose(deviation, 0, atol=1e-4)
    np.testing.assert_allclose(valleys, -60 - level, atol=1e-4)
    np.testing.assert_allclose(peaks, [-30 - level] + 7 * [-60 - level], atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), gain=st.floats(-40, 40), frames=st.integers(SEGMENT, 300))
def test_loudness_does_not_matter(seed: int, gain: float, frames: int) -> None:
    decibels = spectrogram(seed, frames)
    louder = (decibels + np.float32(gain)).astype(np.float32)
    np.testing.assert_allclose(describe(louder), describe(decibels), atol=2e-2)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_in_time_does_not_matter_to_what_is_no_rhythm(seed: int) -> None:
    decibels = spectrogram(seed)
    shuffled = np.random.default_rng(seed).permutation(decibels, axis=1)
    for name in ("skewness", "cepstral percentiles", "cepstral covariance", "contrast"):
        np.testing.assert_allclose(part(name, shuffled), part(name, decibels), atol=2e-2)


SEEDS = st.integers(0, 1000)
LENGTHS = st.lists(st.integers(SEGMENT, 200), min_size=2, max_size=4)


class TestPooling:
    @settings(max_examples=10, deadline=None)
    @given(seed=SEEDS, frames=st.integers(SEGMENT, 300))
    def test_one_window_is_a_clip(self, seed: int, frames: int) -> None:
        decibels = spectrogram(seed, frames)
        np.testing.assert_array_equal(describe([decibels]), describe(decibels))

    @settings(max_examples=10, deadline=None)
    @given(seed=SEEDS, frames=st.integers(SEGMENT, 200), times=st.integers(2, 4))
    def test_a_window_repeated_is_that_window(self, seed: int, frames: int, times: int) -> None:
        """Up to the n / (n - 1) of a sample covariance, and how percentiles are interpolated."""
        decibels = spectrogram(seed, frames)
        same = np.ones(DIMENSION, dtype=bool)
        same[slices()["cepstral percentiles"]] = False
        pooled = describe(times * [decibels])
        np.testing.assert_allclose(pooled[same], describe(decibels)[same], rtol=0.02, atol=0.02)

    @settings(max_examples=10, deadline=None)
    @given(seed=SEEDS, lengths=LENGTHS, data=st.data())
    def test_the_order_of_windows_does_not_matter(self, seed: int, lengths, data) -> None:
        windows = [spectrogram(seed + i, length) for i, length in enumerate(lengths)]
        shuffled = data.draw(st.permutations(windows))
        np.testing.assert_allclose(describe(shuffled), describe(windows), atol=1e-4)

    @settings(max_examples=10, deadline=None)
    @given(levels=st.lists(st.floats(-80, 0), min_size=2, max_size=4))
    def test_nothing_changes_at_a_seam(self, levels: list[float]) -> None:
        """Windows that hold still, each at another level of every other band."""
        tilt = np.arange(BANDS)[:, None] % 2
        windows = [(level * tilt).repeat(SEGMENT, axis=1).astype(np.float32) for level in levels]
        found = describe(windows)
        for name in ("change", "cepstral change"):
            np.testing.assert_allclose(found[slices()[name]], 0, atol=1e-6)
        np.testing.assert_allclose(found[slices()["modulation"]], np.log(NOISE_POWER), atol=1e-3)

    def test_distributions_are_those_of_all_columns(self) -> None:
        one, other = spectrogram(0), spectrogram(1, 150) - np.float32(7)
        whole = np.concatenate([one, other], axis=1)
        names = ("skewness", "cepstral percentiles", "cepstral covariance", "cepstral correlation")
        for name in (*names, "contrast", "band correlation"):
            where = slices()[name]
            np.testing.assert_allclose(
                describe([one, other])[where], describe(whole)[where], atol=1e-4
            )

    def test_a_window_that_is_too_short_is_refused(self) -> None:
        with pytest.raises(UsageError, match="at least 128 columns"):
            describe([spectrogram(0), spectrogram(1, SEGMENT - 1)])

    def test_no_window_is_refused(self) -> None:
        with pytest.raises(UsageError, match="none"):
            describe([])


@pytest.mark.parametrize("level", [0.0, -80.0])
def test_what_does_not_vary_has_finite_descriptors(level: float) -> None:
    assert np.isfinite(describe(np.full((BANDS, SEGMENT), level, dtype=np.float32))).all()


@pytest.mark.parametrize("shape", [(BANDS, SEGMENT - 1), (64, 300), (BANDS,), (1, BANDS, 300)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="at least 128 columns"):
        describe(np.zeros(shape, dtype=np.float32))


def test_nan_is_refused() -> None:
    decibels = spectrogram(0)
    decibels[3, 5] = np.nan
    with pytest.raises(UsageError, match="NaN"):
        describe(decibels)

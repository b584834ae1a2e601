"""Tempi of sounds whose tempo is known, and of those that have none."""

import numpy as np
import pytest
from synthetic_music import cadence, clicks, described, noise, sine

from recommender.musical_descriptors.spectra import spectra
from recommender.musical_descriptors.tempo import Pulse, onset_curve, pulse


def pulse_of(*windows: np.ndarray) -> Pulse:
    return pulse([onset_curve(spectra(window).mel) for window in windows])


@pytest.mark.parametrize("bpm", range(40, 221, 15))
def test_clicks_have_their_tempo(bpm: int) -> None:
    found = pulse_of(clicks(bpm))
    assert found.tempo == pytest.approx(bpm, rel=0.01)
    assert found.confidence is not None
    assert found.confidence > 0.4
    assert found.beat_strength is not None
    assert found.beat_strength > 0.5


@pytest.mark.parametrize("bpm", [60, 90, 120, 150, 180])
@pytest.mark.parametrize("shape", [{"swing": 2 / 3}, {"rest_every": 4}], ids=["swung", "rests"])
def test_swung_clicks_and_clicks_with_rests(bpm: int, shape: dict[str, float]) -> None:
    found = pulse_of(clicks(bpm, **shape))  # type: ignore[arg-type]
    assert found.tempo == pytest.approx(bpm, rel=0.01)


def test_several_windows_tell_one_tempo() -> None:
    found = pulse_of(clicks(97), clicks(97)[5_000:], clicks(97)[9_000:])
    assert found.tempo == pytest.approx(97, rel=0.005)


@pytest.mark.parametrize("bpm", [12, 25, 30, 300, 400])
def test_tempi_out_of_range_are_not_told(bpm: int) -> None:
    found = pulse_of(clicks(bpm))
    assert found.tempo is None
    assert found.confidence == 0


def test_a_beat_that_may_be_felt_in_two_ways_has_a_second_tempo() -> None:
    found = pulse_of(clicks(80) + 0.3 * clicks(80, swing=0.5))
    assert {round(found.tempo or 0), round(found.second_tempo or 0)} == {80, 160}


@pytest.mark.parametrize(
    "sound", [noise(), sine(440), np.concatenate([sine(440, 1), np.zeros(9 * 22_050)])]
)
def test_what_does_not_repeat_has_no_tempo(sound: np.ndarray) -> None:
    found = described(sound)
    assert found.tempo is None
    assert found.tempo_confidence == 0
    assert found.beat_strength is not None
    assert found.beat_strength < 0.2


def test_notes_at_random_moments_have_no_tempo() -> None:
    rng = np.random.default_rng(3)
    sound = np.zeros(220_500, np.float32)
    note = cadence(0, False, "organ")[:8_000]
    for moment in rng.uniform(0, 9.5, 18):
        first = int(moment * 22_050)
        sound[first : first + 8_000] += note
    found = described(sound)
    assert found.tempo is None or (found.tempo_confidence or 0) < 0.3


def test_a_jingle_is_too_short_to_tell() -> None:
    found = described(clicks(120, 1.2))
    assert found.tempo is None
    assert found.tempo_confidence is None
    assert found.beat_strength is None


@pytest.mark.slow
def test_tempo_agrees_with_librosa() -> None:
    librosa = pytest.importorskip("librosa")
    chords = cadence(2, False, "saw")
    sound = clicks(128)[: len(chords)] + 0.1 * chords
    own = pulse_of(sound).tempo
    other = float(np.atleast_1d(librosa.feature.tempo(y=sound, sr=22_050))[0])
    assert own == pytest.approx(128, rel=0.01)
    assert other == pytest.approx(own, rel=0.04)

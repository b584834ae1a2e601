"""Keys and tuning of cadences, and of sounds that have no key."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_music import TIMBRES, cadence, clicks, described, noise, sine

from recommender.musical_descriptors.key import Tonality, peaks, tonality
from recommender.musical_descriptors.record import (
    MAJOR,
    MINOR,
    MusicalDescriptors,
    camelot_number,
    parse_key,
)
from recommender.musical_descriptors.spectra import spectra


def tonality_of(sound: np.ndarray) -> Tonality:
    return tonality([peaks(spectra(sound).low)])


@pytest.mark.parametrize("timbre", TIMBRES)
@pytest.mark.parametrize("minor", [False, True], ids=["major", "minor"])
def test_cadences_have_their_key(timbre: str, minor: bool) -> None:
    for tonic in range(12):
        found = tonality_of(cadence(tonic, minor, timbre))
        assert (found.key, found.mode) == (tonic, MINOR if minor else MAJOR)
        assert found.tuning == pytest.approx(0, abs=3)


@pytest.mark.parametrize("cents", [-45, -30, 20, 40])
def test_detuned_cadences_have_their_key_and_tuning(cents: int) -> None:
    for tonic, minor in product((0, 7), (False, True)):
        found = tonality_of(cadence(tonic, minor, "organ", cents))
        assert (found.key, found.mode) == (tonic, MINOR if minor else MAJOR)
        assert found.tuning == pytest.approx(cents, abs=4)


@pytest.mark.parametrize(
    "sound",
    [
        noise(),
        sine(440),
        sum(sine(110.0 * n, level=0.1 / n) for n in range(1, 9)),
        clicks(120),
    ],
    ids=["noise", "sine", "drone", "clicks"],
)
def test_sounds_without_a_key_get_none(sound: np.ndarray) -> None:
    found = described(sound)
    assert found.key is None
    assert found.mode is None
    assert found.camelot is None
    assert found.key_confidence == 0


def test_noise_has_no_tuning_and_a_sine_has_its_own() -> None:
    assert described(noise()).tuning is None
    assert described(sine(440 * 2 ** (17 / 1200))).tuning == pytest.approx(17, abs=1)


def test_tuning_agrees_with_librosa() -> None:
    librosa = pytest.importorskip("librosa")
    sound = cadence(4, True, "saw", 23)
    other = 100 * librosa.estimate_tuning(y=sound, sr=22_050, n_fft=8_192)
    assert tonality_of(sound).tuning == pytest.approx(float(other), abs=6)


@pytest.mark.parametrize(
    ("key", "mode", "camelot", "initial"),
    [
        (0, MAJOR, "8B", "C"),
        (9, MINOR, "8A", "Am"),
        (11, MAJOR, "1B", "B"),
        (8, MINOR, "1A", "G#m"),
        (5, MAJOR, "7B", "F"),
        (3, MINOR, "2A", "Ebm"),
    ],
)
def test_names_of_keys(key: int, mode: str, camelot: str, initial: str) -> None:
    found = MusicalDescriptors(key=key, mode=mode)
    assert (found.camelot, found.initial_key) == (camelot, initial)


@given(st.integers(0, 11), st.sampled_from([MAJOR, MINOR]))
def test_every_way_to_write_a_key_is_read(key: int, mode: str) -> None:
    found = MusicalDescriptors(key=key, mode=mode)
    for text in (found.camelot, found.initial_key, found.key_name):
        assert text is not None
        assert parse_key(text) == parse_key(text.lower()) == (key, mode)
    assert 1 <= camelot_number(key, mode) <= 12


@pytest.mark.parametrize("text", ["", "H", "13A", "0B", "8C", "C##", "Am7", "A dorian", "²A"])
def test_other_text_is_no_key(text: str) -> None:
    assert parse_key(text) is None

"""Speech, synthesised and read, alone and over music."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from synthetic_music import RATE, Samples, cadence, clicks, described, noise

from recommender.audio.reader import read_whole, read_windows
from recommender.audio.windows import Windowing
from recommender.musical_descriptors import MusicalDescriptors
from recommender.musical_descriptors.definitions import DEFINITIONS
from recommender.musical_descriptors.extraction import describe_windows
from recommender.musical_descriptors.record import NAMES

TEXT = (
    "The weather in the north will be cold and windy tomorrow, with rain over the hills. A reader "
    "may stop at any time, and come back later; the book remembers the page, and the voice goes on "
    "where it ended. In the beginning there was a small village by the river, with twelve houses."
)


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    espeak = shutil.which("espeak-ng")
    if espeak is None:
        pytest.skip("espeak-ng is not installed")
    file = tmp_path_factory.mktemp("speech") / "speech.wav"
    subprocess.run([espeak, "-v", "en-gb", "-s", "150", "-w", str(file), TEXT], check=True)
    return read_whole(file).samples


def test_speech_is_speech(speech: Samples) -> None:
    found = described(speech[: 10 * RATE])
    assert (found.speech or 0) > 0.8
    assert (found.vocals or 0) > 0.8
    assert found.key is None or (found.key_confidence or 0) < 0.6
    assert found.tempo is None or (found.tempo_confidence or 0) < 0.3


@pytest.mark.parametrize(
    "sound", [cadence(0, True, "organ"), clicks(120), noise(), cadence(5, False, "saw")]
)
def test_instruments_and_noise_are_neither_speech_nor_singing(sound: Samples) -> None:
    found = described(sound)
    assert (found.speech or 0) < 0.5
    assert found.vocals is not None


def test_speech_over_music_is_a_voice_and_no_speech(speech: Samples) -> None:
    music = cadence(0, True, "organ")
    music = music + 0.2 * clicks(120)[: len(music)]
    voice = speech[: len(music)]
    voice = voice * np.sqrt(np.mean(music**2) / np.mean(voice**2))
    alone, together = described(music), described(music + voice)
    assert (together.vocals or 0) > (alone.vocals or 0) + 0.2
    assert (together.speech or 0) < 0.5


def of_file(file: Path) -> MusicalDescriptors:
    return describe_windows(read_windows(file, Windowing(count=5)))


def test_read_books_are_speech_and_music_is_not(shared: Path) -> None:
    librosa = shared / "music" / "librosa"
    for name in ("3436-172162-0000.ogg", "5703-47212-0000.ogg", "198-209-0000.ogg"):
        assert (of_file(librosa / name).speech or 0) > 0.5
    for name in ("Kevin_MacLeod_-_Vibe_Ace.ogg", "sorohanro_-_solo-trumpet-06.ogg"):
        assert (of_file(librosa / name).speech or 1) < 0.5


def test_a_song_has_more_voice_than_its_instrumental(shared: Path) -> None:
    song = shared / "music" / "ultrastar" / "Pornophonique - Space Invaders"
    with_voice, without = of_file(song / "audio.mp3"), of_file(song / "instrumental.mp3")
    assert (with_voice.vocals or 0) > (without.vocals or 0) + 0.1


def test_every_value_is_defined() -> None:
    assert tuple(definition.name for definition in DEFINITIONS) == NAMES
    for definition in DEFINITIONS:
        assert definition.unit
        assert definition.meaning
        assert definition.source
        assert definition.judged

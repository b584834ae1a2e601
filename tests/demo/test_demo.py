"""The demo library: audio that can be analysed, as its tags say, and always the same."""

from collections import Counter
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile

from recommender.demo import DemoPiece, render_library
from recommender.demo.effects import lowpassed, reverberated
from recommender.demo.instruments import SAW, hertz, pluck, tone
from recommender.demo.library import plan, render
from recommender.demo.styles import STYLES

RATE = 22_050


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> list[DemoPiece]:
    return render_library(tmp_path_factory.mktemp("demo"))


def pitch_of(sound: np.ndarray) -> float:
    """Hz of the strongest partial below 1 kHz, by a padded Fourier transform."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 19))
    return float(spectrum[: int(1_000 / RATE * (1 << 19))].argmax() * RATE / (1 << 19))


def test_plan_has_many_styles_by_several_artists_in_all_formats() -> None:
    pieces = plan(Path("demo"))
    assert {piece.style for piece in pieces} == set(STYLES)
    assert min(Counter(piece.style for piece in pieces).values()) >= 3
    for style in STYLES:
        assert len({piece.artist for piece in pieces if piece.style == style}) >= 3
    assert {piece.path.suffix for piece in pieces} == {".wav", ".flac", ".ogg", ".mp3"}
    assert {piece.channels for piece in pieces} == {1, 2}
    assert {piece.sample_rate for piece in pieces} == {22_050, 44_100}
    assert len({piece.path for piece in pieces}) == len(pieces)


def test_no_format_or_rate_gives_a_style_away() -> None:
    pieces = plan(Path("demo"))
    for style in STYLES:
        own = [piece for piece in pieces if piece.style == style]
        assert len({(piece.path.suffix, piece.channels) for piece in own}) >= 2


def test_every_file_is_sound_of_the_promised_kind(library: list[DemoPiece]) -> None:
    for piece in library:
        samples, rate = soundfile.read(piece.path, always_2d=True)
        assert (rate, samples.shape[1]) == (piece.sample_rate, piece.channels), piece
        assert 30 <= len(samples) / rate <= 45, piece
        assert 0.5 < np.abs(samples).max() < 1.0, f"{piece} is too quiet or clips"
        seconds = samples[: len(samples) // rate * rate].reshape(-1, rate * piece.channels)
        loudness = np.sqrt((seconds**2).mean(axis=1))
        assert (loudness[:-3] > 0.003).all(), f"{piece} has a second of silence"
        assert abs(samples.mean()) < 0.01


def test_tags_and_layout(library: list[DemoPiece]) -> None:
    for piece in library:
        tags = mutagen.File(piece.path, easy=True).tags
        if piece.path.suffix == ".wav":
            frames = ("TIT2", "TPE1", "TALB", "TCON", "TRCK", "TDRC")
            found = [str(tags[frame]) for frame in frames]
        else:
            keys = ("title", "artist", "album", "genre", "tracknumber", "date")
            found = [tags[key][0] for key in keys]
        number = str(piece.track_number)
        expected = [piece.title, piece.artist, piece.album, piece.style, number, str(piece.year)]
        assert found == expected
        assert piece.path.parent.parent.name == piece.artist
        assert piece.path.stem == f"{piece.track_number:02} {piece.title}"


def test_rendering_again_gives_the_same_samples(library: list[DemoPiece]) -> None:
    for piece in [p for p in library if p.path.suffix == ".flac"][:4]:
        again = render(piece)
        stored, _ = soundfile.read(piece.path, dtype="float32", always_2d=True)
        assert np.abs(stored - again).max() <= 1 / 32_768
        np.testing.assert_array_equal(again, render(piece))
        assert again.shape != render(piece, seed=1).shape


def test_complete_files_are_kept_and_others_are_rendered(library: list[DemoPiece]) -> None:
    folder = library[0].path.parents[2]
    damaged, gone = [piece for piece in library if piece.style == "Chiptune"][:2]
    damaged.path.write_bytes(b"half a file")
    gone.path.unlink()
    before = {piece.path: piece.path.stat().st_mtime_ns for piece in library if piece != gone}
    progress: list[tuple[int, int]] = []
    assert render_library(folder, progress=lambda *done: progress.append(done)) == library
    assert progress[-1] == (len(library), len(library))
    changed = {path for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert changed == {damaged.path}
    assert soundfile.info(gone.path).duration >= 30
    assert soundfile.info(damaged.path).duration >= 30
    assert sorted(p for p in folder.rglob("*") if p.is_file()) == sorted(p.path for p in library)


@pytest.mark.parametrize("midi", [40, 57, 69, 76])
def test_instruments_are_in_tune(midi: int) -> None:
    assert hertz(69) == 440
    for sound in (tone(RATE, midi, 1.0, SAW), pluck(RATE, midi, 1.0, 4, 0.998)):
        partial = pitch_of(sound) / hertz(midi)
        cents = 1_200 * np.log2(partial / max(1, round(partial)))
        assert abs(cents) < 8


def test_room_dies_away_in_the_time_given() -> None:
    click = np.zeros(3 * RATE, dtype=np.float32)
    click[0] = 1
    response = reverberated(click, RATE, 1.5)
    early, late = (np.abs(response[int(t * RATE) :][: RATE // 5]).max() for t in (0.1, 1.6))
    assert -70 < 20 * np.log10(late / early) < -50


def test_lowpass_has_the_documented_response() -> None:
    click = np.zeros(4_096, dtype=np.float32)
    click[2_048] = 1
    response = np.abs(np.fft.rfft(lowpassed(click, RATE, 1_000.0)))
    hz = np.fft.rfftfreq(4_096, 1 / RATE)
    wanted = 1 / (1 + (hz / 1_000) ** 2)
    np.testing.assert_allclose(response[hz < 3_000], wanted[hz < 3_000], atol=0.02)

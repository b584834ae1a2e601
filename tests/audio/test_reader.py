"""Reading files: every format, odd names, and everything that can be wrong with a file."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import sounds
import soxr

from recommender.audio.reader import SAMPLE_RATE, read_whole, read_windows
from recommender.audio.stderr import silenced_stderr
from recommender.audio.windows import Windowing
from recommender.errors import (
    AudioError,
    EmptyFile,
    FileVanished,
    NoPermission,
    NoSound,
    NotFinite,
    Silent,
    TooShort,
    UnreadableAudio,
)

SECONDS = 6.0


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A piece of 6 s, on the left channel only, in every format."""
    return sounds.write_every_format(tmp_path_factory.mktemp("pieces"), sounds.sweep, SECONDS)


# --- formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sounds.FORMATS)
def test_every_format_is_read_as_the_mean_of_its_channels(
    pieces: dict[str, Path], name: str
) -> None:
    clip = read_whole(pieces[name])
    assert clip.sample_rate == SAMPLE_RATE
    assert clip.samples.dtype == np.float32
    assert clip.duration == pytest.approx(SECONDS, abs=0.15)
    middle = clip.samples[2 * SAMPLE_RATE : 4 * SAMPLE_RATE]
    level = np.sqrt(np.mean(middle**2))
    assert level == pytest.approx(0.25 / np.sqrt(2), rel=0.02)  # half of one channel's 0.5


@pytest.mark.parametrize("name", sounds.LOSSLESS)
def test_lossless_formats_give_the_samples_written(pieces: dict[str, Path], name: str) -> None:
    written = sounds.sweep(SECONDS) / 2
    expected = soxr.resample(written, 44_100, SAMPLE_RATE, quality="HQ")
    np.testing.assert_allclose(read_whole(pieces[name]).samples, expected, atol=1e-4)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_a_tone_keeps_its_pitch_and_length_at_any_rate(tmp_path: Path, rate: int) -> None:
    clip = read_whole(sounds.write_sound(tmp_path / "a.wav", sounds.tone(2.0, rate, 1000), rate))
    assert len(clip.samples) == 2 * SAMPLE_RATE
    spectrum = np.abs(np.fft.rfft(clip.samples))
    assert spectrum.argmax() / 2.0 == pytest.approx(1000)


@pytest.mark.parametrize(
    ("name", "channels", "tolerance"),
    [
        ("wav", 1, 0.01),
        ("wav", 6, 0.01),
        ("m4a", 1, 0.05),
        ("m4a", 6, 0.25),  # aac takes the tone out of the bass channel
        ("m4a", 8, 0.25),
    ],
)
def test_any_number_of_channels(tmp_path: Path, name: str, channels: int, tolerance: float) -> None:
    path = sounds.write_sound(tmp_path / f"a.{name}", sounds.tone(3.0), channels=channels)
    level = np.sqrt(np.mean(read_whole(path).samples[SAMPLE_RATE : 2 * SAMPLE_RATE] ** 2))
    assert level == pytest.approx(0.5 / np.sqrt(2), rel=tolerance)


@pytest.mark.parametrize(("name", "ending"), [("flac", ".mp3"), ("wma", ".wav"), ("mp3", "")])
def test_a_wrong_ending_does_not_matter(
    tmp_path: Path, pieces: dict[str, Path], name: str, ending: str
) -> None:
    path = tmp_path / f"misnamed{ending}"
    path.write_bytes(pieces[name].read_bytes())
    assert read_whole(path).duration == pytest.approx(SECONDS, abs=0.15)


@pytest.mark.parametrize("name", ["wav", "mp3", "opus", "m4a"])
@pytest.mark.parametrize("odd", [b"line\nbreak", b"latin-\xe9\xff", "ünï ‘code’ 音".encode()])
def test_any_file_name_opens(
    tmp_path: Path, pieces: dict[str, Path], name: str, odd: bytes
) -> None:
    path = tmp_path / os.fsdecode(odd + sounds.ending(name).encode())
    path.write_bytes(pieces[name].read_bytes())
    assert len(read_windows(path, Windowing(seconds=2.0)).clips) == 3


def test_the_sound_of_a_video_is_read(tmp_path: Path) -> None:
    path = sounds.write_video(tmp_path / "a.mp4", sound=True, seconds=2.0)
    assert read_whole(path).duration == pytest.approx(2.0, abs=0.1)


# --- failures ----------------------------------------------------------------------------------


def a_folder(path: Path) -> None:
    path.mkdir()


def playlist_of_a_file(path: Path) -> None:
    sounds.write_sound(path.with_name("other.wav"), sounds.tone(20))
    path.write_text("ffconcat version 1.0\nfile 'other.wav'\n")


def stream_of_a_file(path: Path) -> None:
    other = sounds.write_sound(path.with_name("other.wav"), sounds.tone(20))
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:20\n#EXTINF:20,\nfile://{other}\n")


def nan_samples(path: Path) -> None:
    samples = sounds.tone(15.0)
    samples[7 * 44_100] = np.nan
    sounds.write_float_wav(path, samples)


def infinite_samples(path: Path) -> None:
    samples = sounds.tone(3.0)
    samples[-1] = np.inf
    sounds.write_float_wav(path, samples)


def random_bytes(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).integers(0, 256, 50_000, np.uint8).tobytes())


def wav(seconds: float, amplitude: float = 0.5) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        sounds.write_sound(path, sounds.tone(seconds, amplitude=amplitude), format_name="wav")

    return write


FAILURES: dict[str, tuple[Callable[[Path], object], type[AudioError]]] = {
    "empty": (lambda path: path.write_bytes(b""), EmptyFile),
    "missing": (lambda path: None, FileVanished),
    "folder": (a_folder, UnreadableAudio),
    "pipe": (lambda path: os.mkfifo(path), UnreadableAudio),
    "text": (lambda path: path.write_text("Not a sound.\n" * 500), UnreadableAudio),
    "random": (random_bytes, UnreadableAudio),
    "zeros": (lambda path: path.write_bytes(bytes(50_000)), UnreadableAudio),
    "playlist": (playlist_of_a_file, UnreadableAudio),
    "stream": (stream_of_a_file, UnreadableAudio),
    "video": (lambda path: sounds.write_video(path), NoSound),
    "nan": (nan_samples, NotFinite),
    "infinite": (infinite_samples, NotFinite),
    "short": (wav(0.9), TooShort),
    "no samples": (wav(0.0), TooShort),
    "silent": (wav(45.0, amplitude=0.0), Silent),
    "silent short": (wav(2.0, amplitude=0.0), Silent),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_file_that_cannot_be_read_is_a_named_failure(tmp_path: Path, what: str) -> None:
    write, error = FAILURES[what]
    write(path := tmp_path / "a.mp3")
    for read in (read_whole, lambda path: read_windows(path, Windowing())):
        with pytest.raises(error) as caught:
            read(path)
        assert type(caught.value) is error
        assert "\n" not in str(caught.value)
        assert str(caught.value).endswith(".")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = sounds.write_sound(tmp_path / "a.wav", sounds.tone(2.0))
    path.chmod(0)
    with pytest.raises(NoPermission):
        read_whole(path)


def test_one_second_is_enough(tmp_path: Path) -> None:
    path = sounds.write_sound(tmp_path / "a.wav", sounds.tone(1.0))
    assert read_windows(path, Windowing()).duration == 1.0


@pytest.mark.parametrize("name", sounds.FORMATS)
@pytest.mark.parametrize("flips", [2, 60])
def test_damaged_files_are_read_or_named_failures(
    tmp_path: Path, pieces: dict[str, Path], name: str, flips: int
) -> None:
    for seed in range(4):
        path = tmp_path / f"{seed}{sounds.ending(name)}"
        path.write_bytes(pieces[name].read_bytes())
        sounds.flip_bits(path, flips, seed)
        try:
            decoded = read_windows(path, Windowing(seconds=2.0))
        except AudioError:
            continue
        assert all(np.isfinite(clip.samples).all() for clip in decoded.clips)


# --- quiet -------------------------------------------------------------------------------------


def test_no_decoder_writes_to_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = sounds.write_mp3_vbr(tmp_path / "a.mp3", sounds.music(5.0))
    sounds.rewrite_mp3_length(path, 2.0)
    with soundfile.SoundFile(path):
        assert "Warning" in capfd.readouterr().err  # what libsndfile prints when let
    read_windows(path, Windowing())
    sounds.flip_bits(path, 100)
    sounds.write_sound(other := tmp_path / "a.m4a", sounds.music(5.0))
    for damaged in (path, sounds.flip_bits(other, 100, skip=1000)):
        try:
            read_whole(damaged)
        except AudioError:
            continue
    assert capfd.readouterr() == ("", "")


def test_stderr_comes_back_when_the_last_of_several_threads_leaves(
    capfd: pytest.CaptureFixture[str],
) -> None:
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with silenced_stderr():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=stay)
    with silenced_stderr():
        thread.start()
        inside.wait(10)
    os.write(2, b"lost")
    leave.set()
    thread.join()
    os.write(2, b"kept")
    assert capfd.readouterr().err == "kept"


def test_reading_loads_neither_torch_nor_librosa_nor_pyav() -> None:
    code = (
        "import sys, recommender.audio.reader;"
        "print([name for name in ('av', 'torch', 'librosa', 'faiss') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# --- real music --------------------------------------------------------------------------------


def test_real_files_are_read(shared: Path) -> None:
    music = shared / "music"
    for name, duration, windows in [
        ("librosa/456440__inspectorj__bird-whistling-robin-single-13.ogg", 2.7, 1),
        ("tuxemon/lunar_joyride.mp3", 196.4, 3),  # libsndfile alone would stop at 124 s
        ("ultrastar/Pornophonique - Space Invaders/audio.mp3", 206.2, 3),  # not 214.6 s
    ]:
        decoded = read_windows(music / name, Windowing())
        assert decoded.duration == pytest.approx(duration, abs=0.2)
        assert len(decoded.clips) == windows
    with pytest.raises(Silent):
        read_windows(music / "opensurge" / "silence.ogg", Windowing())

"""Every container, and what people's containers do: links, sizes never written, several streams."""

from pathlib import Path

import containers
import numpy as np
import pytest
import sounds
import soxr

from recommender.audio.reader import SAMPLE_RATE, AudioClip, read_whole, read_windows
from recommender.audio.windows import Windowing
from recommender.errors import TooShort
from recommender.ingestion.file_types import FileType, file_type_of, looks_like_audio

SECONDS = 25.0
MILLISECOND_STAMPS = ("wma", "webm", "mka-flac")


@pytest.fixture(scope="module")
def left() -> np.ndarray:
    return sounds.music(SECONDS)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, left: np.ndarray) -> dict[str, Path]:
    """The piece on its left channel, half of it on the right one, in every container."""
    stereo = np.stack([left, left / 2], axis=1)
    return containers.write_containers(tmp_path_factory.mktemp("containers"), stereo)


def level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def pitch(clip: AudioClip) -> float:
    """Hertz of the strongest frequency."""
    spectrum = np.abs(np.fft.rfft(clip.samples))
    return float(spectrum.argmax() * clip.sample_rate / len(clip.samples))


def resampled(samples: np.ndarray, rate: int = 44_100) -> np.ndarray:
    return soxr.resample(samples, rate, SAMPLE_RATE, quality="HQ")


@pytest.mark.parametrize("name", containers.CONTAINERS)
def test_every_container_gives_its_length_its_windows_and_no_damage(
    files: dict[str, Path], name: str
) -> None:
    analysed, whole = read_windows(files[name], Windowing(count=2)), read_whole(files[name])
    assert analysed.damage is None
    assert analysed.duration == pytest.approx(SECONDS, abs=0.1)
    assert whole.duration == pytest.approx(SECONDS, abs=0.1)
    assert len(analysed.clips) == 2
    for clip, start in zip(analysed.clips, analysed.starts, strict=True):
        place = round(start * SAMPLE_RATE)
        expected = whole.samples[place : place + len(clip.samples)]
        difference = clip.samples[: len(expected)] - expected
        if name not in MILLISECOND_STAMPS:
            assert level(difference) < 0.002


@pytest.mark.parametrize("name", containers.LOSSLESS)
def test_lossless_containers_give_the_samples_written(
    files: dict[str, Path], left: np.ndarray, name: str
) -> None:
    np.testing.assert_allclose(read_whole(files[name]).samples, resampled(left * 0.75), atol=2e-4)


@pytest.mark.parametrize("name", containers.CONTAINERS)
def test_files_are_known_by_ending_and_by_content(files: dict[str, Path], name: str) -> None:
    assert file_type_of(files[name].name) in (FileType.AUDIO, FileType.VIDEO)
    assert looks_like_audio(files[name])


# --- DSD ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [containers.write_dsf, containers.write_dff])
@pytest.mark.parametrize("times", [64, 128, 256, pytest.param(512, marks=pytest.mark.slow)])
def test_dsd_at_any_rate_in_both_containers(
    tmp_path: Path, write: "type[containers.write_dsf]", times: int
) -> None:
    path = write(tmp_path / f"a.{write.__name__[-3:]}", sounds.tone(3.0), times)
    assert file_type_of(path.name) is FileType.AUDIO
    assert looks_like_audio(path)
    analysed = read_windows(path, Windowing(count=2, seconds=1.0))
    assert analysed.duration == pytest.approx(3.0, abs=0.01)
    assert analysed.damage is None
    for clip in analysed.clips:
        assert len(clip.samples) == SAMPLE_RATE
        assert pitch(clip) == pytest.approx(440, abs=1)
        assert level(clip.samples) == pytest.approx(0.25 / np.sqrt(2), rel=0.1)


# --- chained Ogg -------------------------------------------------------------------------------


def chain(folder: Path, name: str, *pieces: tuple[np.ndarray, int]) -> Path:
    """Ogg files of the pieces (samples, rate), one after another."""
    data = b""
    for index, (samples, rate) in enumerate(pieces):
        (part := folder / str(index)).mkdir(parents=True)
        stereo = np.stack([samples, samples], axis=1)
        data += containers.write_container(part, name, stereo, rate).read_bytes()
    path = folder / "chain.ogg"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["ogg", "opus", "ogg-flac"])
def test_a_chain_is_decoded_to_the_end_of_its_last_link(tmp_path: Path, name: str) -> None:
    hertz = (500, 1000, 2000)
    path = chain(tmp_path, name, *((sounds.tone(11.0, hertz=one), 44_100) for one in hertz))
    analysed = read_windows(path, Windowing(count=3, seconds=5.0))
    assert analysed.duration == pytest.approx(33.0, abs=0.1)
    assert [pitch(clip) for clip in analysed.clips] == pytest.approx(hertz, abs=1)
    assert analysed.damage is None
    whole = read_whole(path)
    for clip, start in zip(analysed.clips, analysed.starts, strict=True):
        place = round(start * SAMPLE_RATE)
        np.testing.assert_array_equal(clip.samples, whole.samples[place : place + 5 * SAMPLE_RATE])


def test_links_of_different_rates_and_codecs_join(tmp_path: Path) -> None:
    first = chain(tmp_path / "1", "ogg", (sounds.tone(8.0, 22_050, 500), 22_050))
    second = chain(tmp_path / "2", "opus", (sounds.tone(8.0, 48_000, 1000), 48_000))
    third = chain(tmp_path / "3", "ogg-flac", (sounds.tone(8.0, 44_100, 2000), 44_100))
    path = tmp_path / "a.ogg"
    path.write_bytes(b"".join(one.read_bytes() for one in (first, second, third)))
    analysed = read_windows(path, Windowing(count=3, seconds=5.0))
    assert analysed.duration == pytest.approx(24.0, abs=0.1)
    assert [pitch(clip) for clip in analysed.clips] == pytest.approx([500, 1000, 2000], abs=1)


def test_a_link_that_cannot_be_decoded_costs_itself_alone(tmp_path: Path) -> None:
    path = chain(tmp_path, "ogg", *((sounds.tone(8.0, hertz=one), 44_100) for one in (500, 1000)))
    data = bytearray(path.read_bytes())
    second = data.rfind(b"\x01vorbis")
    data[second : second + 7] = b"?nobody"
    path.write_bytes(data)
    analysed = read_windows(path, Windowing(count=1, seconds=5.0))
    assert analysed.duration == pytest.approx(8.0, abs=0.1)


# --- sizes that were never written -------------------------------------------------------------


@pytest.mark.parametrize("name", ["wav", "wavex", "rf64", "w64", "aiff", "au", "caf", "flac"])
@pytest.mark.parametrize("field", [0, 0x7F, 0xFF])
def test_a_size_that_was_never_written_is_that_of_the_file(
    tmp_path: Path, left: np.ndarray, name: str, field: int
) -> None:
    path = tmp_path / f"a.{name}"
    path.write_bytes(containers.without_sizes(name, np.stack([left, left], axis=1), field))
    analysed = read_windows(path, Windowing(count=2))
    assert analysed.duration == pytest.approx(SECONDS, abs=0.01)
    assert analysed.damage is None
    np.testing.assert_allclose(
        read_whole(path).samples[: 10 * SAMPLE_RATE], resampled(left)[: 10 * SAMPLE_RATE], atol=2e-4
    )


def test_a_wav_without_sound_but_with_a_picture_holds_no_sound(tmp_path: Path) -> None:
    path = sounds.write_sound(tmp_path / "a.wav", sounds.tone(0.0))
    with path.open("ab") as file:
        file.write(b"id3 " + (50_000).to_bytes(4, "little") + bytes(range(250)) * 200)
    with pytest.raises(TooShort):
        read_windows(path, Windowing())


# --- streams -----------------------------------------------------------------------------------


@pytest.mark.parametrize("default", [0, 1, 2])
def test_the_default_audio_stream_is_taken(tmp_path: Path, default: int) -> None:
    hertz = (500, 1000, 2000)
    path = containers.write_streams(tmp_path / "a.mka", "matroska", hertz, default)
    assert pitch(read_whole(path)) == pytest.approx(hertz[default], abs=1)


# --- channels ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["wav", "mp3", "ogg", "m4a-aac", "opus"])
def test_antiphase_is_no_silence(tmp_path: Path, left: np.ndarray, name: str) -> None:
    plain = containers.write_container(tmp_path, name, np.stack([left, left], axis=1))
    expected = read_windows(plain, Windowing(count=2))
    found = read_windows(
        containers.write_container(tmp_path, name, np.stack([left, -left], axis=1)),
        Windowing(count=2),
    )
    assert found.starts == pytest.approx(expected.starts, abs=0.1)
    assert level(found.clips[0].samples) == pytest.approx(
        level(expected.clips[0].samples), rel=0.05
    )


def stereo_of(correlation: float) -> np.ndarray:
    """Two channels of noise that correlate as wanted [shape=(n, 2)]."""
    one, other = sounds.noise(SECONDS, seed=1), sounds.noise(SECONDS, seed=2)
    right = correlation * one + np.sqrt(1 - correlation**2) * other
    return np.stack([one, right.astype(np.float32)], axis=1)


@pytest.mark.parametrize("inverted", [0, 1])
@pytest.mark.parametrize("correlation", [0.4, 0.7, 0.95])
def test_a_song_with_one_channel_inverted_is_its_own_copy(
    tmp_path: Path, correlation: float, inverted: int
) -> None:
    stereo = stereo_of(correlation)
    plain = read_windows(containers.write_container(tmp_path, "flac", stereo), Windowing(count=2))
    stereo[:, inverted] *= -1
    turned = read_windows(containers.write_container(tmp_path, "flac", stereo), Windowing(count=2))
    for one, other in zip(plain.clips, turned.clips, strict=True):
        sign = -1 if inverted == 0 else 1
        np.testing.assert_allclose(sign * other.samples, one.samples, atol=1e-4)


@pytest.mark.parametrize("correlation", [-0.2, 0.0, 0.3, 1.0])
def test_ordinary_stereo_stays_the_plain_mean(tmp_path: Path, correlation: float) -> None:
    stereo = stereo_of(correlation)
    path = sounds.write_float_wav(tmp_path / "a.wav", stereo)
    np.testing.assert_array_equal(
        read_whole(path).samples,
        read_whole(
            sounds.write_float_wav(tmp_path / "b.wav", ((stereo[:, 0] + stereo[:, 1]) / 2)[:, None])
        ).samples,
    )


@pytest.mark.parametrize("channels", [3, 6])
def test_channels_that_are_silent_cancel_nothing(tmp_path: Path, channels: int) -> None:
    surround = np.zeros((12 * 44_100, channels), np.float32)
    surround[:, 0] = sounds.tone(12.0)
    surround[:, 1] = sounds.tone(12.0, hertz=660)
    path = sounds.write_float_wav(tmp_path / "a.wav", surround)
    expected = resampled((surround[:, 0] + surround[:, 1]) / channels)
    np.testing.assert_allclose(read_whole(path).samples, expected, atol=1e-6)

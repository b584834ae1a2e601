"""Windows of a track: where they lie, and that seeking finds them exactly."""

import io
import json
import time
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sounds
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.audio.mp3_length import walk_mp3
from recommender.audio.reader import SAMPLE_RATE, AudioClip, read_whole, read_windows
from recommender.audio.windows import Windowing
from recommender.errors import UsageError

SECONDS = 33.0
WINDOW = 10 * SAMPLE_RATE


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same piece of 33 s, sound on the left channel only, in every format."""
    return sounds.write_every_format(tmp_path_factory.mktemp("pieces"), sounds.music, SECONDS)


def slice_of(whole: AudioClip, start: float, length: int, shift: int = 0) -> np.ndarray:
    first = round(start * whole.sample_rate) + shift
    return whole.samples[first : first + length]


# --- placement ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duration", "starts"),
    [
        (5, (0,)),
        (10, (0,)),
        (12, (0, 2)),  # two windows cover it; a third would only repeat
        (30, (0, 10, 20)),
        (60, (5, 25, 45)),
        (180, (25, 85, 145)),
    ],
)
def test_three_windows_are_centred_in_thirds(duration: float, starts: tuple[float, ...]) -> None:
    assert Windowing().starts(duration) == pytest.approx(starts)


@pytest.mark.parametrize(
    ("minutes", "windows"), [(19, 3), (20, 3), (20.1, 4), (40, 6), (120, 18), (160, 24), (600, 24)]
)
def test_long_tracks_get_more_windows_up_to_a_bound(minutes: float, windows: int) -> None:
    assert len(Windowing().starts(60 * minutes)) == windows


@pytest.mark.parametrize(
    ("duration", "starts"),
    [(7, (0,)), (10.5, (0,)), (20, (0, 10)), (20.5, (0, 10)), (25, (0, 10, 15))],
)
def test_count_zero_cuts_the_whole_track(duration: float, starts: tuple[float, ...]) -> None:
    assert Windowing(count=0).starts(duration) == pytest.approx(starts)


def test_count_zero_is_bounded_for_very_long_tracks() -> None:
    starts = Windowing(count=0).starts(10 * 3600)
    assert len(starts) == 360
    assert np.diff(starts) == pytest.approx(100)


@given(
    duration=st.floats(0.5, 50_000),
    count=st.integers(0, 40),
    seconds=st.floats(1, 60),
)
def test_windows_are_ascending_inside_the_track_and_bounded(
    duration: float, count: int, seconds: float
) -> None:
    starts = Windowing(count=count, seconds=seconds).starts(duration)
    assert 1 <= len(starts) <= max(360, count)
    assert min(starts) >= 0
    assert len(starts) == 1 or max(starts) <= duration - seconds
    assert all(a < b for a, b in pairwise(starts))


@pytest.mark.parametrize("values", [{"count": -1}, {"seconds": 0.5}, {"long_after": 0.0}])
def test_impossible_settings_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="not possible"):
        Windowing(**values)  # type: ignore[arg-type]


def test_settings_survive_json() -> None:
    windowing = Windowing(count=5, seconds=8.0)
    assert Windowing(**json.loads(json.dumps(asdict(windowing)))) == windowing


# --- seeking -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in sounds.FORMATS if name != "wma"])
@pytest.mark.parametrize("count", [3, 0])
def test_a_window_equals_the_slice_of_the_whole(
    pieces: dict[str, Path], name: str, count: int
) -> None:
    whole = read_whole(pieces[name])
    decoded = read_windows(pieces[name], Windowing(count=count))
    assert len(decoded.clips) == (count or 4)
    assert decoded.duration == pytest.approx(SECONDS, abs=0.1)
    for clip, start in zip(decoded.clips, decoded.starts, strict=True):
        expected = slice_of(whole, start, WINDOW)
        assert len(clip.samples) == WINDOW
        difference = clip.samples[: len(expected)] - expected
        if name == "m4a":  # its decoder makes noise of its own where the encoder found noise
            assert np.sqrt(np.mean(difference**2)) < 0.002
        else:
            assert np.abs(difference).max() < 1e-5
        assert WINDOW - len(expected) < 0.05 * SAMPLE_RATE  # padding of the codec, at the end


def test_a_window_of_wma_is_within_two_milliseconds_of_its_position(
    pieces: dict[str, Path],
) -> None:
    """Its time stamps are whole milliseconds."""
    whole = read_whole(pieces["wma"])
    decoded = read_windows(pieces["wma"], Windowing())
    for clip, start in zip(decoded.clips, decoded.starts, strict=True):
        inner = clip.samples[1000:100_000]
        errors = [
            np.abs(slice_of(whole, start, len(inner), 1000 + shift) - inner).max()
            for shift in range(-45, 46)
        ]
        assert len(clip.samples) == WINDOW
        assert min(errors) < 0.05  # a shift by parts of a sample remains


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_101, 48_000, 96_000])
def test_windows_keep_the_resamplers_grid_at_any_rate(tmp_path: Path, rate: int) -> None:
    path = sounds.write_sound(tmp_path / "a.wav", sounds.noise(31.7, rate), rate)
    whole = read_whole(path)
    decoded = read_windows(path, Windowing())
    for clip, start in zip(decoded.clips, decoded.starts, strict=True):
        np.testing.assert_allclose(clip.samples, slice_of(whole, start, WINDOW), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    frames=st.integers(11_025, 400_000),
    rate=st.sampled_from([8_000, 11_025, 22_050, 32_000, 44_100]),
    count=st.integers(0, 5),
)
def test_windows_are_full_whatever_the_length(
    tmp_path_factory: pytest.TempPathFactory, frames: int, rate: int, count: int
) -> None:
    path = tmp_path_factory.mktemp("length") / "a.wav"
    sounds.write_sound(path, sounds.noise(frames / rate, rate), rate)
    if frames < rate:
        return
    decoded = read_windows(path, Windowing(count=count, seconds=4.0))
    assert decoded.duration == pytest.approx(frames / rate)
    expected = min(4.0, decoded.duration) * SAMPLE_RATE
    assert {len(clip.samples) for clip in decoded.clips} <= {int(expected), round(expected)}
    assert decoded.starts[-1] + decoded.clips[-1].duration <= decoded.duration + 1e-3


def test_a_track_shorter_than_a_window_is_read_whole_and_unpadded(tmp_path: Path) -> None:
    path = sounds.write_sound(tmp_path / "a.wav", sounds.tone(3.3))
    decoded = read_windows(path, Windowing())
    assert decoded.starts == (0.0,)
    np.testing.assert_array_equal(decoded.clips[0].samples, read_whole(path).samples)


# --- headers that lie --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vbr(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An mp3 of variable bit rate of 33 s, loud first and almost silent later."""
    samples = sounds.music(SECONDS)
    samples[len(samples) // 3 :] *= 0.01
    return sounds.write_mp3_vbr(tmp_path_factory.mktemp("vbr") / "a.mp3", samples).read_bytes()


@pytest.mark.parametrize("factor", [1.0, 2.0, 0.4])
def test_an_mp3_whose_header_lies_gives_full_windows(
    tmp_path: Path, vbr: bytes, factor: float
) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(vbr)
    sounds.rewrite_mp3_length(path, factor)
    assert_full_windows(path)


def test_a_variable_mp3_without_header_gives_full_windows(tmp_path: Path) -> None:
    samples = sounds.music(SECONDS)
    samples[len(samples) // 3 :] *= 0.01
    assert_full_windows(sounds.write_mp3_vbr(tmp_path / "a.mp3", samples, header=False))


def assert_full_windows(path: Path) -> None:
    decoded = read_windows(path, Windowing())
    whole = read_whole(path)
    assert decoded.duration == pytest.approx(SECONDS, abs=0.2)
    assert whole.duration == pytest.approx(SECONDS, abs=0.2)
    assert decoded.starts == pytest.approx(Windowing().starts(SECONDS), abs=0.2)
    for clip, start in zip(decoded.clips, decoded.starts, strict=True):
        assert len(clip.samples) == WINDOW
        np.testing.assert_allclose(clip.samples, slice_of(whole, start, WINDOW), atol=1e-5)


@pytest.mark.parametrize("name", ["wav", "flac", "mp3", "ogg", "opus", "wma"])
def test_a_truncated_file_is_read_as_far_as_it_goes(
    tmp_path: Path, pieces: dict[str, Path], name: str
) -> None:
    path = tmp_path / pieces[name].name
    path.write_bytes(pieces[name].read_bytes())
    decoded = read_windows(sounds.truncate(path, 0.65), Windowing())
    assert 15 < decoded.duration < 28
    assert decoded.duration == pytest.approx(read_whole(path).duration, abs=0.2)
    assert len(decoded.clips) >= 2
    assert all(len(clip.samples) == WINDOW for clip in decoded.clips)


def mp3_seconds(data: bytes) -> float:
    return walk_mp3(io.BytesIO(data)).seconds


def test_mp3_frames_are_counted_without_decoding(vbr: bytes) -> None:
    assert mp3_seconds(vbr) == pytest.approx(SECONDS, abs=0.1)
    picture = bytes(range(256)) * 500
    tag = b"ID3\x03\0\0" + bytes((len(picture) >> 7 * k) & 127 for k in (3, 2, 1, 0)) + picture
    assert mp3_seconds(tag + vbr + b"TAG" + bytes(125)) == mp3_seconds(vbr)
    assert mp3_seconds(vbr + vbr) == pytest.approx(2 * mp3_seconds(vbr), abs=0.1)
    assert mp3_seconds(b"not an mp3 at all" * 1000) == 0.0
    assert mp3_seconds(b"\xff\xfb") == mp3_seconds(b"") == 0.0


def test_an_mp3_longer_than_a_chunk_is_walked_to_its_end(vbr: bytes) -> None:
    times = (3 << 20) // len(vbr)
    assert mp3_seconds(vbr * times) == pytest.approx(times * mp3_seconds(vbr), abs=0.1)


@pytest.mark.parametrize("pattern", [b"\xff", b"\xff\xfb", b"\xff\xfb\x90a", b"\xff\xfb\x90"])
def test_walking_takes_linear_time(pattern: bytes) -> None:
    began = time.process_time()
    mp3_seconds(pattern * (20_000_000 // len(pattern)))
    assert time.process_time() - began < 2


# --- silence -----------------------------------------------------------------------------------


def test_a_track_silent_but_for_its_end_is_read_where_it_sounds(tmp_path: Path) -> None:
    samples = np.concatenate([np.zeros(60 * 8_000, np.float32), sounds.tone(3, 8_000)])
    decoded = read_windows(sounds.write_sound(tmp_path / "a.wav", samples, 8_000), Windowing())
    assert decoded.duration == pytest.approx(63)
    assert all(np.abs(clip.samples).max() > 0.4 for clip in decoded.clips)
    assert all(len(clip.samples) == WINDOW for clip in decoded.clips)


def test_silent_windows_are_left_out(tmp_path: Path) -> None:
    samples = sounds.tone(90, 8_000)
    samples[30 * 8_000 : 60 * 8_000] = 0  # the hidden track comes after the silence
    decoded = read_windows(sounds.write_sound(tmp_path / "a.wav", samples, 8_000), Windowing())
    assert decoded.starts == pytest.approx((10, 70))

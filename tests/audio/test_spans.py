"""A part of a file is decoded as the same part cut into a file of its own."""

from pathlib import Path

import numpy as np
import pytest
import sounds

from recommender.audio.reader import DecodedWindows, read_windows
from recommender.audio.windows import Windowing
from recommender.errors import PastEnd, Silent, TooShort

RATE = 44_100
SAMPLES = sounds.music(45, RATE)
WINDOWING = Windowing(count=2, seconds=5)
SPANS = [(0.0, 4.0), (3.0, 17.0), (7.32, 30.0), (30.0, None), (40.5, None)]


def cut(start: float, end: float | None) -> np.ndarray:
    last = len(SAMPLES) if end is None else round(end * RATE)
    return SAMPLES[round(start * RATE) : last]


def assert_equal(one: DecodedWindows, other: DecodedWindows, tolerance: float = 0.0) -> None:
    assert one.starts == other.starts
    assert one.duration == pytest.approx(other.duration, abs=0.05 if tolerance else 1e-9)
    for mine, others in zip(one.clips, other.clips, strict=True):
        difference = np.abs(mine.samples - others.samples)
        assert float(difference.max()) <= tolerance


@pytest.mark.parametrize("ending", ["wav", "flac"])
@pytest.mark.parametrize("span", SPANS, ids=str)
def test_windows_of_lossless_files_are_exactly_those_of_the_part_alone(
    tmp_path: Path, ending: str, span: tuple[float, float | None]
) -> None:
    whole = sounds.write_sound(tmp_path / f"whole.{ending}", SAMPLES, RATE)
    part = sounds.write_sound(tmp_path / f"part.{ending}", cut(*span), RATE)
    assert_equal(read_windows(whole, WINDOWING, span=span), read_windows(part, WINDOWING))


@pytest.mark.parametrize("ending", ["ogg", "mp3", "m4a", "opus"])
def test_windows_of_lossy_files_are_those_of_the_samples(tmp_path: Path, ending: str) -> None:
    rate = sounds.native_rate(ending)
    samples = sounds.music(30, rate)
    whole = sounds.write_sound(tmp_path / f"whole.{ending}", samples, rate)
    part = sounds.write_sound(tmp_path / "part.wav", samples[10 * rate : 24 * rate], rate)
    found = read_windows(whole, WINDOWING, span=(10.0, 24.0))
    expected = read_windows(part, WINDOWING)
    assert found.starts == expected.starts
    for mine, others in zip(found.clips, expected.clips, strict=True):
        # A shift by a millisecond would leave hardly any correlation at the top of the sweep.
        together = np.corrcoef(mine.samples, others.samples)[0, 1]
        assert together > 0.97


def test_silence_and_lengths_are_those_of_the_part(tmp_path: Path) -> None:
    samples = SAMPLES.copy()
    samples[10 * RATE : 20 * RATE] = 0
    path = sounds.write_sound(tmp_path / "a.wav", samples, RATE)
    with pytest.raises(Silent, match=r"10\.0 s"):
        read_windows(path, WINDOWING, span=(10.0, 20.0))
    with pytest.raises(TooShort):
        read_windows(path, WINDOWING, span=(20.0, 20.5))
    with pytest.raises(PastEnd, match=r"begins at 45\.0 s"):
        read_windows(path, WINDOWING, span=(45.0, None))
    whole = read_windows(path, WINDOWING, span=(0.0, None))
    assert_equal(whole, read_windows(path, WINDOWING))

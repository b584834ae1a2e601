"""Segments are written sample by sample."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import sounds

from recommender.audio.segment_writer import write_segment
from recommender.errors import PastEnd, UnreadableAudio

RATE = 44_100
FIRST, LAST = 66_150, 176_400
SPAN = (FIRST / RATE, LAST / RATE)


def numbers(
    channels: int, bits: int, seed: int = 0
) -> "np.ndarray[tuple[int, ...], np.dtype[np.int32]]":
    """Five seconds of noise in so many bits, with both ends of the range, in 32 bits."""
    most = 2 ** (bits - 1)
    drawn = np.random.default_rng(seed).integers(-most, most, (5 * RATE, channels), np.int64)
    drawn[FIRST], drawn[FIRST + 1] = -most, most - 1
    return (drawn << (32 - bits)).astype(np.int32)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(
    ("name", "subtype", "bits"),
    [("a.wav", "PCM_16", 16), ("a.flac", "PCM_16", 16), ("a.flac", "PCM_24", 24),
     ("a.aiff", "PCM_24", 24), ("a.wav", "PCM_U8", 8), ("a.w64", "PCM_32", 24)],
)  # fmt: skip
def test_lossless_sound_is_cut_exactly(
    tmp_path: Path, name: str, subtype: str, bits: int, channels: int
) -> None:
    samples = numbers(channels, bits)
    soundfile.write(tmp_path / name, samples, RATE, subtype)
    write_segment(tmp_path / name, tmp_path / "part", SPAN)
    found, rate = soundfile.read(tmp_path / "part", dtype="int32", always_2d=True)
    assert rate == RATE
    assert np.array_equal(found, samples[FIRST:LAST])
    write_segment(tmp_path / name, tmp_path / "part", (SPAN[0], None))
    found, _ = soundfile.read(tmp_path / "part", dtype="int32", always_2d=True)
    assert np.array_equal(found, samples[FIRST:])


@pytest.mark.parametrize(
    ("codec", "name"), [("alac", "a.m4a"), ("wavpack", "a.wv"), ("tta", "a.tta")]
)
def test_what_only_ffmpeg_reads_is_cut_exactly(tmp_path: Path, codec: str, name: str) -> None:
    samples = numbers(2, 16)
    planar = "s16p" if codec != "tta" else "s16"
    with av.open(str(tmp_path / name), "w") as container:
        stream = container.add_stream(codec, rate=RATE, layout="stereo")
        stream.format = planar
        packed = (samples >> 16).astype(np.int16)
        for start in range(0, len(packed), 4096):
            block = packed[start : start + 4096]
            shaped = block.T if planar == "s16p" else block.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(shaped), planar, "stereo")
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    write_segment(tmp_path / name, tmp_path / "part", SPAN)
    found, _ = soundfile.read(tmp_path / "part", dtype="int32", always_2d=True)
    assert np.array_equal(found, samples[FIRST:LAST])


def test_lossy_sound_is_where_it_was(tmp_path: Path) -> None:
    sound = sounds.music(5, RATE, 3)
    for name in ("a.mp3", "a.ogg"):
        sounds.write_sound(tmp_path / name, sound, RATE)
        whole, _ = soundfile.read(tmp_path / name)
        write_segment(tmp_path / name, tmp_path / "part", SPAN)
        found, _ = soundfile.read(tmp_path / "part")
        assert len(found) == LAST - FIRST
        assert np.abs(found - whole[FIRST:LAST]).max() < 2**-14


def test_what_cannot_be_written_is_a_named_error(tmp_path: Path) -> None:
    sound = tmp_path / "a.flac"
    soundfile.write(sound, numbers(1, 16), RATE)
    with pytest.raises(PastEnd):
        write_segment(sound, tmp_path / "part", (60.0, None))
    soundfile.write(tmp_path / "many.wav", numbers(9, 16), RATE)
    with pytest.raises(UnreadableAudio):
        write_segment(tmp_path / "many.wav", tmp_path / "part", SPAN)
    (tmp_path / "b.flac").write_bytes(b"fLaC nothing")
    with pytest.raises(UnreadableAudio):
        write_segment(tmp_path / "b.flac", tmp_path / "part", SPAN)

"""Sound files for tests, written on the spot: known signals in every format, and damaged files.

`soundfile` writes what it can; PyAV writes the rest (aac, alac, wma).
"""

import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soundfile as sf

FloatArray = npt.NDArray[np.float32]

FORMATS = ("wav", "au", "aiff", "flac", "mp3", "ogg", "opus", "m4a", "aac", "alac", "wma")
"""Every format the product promises to analyse: m4a holds aac, aac is the bare stream (ADTS), and
alac is written into an m4a too."""

LOSSLESS = ("wav", "au", "aiff", "flac", "alac")

_SOUNDFILE_FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}
_AV_FORMATS = {
    "m4a": ("mp4", "aac"),
    "aac": ("adts", "aac"),
    "alac": ("mp4", "alac"),
    "wma": ("asf", "wmav2"),
}


def tone(
    seconds: float, rate: int = 44_100, hertz: float = 440.0, amplitude: float = 0.5
) -> FloatArray:
    """A sine. np.ndarray [shape=(n,)]."""
    time = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def noise(seconds: float, rate: int = 44_100, seed: int = 0, amplitude: float = 0.2) -> FloatArray:
    """White noise, the same for the same seed. np.ndarray [shape=(n,)]."""
    generator = np.random.default_rng(seed)
    uniform = generator.uniform(-amplitude, amplitude, round(seconds * rate))
    return uniform.astype(np.float32)


def sweep(
    seconds: float,
    rate: int = 44_100,
    low: float = 100.0,
    high: float = 5_000.0,
    amplitude: float = 0.5,
) -> FloatArray:
    """A sine rising evenly from `low` to `high` hertz: no two moments sound alike.

    np.ndarray [shape=(n,)].
    """
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * (low * time + (high - low) * time**2 / (2 * max(seconds, 1e-9)))
    return (amplitude * np.sin(phase)).astype(np.float32)


def music(seconds: float, rate: int = 44_100, seed: int = 0) -> FloatArray:
    """A sweep under noise that swells twice a second. np.ndarray [shape=(n,)]."""
    time = np.arange(round(seconds * rate)) / rate
    swell = (0.5 + 0.5 * np.sin(2 * np.pi * 2 * time)).astype(np.float32)
    return sweep(seconds, rate, amplitude=0.3) + swell * noise(seconds, rate, seed, 0.2)


def native_rate(format_name: str) -> int:
    """A usual sample rate of the format: opus knows only some."""
    return 48_000 if format_name == "opus" else 44_100


def ending(format_name: str) -> str:
    """File ending, with its dot, that people give this format."""
    return ".m4a" if format_name == "alac" else f".{format_name}"


def write_sound(
    path: Path,
    samples: FloatArray,
    rate: int = 44_100,
    channels: int = 1,
    format_name: str | None = None,
) -> Path:
    """Write mono samples [shape=(n,)], repeated on every channel, or samples [shape=(n, channels)].

    `format_name` is one of `FORMATS`; None takes it from the ending of `path`. Opus needs a rate
    of 48,000, 24,000, 16,000, 12,000 or 8,000 Hz.
    """
    name = format_name or path.suffix.lstrip(".").lower()
    frames = np.repeat(samples[:, None], channels, axis=1) if samples.ndim == 1 else samples
    with path.open("wb") as file:
        if name in _SOUNDFILE_FORMATS:
            container, subtype = _SOUNDFILE_FORMATS[name]
            with sf.SoundFile(
                file, "w", rate, frames.shape[1], subtype, format=container
            ) as output:
                for start in range(0, len(frames), rate):  # libvorbis crashes on long blocks
                    output.write(frames[start : start + rate])
        else:
            container, codec = _AV_FORMATS[name]
            with av.open(file, "w", format=container) as output:
                _encode(output, codec, frames, rate)
    return path


def write_float_wav(path: Path, samples: FloatArray, rate: int = 44_100) -> Path:
    """A wav of 32-bit floats, which may hold NaN and infinity."""
    with path.open("wb") as file:
        sf.write(file, samples, rate, format="WAV", subtype="FLOAT")
    return path


def write_mp3_vbr(path: Path, samples: FloatArray, rate: int = 44_100, header: bool = True) -> Path:
    """An mp3 of variable bit rate, with or without the header that gives its length."""
    options = {"write_xing": "1" if header else "0", "id3v2_version": "0"}
    with path.open("wb") as file, av.open(file, "w", format="mp3", options=options) as output:
        _encode(output, "libmp3lame", samples[:, None], rate, {"compression_level": "7"}, quality=4)
    return path


def write_video(path: Path, sound: bool = False, seconds: float = 2.0) -> Path:
    """A small mp4 video of a grey picture, with a tone or without any audio stream."""
    with path.open("wb") as file, av.open(file, "w", format="mp4") as output:
        video = output.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        picture = np.full((48, 64, 3), 128, dtype=np.uint8)
        audio = output.add_stream("aac", rate=44_100, layout="mono") if sound else None
        for _ in range(round(10 * seconds)):
            for packet in video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                output.mux(packet)
        for packet in video.encode(None):
            output.mux(packet)
        if audio is not None:
            _mux_samples(output, audio, tone(seconds)[:, None], 44_100)
    return path


def truncate(path: Path, share: float) -> Path:
    """Keep only the first `share` (0 to 1) of the file's bytes."""
    os.truncate(path, int(path.stat().st_size * share))
    return path


def flip_bits(path: Path, count: int, seed: int = 0, skip: int = 0) -> Path:
    """Flip `count` bits at random positions (the same for the same seed) after `skip` bytes."""
    data = bytearray(path.read_bytes())
    generator = np.random.default_rng(seed)
    for position in generator.integers(skip, len(data), count):
        data[position] ^= 1 << int(generator.integers(8))
    path.write_bytes(data)
    return path


def rewrite_mp3_length(path: Path, factor: float) -> Path:
    """Make the Xing or Info header of an mp3 claim `factor` times its frames (and its bytes)."""
    data = bytearray(path.read_bytes())
    found = [at for at in (data.find(b"Xing"), data.find(b"Info")) if at >= 0]
    header = min(found)
    for at in (header + 8, header + 12):  # number of frames, number of bytes
        claimed = int.from_bytes(data[at : at + 4], "big")
        data[at : at + 4] = int(claimed * factor).to_bytes(4, "big")
    path.write_bytes(data)
    return path


def _encode(
    output: av.container.OutputContainer,
    codec: str,
    frames: FloatArray,
    rate: int,
    options: dict[str, str] | None = None,
    quality: int | None = None,
) -> None:
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[frames.shape[1]]
    stream = output.add_stream(codec, rate=rate, layout=layout, options=options or {})
    assert isinstance(stream, av.AudioStream)
    if quality is not None:  # variable bit rate, 0 (best) to 9
        stream.codec_context.qscale = True
        stream.codec_context.global_quality = quality * 118  # FF_QP2LAMBDA
    else:
        stream.bit_rate = 128_000 * frames.shape[1]
    _mux_samples(output, stream, frames, rate)


def _mux_samples(
    output: av.container.OutputContainer, stream: av.AudioStream, frames: FloatArray, rate: int
) -> None:
    layout = stream.layout.name
    converter = av.AudioResampler(stream.format, stream.layout, rate)
    done = 0
    for start in range(0, len(frames), rate):
        block = np.ascontiguousarray(frames[start : start + rate])
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout=layout)
        frame.sample_rate, frame.pts = rate, done
        done += len(block)
        for converted in converter.resample(frame):
            for packet in stream.encode(converted):
                output.mux(packet)
    for packet in stream.encode(None):
        output.mux(packet)


def write_every_format(
    folder: Path, wave: Callable[[float, int], FloatArray], seconds: float
) -> dict[str, Path]:
    """Format name → a file that holds `wave` on its left channel and nothing on its right."""
    files = {}
    for name in FORMATS:
        rate = native_rate(name)
        left = wave(seconds, rate)
        stereo = np.stack([left, np.zeros_like(left)], axis=1)
        files[name] = write_sound(folder / f"{name}{ending(name)}", stereo, rate, format_name=name)
    return files

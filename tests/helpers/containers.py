"""Sound files in every container that people have, and faults of containers, built with code."""

import io
import struct
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soundfile as sf
import sounds

FloatArray = npt.NDArray[np.float32]

_SOUNDFILE = {
    "wav": ("WAV", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
}
_AV = {  # file ending, container, codec
    "opus": ("opus", "ogg", "libopus"),
    "ogg-flac": ("oga", "ogg", "flac"),
    "m4a-aac": ("m4a", "mp4", "aac"),
    "m4a-alac": ("m4a", "mp4", "alac"),
    "aac": ("aac", "adts", "aac"),
    "wma": ("wma", "asf", "wmav2"),
    "mka-flac": ("mka", "matroska", "flac"),
    "webm": ("webm", "webm", "libopus"),
    "tta": ("tta", "tta", "tta"),
    "wv": ("wv", "wv", "wavpack"),
}
CONTAINERS = (*_SOUNDFILE, *_AV)
LOSSLESS = (*("wav", "w64", "aiff", "au", "caf", "flac"), "ogg-flac", "m4a-alac", "mka-flac")
"""Containers that give the very samples that were written, at 16 bits."""


def write_container(folder: Path, name: str, samples: FloatArray, rate: int = 44_100) -> Path:
    """A file of one of `CONTAINERS`. `samples` [shape=(n, channels)]; opus is written at 48 kHz."""
    if name in _SOUNDFILE:
        container, subtype = _SOUNDFILE[name]
        path = folder / f"{name}.{name}"
        with sf.SoundFile(path, "w", rate, samples.shape[1], subtype, format=container) as output:
            for start in range(0, len(samples), rate):
                output.write(samples[start : start + rate])
        return path
    ending, container, codec = _AV[name]
    path = folder / f"{name}.{ending}"
    write_av(path, container, codec, samples, rate)
    return path


def write_containers(folder: Path, samples: FloatArray) -> dict[str, Path]:
    """A file of each of `CONTAINERS`."""
    return {name: write_container(folder, name, samples) for name in CONTAINERS}


def write_av(path: Path, container: str, codec: str, samples: FloatArray, rate: int) -> None:
    """One audio stream [shape=(n, channels)] by PyAV."""
    import soxr

    if codec == "libopus" and rate != 48_000:
        samples, rate = soxr.resample(samples, rate, 48_000), 48_000
    with path.open("wb") as file, av.open(file, "w", format=container) as output:
        sounds._encode(output, codec, samples, rate)


def write_streams(path: Path, container: str, tones: Sequence[float], default: int) -> Path:
    """Several audio streams, each a tone of so many hertz for 12 s; one marked as the default."""
    from av.stream import Disposition

    with path.open("wb") as file, av.open(file, "w", format=container) as output:
        streams = []
        for index in range(len(tones)):
            stream = output.add_stream("aac", rate=44_100, layout="mono")
            marked = Disposition.default if index == default else Disposition(0)
            stream.disposition = marked
            streams.append(stream)
        for stream, hertz in zip(streams, tones, strict=True):
            frame = av.AudioFrame.from_ndarray(
                sounds.tone(12.0, hertz=hertz)[None], format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 44_100, 0
            for packet in (*stream.encode(frame), *stream.encode(None)):
                output.mux(packet)
    return path


def _one_bit(samples: FloatArray, times: int) -> npt.NDArray[np.uint8]:
    """Mono samples as DSD bits at `times` their rate, by a modulator of first order; half scale."""
    density = (np.repeat(samples.astype(np.float64), times) * 0.5 + 1) / 2
    total = np.floor(np.cumsum(density)).astype(np.int64)
    return np.diff(total, prepend=0).astype(np.uint8)


def write_dsf(path: Path, samples: FloatArray, times: int = 64) -> Path:
    """DSD in Sony's container: two channels of the same mono samples [shape=(n,)] at 44.1 kHz."""
    bits = _one_bit(samples, times)
    packed = np.packbits(bits, bitorder="little")
    packed = np.pad(packed, (0, -len(packed) % 4096))
    data = b"".join(packed[at : at + 4096].tobytes() * 2 for at in range(0, len(packed), 4096))
    rate = 44_100 * times
    form = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, 2, 2, rate, 1, len(bits), 4096, 0)
    sound = struct.pack("<4sQ", b"data", 12 + len(data)) + data
    head = struct.pack("<4sQQQ", b"DSD ", 28, 28 + len(form) + len(sound), 0)
    path.write_bytes(head + form + sound)
    return path


def write_dff(path: Path, samples: FloatArray, times: int = 64) -> Path:
    """DSD in Philips' container (DSDIFF); see `write_dsf`."""
    packed = np.packbits(_one_bit(samples, times), bitorder="big")
    rate = struct.pack(">I", 44_100 * times)
    form = b"SND " + _chunk(b"FS  ", rate)
    form += _chunk(b"CHNL", struct.pack(">H", 2) + b"SLFTSRGT")
    form += _chunk(b"CMPR", b"DSD \x0enot compressed")
    body = b"DSD " + _chunk(b"FVER", struct.pack(">I", 0x01050000)) + _chunk(b"PROP", form)
    path.write_bytes(_chunk(b"FRM8", body + _chunk(b"DSD ", np.repeat(packed, 2).tobytes())))
    return path


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack(">Q", len(body)) + body + bytes(len(body) % 2)


def without_sizes(name: str, samples: FloatArray, field: int) -> bytes:
    """A wav, wavex, rf64, w64, aiff, au, caf whose sizes are all the byte `field`, or a flac.

    The largest positive number, as some programs write it, is `field` 0x7F with 0xFF after it, in
    the container's order.
    """
    buffer = io.BytesIO()
    sf.write(buffer, samples, 44_100, format=name.upper(), subtype="PCM_16")
    data = bytearray(buffer.getvalue())
    big = name in ("aiff", "au", "caf")
    for at, width in _size_fields(name, data):
        value = bytearray([0xFF if field else 0] * width)
        if field == 0x7F:
            value[0 if big else -1] = 0x7F
        data[at : at + width] = value
    if name == "flac":
        data[21] = data[21] & 0xF0 | (0xF if field else 0)
    return bytes(data)


def _size_fields(name: str, data: bytearray) -> list[tuple[int, int]]:
    sound = data.find({"aiff": b"SSND"}.get(name, b"data"))
    return {
        "wav": [(4, 4), (sound + 4, 4)],
        "wavex": [(4, 4), (sound + 4, 4)],
        "rf64": [(20, 8), (28, 8), (36, 8)],
        "w64": [(16, 8), (sound + 16, 8)],
        "aiff": [(4, 4), (data.find(b"COMM") + 10, 4), (sound + 4, 4)],
        "au": [(8, 4)],
        "caf": [(sound + 4, 8)],
        "flac": [(22, 4)],
    }[name]

"""Sound files with tags that no library writes as people have them: built byte by byte."""

import struct
from pathlib import Path

import av
import sounds

CONTAINERS = {
    "mka": ("matroska", "libopus"),
    "webm": ("webm", "libopus"),
    "caf": ("caf", "pcm_s16be"),
    "ogg-flac": ("ogg", "flac"),
    "wav": ("wav", "pcm_s16le"),
    "mov": ("mov", "aac"),
    "wma": ("asf", "wmav2"),
}
"""Name → ffmpeg's container and codec."""


def write_with_ffmpeg(path: Path, name: str, metadata: dict[str, str]) -> Path:
    """A short tone in one of `CONTAINERS`, tagged by ffmpeg."""
    container, codec = CONTAINERS[name]
    with path.open("wb") as file, av.open(file, "w", format=container) as output:
        output.metadata.update(metadata)
        sounds._encode(output, codec, sounds.tone(0.3, 48_000)[:, None], 48_000)
    return path


def chunk(name: bytes, data: bytes, order: str) -> bytes:
    """A chunk of RIFF ("<") or AIFF (">"), padded to an even length."""
    return name + struct.pack(f"{order}I", len(data)) + data + b"\0" * (len(data) % 2)


def info(values: dict[str, bytes]) -> bytes:
    """A LIST chunk of RIFF INFO."""
    fields = b"".join(chunk(name.encode(), text + b"\0", "<") for name, text in values.items())
    return chunk(b"LIST", b"INFO" + fields, "<")


def wav_with_info(path: Path, values: dict[str, bytes], first: bool = False) -> Path:
    """A wav with RIFF INFO behind its sound, or before it."""
    sounds.write_sound(path, sounds.tone(0.3), format_name="wav")
    return _with_chunk(path, info(values), "<", b"data" if first else b"")


def aiff_with_chunks(path: Path, values: dict[str, bytes], first: bool = False) -> Path:
    """An aiff with text chunks (NAME, AUTH, ANNO …) behind its sound, or before it."""
    sounds.write_sound(path, sounds.tone(0.3), format_name="aiff")
    chunks = b"".join(chunk(name.encode(), text, ">") for name, text in values.items())
    return _with_chunk(path, chunks, ">", b"SSND" if first else b"")


def _with_chunk(path: Path, new: bytes, order: str, before: bytes) -> Path:
    data = path.read_bytes()
    at = data.index(before, 12) if before else len(data)
    data = data[:at] + new + data[at:]
    path.write_bytes(data[:4] + struct.pack(f"{order}I", len(data) - 8) + data[8:])
    return path


def synchsafe(number: int) -> bytes:
    """Four bytes of seven bits."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3_frames(values: dict[str, bytes], encoding: int = 3) -> bytes:
    """ID3v2.4 frames."""
    return b"".join(
        name.encode() + synchsafe(len(text) + 1) + b"\0\0" + bytes([encoding]) + text
        for name, text in values.items()
    )


def appended_id3(values: dict[str, bytes]) -> bytes:
    """An ID3v2.4 tag for the end of a file, with its footer."""
    frames = id3_frames(values)
    rest = b"\4\0\x10" + synchsafe(len(frames))
    return b"ID3" + rest + frames + b"3DI" + rest


def id3v22(values: dict[str, bytes]) -> bytes:
    """An ID3v2.2 tag in Latin-1."""
    frames = b"".join(
        name.encode() + (len(text) + 1).to_bytes(3, "big") + b"\0" + text
        for name, text in values.items()
    )
    return b"ID3\2\0\0" + synchsafe(len(frames)) + frames


def id3v1(title: bytes = b"", artist: bytes = b"", album: bytes = b"", genre: int = 255) -> bytes:
    """An ID3v1 tag: 128 bytes."""
    texts = b"".join(text[:30].ljust(30, b"\0") for text in (title, artist, album))
    return b"TAG" + texts + b"1997" + bytes(30) + bytes([genre])


def mp3(path: Path, before: bytes = b"", behind: bytes = b"") -> Path:
    """A short tone between tags."""
    sounds.write_sound(path, sounds.tone(0.3), format_name="mp3")
    path.write_bytes(before + path.read_bytes() + behind)
    return path

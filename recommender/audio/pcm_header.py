"""How much sound the header of a wav, w64, aiff, au or caf claims, and how much is there.

Programs that write to a pipe, and those that are interrupted, leave a size that was never written:
zero, or the largest number there is.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from recommender.audio.file_views import buffered

_NEVER_WRITTEN = 0x7FFF_0000
"""Sizes of 32 bits from here on stand for one that was not known: 2 GiB less some header."""

UNKNOWN_TO_FLAC = (1 << 36) - 256
"""Frames from which on the header of a flac, which has 36 bits for them, claims nothing."""

_MOST_CHUNKS = 10_000
_W64_RIFF = b"riff\x2e\x91\xcf\x11"


@dataclass(frozen=True)
class PcmHeader:
    """Sizes of the sound in a file, in bytes.

    Attributes:
        claimed: by the header; None where its size was never written.
        present: from where the sound begins to where it or the file ends.
        patches: offset → bytes that make the header's sizes those of the file; empty where the
            sizes were written.
    """

    claimed: int | None
    present: int
    patches: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class _Layout:
    """How the chunks of a container are written; sizes by `struct` formats."""

    first: int
    head: struct.Struct  # name and size
    align: int
    sound: bytes  # name of the chunk with the sound
    size_includes_head: bool = False
    file_size_at: int | None = None
    name_length: int = 4


_RIFF = _Layout(12, struct.Struct("<4sI"), 2, b"data", file_size_at=4)
_LAYOUTS = {
    b"RIFF": _RIFF,
    b"RF64": _RIFF,
    b"BW64": _RIFF,
    b"FORM": _Layout(12, struct.Struct(">4sI"), 2, b"SSND", file_size_at=4),
    b"caff": _Layout(8, struct.Struct(">4sq"), 1, b"data"),
    b"riff": _Layout(40, struct.Struct("<16sQ"), 8, b"data", True, file_size_at=16),
}


def pcm_header(file: BinaryIO) -> PcmHeader | None:
    """The sizes in a file's header; None for another container, or where no sound is announced.

    Args:
        file: an ordinary open file, which does not move.
    """
    length = os.fstat(file.fileno()).st_size
    file = buffered(file)
    start = file.read(40)
    if start[:4] == b".snd" and len(start) >= 12:
        offset, claimed = struct.unpack(">II", start[4:12])
        return _header(claimed, length - offset, {8: struct.pack(">I", _bits32(length - offset))})
    layout = _LAYOUTS.get(start[:4])
    if layout is None or (layout.first == 40 and not start.startswith(_W64_RIFF)):
        return None
    for name, at, size in _chunks(file, layout, length):
        if name.startswith(layout.sound):
            return _chunked(file, layout, start, (at, size, length))
    return None


def _chunks(file: BinaryIO, layout: _Layout, length: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, position of the content, and size of each chunk."""
    position = layout.first
    for _ in range(_MOST_CHUNKS):
        file.seek(position)
        head = file.read(layout.head.size)
        if len(head) < layout.head.size:
            return
        name, size = layout.head.unpack(head)
        size -= layout.head.size if layout.size_includes_head else 0
        yield name, position + len(head), size
        if size < 0 or position + len(head) + size > length:
            return
        position += len(head) + size
        position += -position % layout.align


def _chunked(
    file: BinaryIO, layout: _Layout, start: bytes, chunk: tuple[int, int, int]
) -> PcmHeader | None:
    """The header of a file whose sound is the chunk (position, size, length of the file)."""
    at, size, length = chunk
    present = max(length - at, 0)
    large = start[:4] in (b"RF64", b"BW64")
    if large and size == 0xFFFF_FFFF:
        file.seek(layout.first)
        sizes = file.read(24)
        if len(sizes) == 24 and sizes[:4] == b"ds64":
            size = int.from_bytes(sizes[16:24], "little")
    if size <= 0 and _is_chunk(file, layout, at, length):
        return None  # there is no sound, and something else follows
    order, number = ("<" if layout.head.format.startswith("<") else ">"), "I"
    if layout.head.size > 8:
        number = "Q"
    extra = layout.head.size if layout.size_includes_head else 0
    width = struct.calcsize(number)
    fits = present if number == "Q" else _bits32(present)
    patches = {at - width: struct.pack(order + number, fits + extra)}
    if layout.file_size_at is not None:
        whole = length if number == "Q" else _bits32(length - 8)
        patches[layout.file_size_at] = struct.pack(order + number, whole)
    if large:
        patches |= {20: struct.pack("<QQQ", length - 8, present, 0)}
    return _header(size, present, patches)


def _is_chunk(file: BinaryIO, layout: _Layout, at: int, length: int) -> bool:
    """Whether what stands at a position can be the head of another chunk."""
    file.seek(at)
    head = file.read(layout.head.size)
    if len(head) < layout.head.size:
        return True
    name, size = layout.head.unpack(head)
    printable = name[:4].isascii() and name[:4].decode().isprintable()
    return bool(printable and 0 < size <= length - at)


def _header(claimed: int, present: int, patches: dict[int, bytes]) -> PcmHeader:
    """With the patches only where the size was never written."""
    unknown = claimed <= 0 or (_NEVER_WRITTEN <= claimed <= 0xFFFF_FFFF and claimed > present)
    if unknown or claimed > 1 << 48:
        return PcmHeader(None, present, patches)
    return PcmHeader(claimed, min(claimed, present))


def _bits32(size: int) -> int:
    return max(min(size, 0xFFFF_FFFF), 0)

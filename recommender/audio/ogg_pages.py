"""The pages of an Ogg file: where its links begin, what is lost, which checksums differ.

Links are complete streams one after another, as in a recorded web radio. RFC 3533.
"""

import struct
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

from recommender.audio.damage import Faults
from recommender.audio.file_views import buffered

_HEADER = struct.Struct("<4sBBqIIIB")
_FIRST_OF_STREAM = 2
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_LOOK_AHEAD = 1 << 16  # a page is shorter than this


@dataclass
class OggPages:
    """What `walk_ogg` found.

    Attributes:
        links: (first byte, byte after the last) of each link.
        faults: pages; skipped are those missing by their numbers, errors those whose checksum
            differs and places where no page stands.
    """

    links: list[tuple[int, int]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)


class _Link:
    """The state of the link being walked."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}  # stream → number of its next page
        self.begun = False  # whether pages other than the first of each stream have come


def walk_ogg(file: BinaryIO) -> OggPages:
    """Go through all pages without decoding; some 2 ms a megabyte. Does not move the file."""
    reader, pages, link = buffered(file), OggPages(), _Link()
    starts: list[int] = []
    position = 0
    while len(head := reader.read(_HEADER.size)) == _HEADER.size:
        magic, _, flags, _, stream, number, checksum, segments = _HEADER.unpack(head)
        if magic != b"OggS":
            following = _next_page(reader, position + 1)
            if following is None:
                break
            pages.faults.errors += 1
            position = following
            continue
        table = reader.read(segments)
        body = reader.read(sum(table))
        if len(table) < segments or len(body) < sum(table):
            pages.faults.errors += 1
            pages.faults.cut_off = True
        sound = _checksum(head[:22] + bytes(4) + head[26:] + table + body) == checksum
        if not sound:
            pages.faults.packets += 1
            pages.faults.errors += 1
            position = _after_bad_page(reader, position, len(head) + len(table) + len(body))
            continue
        if flags & _FIRST_OF_STREAM and (link.begun or not starts):
            starts.append(position)
            link = _Link()
        _count(pages.faults, link, stream, number, bool(flags & _FIRST_OF_STREAM))
        position += len(head) + len(table) + len(body)
    later = starts[1:]  # bytes before the first page belong to the first link
    pages.links = list(zip([0, *later], [*later, position], strict=True))
    return pages


def _count(faults: Faults, link: _Link, stream: int, number: int, first: bool) -> None:
    """Count a page and those missing before it."""
    link.begun |= not first
    missing = number - link.numbers.get(stream, number)
    if 0 < missing < 1 << 20:
        faults.skipped += missing
        faults.packets += missing
    link.numbers[stream] = number + 1
    faults.packets += 1


def _after_bad_page(reader: BinaryIO, position: int, length: int) -> int:
    """Where to go on: after the page where another follows it, else at the next one."""
    reader.seek(position + length)
    if reader.read(4) in (b"OggS", b""):
        reader.seek(position + length)
        return position + length
    following = _next_page(reader, position + 1)
    return position + length if following is None else following


def _next_page(reader: BinaryIO, position: int) -> int | None:
    """Go to the next page at `position` or later; None where there is none."""
    while True:
        reader.seek(position)
        block = reader.read(_LOOK_AHEAD)
        found = block.find(b"OggS")
        if found >= 0:
            reader.seek(position + found)
            return position + found
        if len(block) < _LOOK_AHEAD:
            return None
        position += len(block) - 3


def _checksum(page: bytes) -> int:
    """Ogg's CRC-32 by zlib, whose polynomial is the same with all bits in the other order."""
    value = ~zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) & 0xFFFFFFFF
    return int.from_bytes(value.to_bytes(4, "little").translate(_REVERSED), "big")

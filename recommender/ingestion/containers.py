"""Where tags end and sound begins: walks over the parts of containers, without decoding.

Numbers of headers are not to be trusted: a walk ends where they make no sense, and after
`MOST_PARTS` parts. Positions may lie beyond the end of the file.
"""

import errno
import os
import struct
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

MOST_PARTS = 100_000
"""Chunks, boxes, pages or tags of a file that are looked at."""

OGG = b"OggS"
OGG_HEADER = 27
ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
EBML = bytes.fromhex("1a45dfa3")
WAVE64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")

Range = tuple[int, int]

_FARTHEST = 2**62
_WAVE64_DATA = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")
_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_BEFORE_BLOCKS = frozenset({0xE7, 0xA7, 0xAB, 0xEC, 0xBF})
"""Elements of a Matroska cluster that say where it lies: time, position, sizes; padding, CRC."""


def read(file: BinaryIO, start: int, length: int) -> bytes:
    """At most `length` bytes from `start`; none beyond the end, however far."""
    if start > _FARTHEST or length <= 0:
        return b""
    try:
        file.seek(start)
    except OSError as error:
        if error.errno == errno.EINVAL:  # farther than this file system's files can be long
            return b""
        raise
    return file.read(length)


def file_size(file: BinaryIO) -> int:
    """Bytes of an open file."""
    return file.seek(0, os.SEEK_END)


def after_id3(file: BinaryIO, start: int) -> int:
    """Where an ID3v2 tag at `start`, and any that follow it, end."""
    for _ in range(MOST_PARTS):
        head = read(file, start, 10)
        if not head.startswith(b"ID3") or len(head) < 10:
            break
        start += 10 + _syncsafe(head[6:10]) + (10 if head[5] & 0x10 else 0)
    return start


def before_trailing_tags(file: BinaryIO, end: int, *, id3v2: bool = True) -> int:
    """Where the tags at the end of a file begin: ID3v1, APEv2, Lyrics3, ID3v2.4, in any order.

    Args:
        end: bytes of the file.
        id3v2: whether ID3v2.4 tags with a footer count; the first hashes did not know them.
    """
    for _ in range(MOST_PARTS):
        tail = read(file, max(0, end - 227), min(227, end))
        length = 0
        if tail[-128:].startswith(b"TAG"):
            length = 227 if len(tail) == 227 and tail.startswith(b"TAG+") else 128
        elif len(tail) >= 32 and tail[-32:].startswith(b"APETAGEX"):
            tag_size, _, flags = struct.unpack("<III", tail[-20:-8])
            length = tag_size + (32 if flags & 0x8000_0000 else 0)
        elif tail.endswith(b"LYRICS200") and tail[-15:-9].isdigit():
            length = int(tail[-15:-9]) + 15
        elif id3v2 and len(tail) >= 20 and tail[-10:-7] == b"3DI":
            length = _syncsafe(tail[-4:]) + 20
        if not 0 < length <= end:
            break
        end -= length
    return end


def after_flac_metadata(file: BinaryIO, start: int, end: int) -> int:
    """Where the first frame of a FLAC stream begins, whose metadata begin at `start`."""
    is_last = False
    while not is_last and start < end:
        head = read(file, start, 4).ljust(4, b"\0")
        is_last = bool(head[0] & 0x80)
        start += 4 + int.from_bytes(head[1:4], "big")
    return start


def after_ogg_headers(file: BinaryIO, start: int, size: int) -> int:
    """Where the first audio page begins: header pages count no samples (or end no packet)."""
    for _ in range(MOST_PARTS):
        head = read(file, start, OGG_HEADER)
        if len(head) < OGG_HEADER or not head.startswith(OGG):
            break
        if struct.unpack("<q", head[6:14])[0] > 0:
            break
        lacing = file.read(head[26])
        start += OGG_HEADER + head[26] + sum(lacing)
    return min(start, size)


def chunks(file: BinaryIO, start: int, size: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """(name, begin, end) of each chunk of a RIFF (order "<") or IFF (">") file."""
    for _ in range(MOST_PARTS):
        if start + 8 > size:
            return
        name, length = struct.unpack(f"{order}4sI", read(file, start, 8))
        if not name.isalnum() and not name.strip().isalnum():
            return  # no chunk begins here: the file is damaged
        yield name, start + 8, start + 8 + length
        start += 8 + length + length % 2


def long_chunks(file: BinaryIO, start: int, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Likewise with lengths of 64 bits, big end first: caf, dff. A length of -1 is to the end."""
    for _ in range(MOST_PARTS):
        if start + 12 > size:
            return
        name, length = struct.unpack(">4sq", read(file, start, 12))
        end = start + 12 + length if length >= 0 else size
        yield name, start + 12, end
        start = end


def riff_data(file: BinaryIO, start: int, size: int) -> Iterator[Range]:
    """The data chunks of a wav file; a length in a 64-bit header comes first."""
    long_length = size
    for name, begin, end in chunks(file, start, size, "<"):
        if name == b"ds64":
            long_length = struct.unpack("<Q", read(file, begin + 8, 8).ljust(8, b"\0"))[0]
        elif name == b"data":
            yield begin, begin + long_length if end - begin == 0xFFFF_FFFF else end


def mp4_media(file: BinaryIO, start: int, size: int) -> Iterator[Range]:
    """The media boxes (mdat) of an mp4 file; a fragmented one has many."""
    for _ in range(MOST_PARTS):
        if start + 8 > size:
            return
        length, name = struct.unpack(">I4s", read(file, start, 8))
        header = 8
        if length == 1:
            header, length = 16, int.from_bytes(read(file, start + 8, 8), "big")
        elif length == 0:
            length = size - start
        if name == b"mdat":
            yield start + header, start + length
        start += max(length, header)


def wave64_data(file: BinaryIO, size: int) -> Iterator[Range]:
    """The data chunks of a Sony Wave64 file."""
    start = 40
    for _ in range(MOST_PARTS):
        head = read(file, start, 24)
        if len(head) < 24:
            return
        length = int.from_bytes(head[16:], "little")
        if head[:16] == _WAVE64_DATA:
            yield start + 24, start + length
        start += max(length + -length % 8, 24)


def dsf_data(file: BinaryIO, size: int) -> Iterator[Range]:
    """The data chunk of a dsf file, whose tags come last."""
    start = 28
    for _ in range(MOST_PARTS):
        head = read(file, start, 12)
        if len(head) < 12:
            return
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"data":
            yield start + 12, start + length
        start += max(length, 12)


def matroska_blocks(file: BinaryIO, size: int) -> Iterator[Range]:
    """The blocks of each cluster of a Matroska or WebM file, without the cluster's own position."""
    for id, begin, end in _elements(file, 0, size):
        if id == _SEGMENT:
            for inner, inner_begin, inner_end in _elements(file, begin, min(end, size)):
                if inner == _CLUSTER:
                    yield _first_block(file, inner_begin, min(inner_end, size)), inner_end


def _first_block(file: BinaryIO, start: int, end: int) -> int:
    for id, begin, after in islice(_elements(file, start, end), 16):
        if id not in _BEFORE_BLOCKS:
            return start
        start = max(after, begin)
    return start


def _elements(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(id, begin, end) of each element of a Matroska file; one of unknown length has all the rest.

    In a stream that was recorded live, that is the first cluster with all that follow it.
    """
    for _ in range(MOST_PARTS):
        if start >= end:
            return
        head = read(file, start, 12)
        id_length = 9 - head[0].bit_length() if head and head[0] else 13
        if id_length > 4 or len(head) < id_length + 1 or not head[id_length]:
            return  # no element begins here: the file is damaged
        length_of_length = 9 - head[id_length].bit_length()
        begin = start + id_length + length_of_length
        bits = 7 * length_of_length
        number = int.from_bytes(head[id_length : id_length + length_of_length], "big")
        length = number & (1 << bits) - 1
        after = end if length == (1 << bits) - 1 else begin + length
        yield int.from_bytes(head[:id_length], "big"), begin, after
        start = after


def _syncsafe(four_bytes: bytes) -> int:
    number = 0
    for seven_bits in four_bytes:
        number = number << 7 | seven_bits & 0x7F
    return number

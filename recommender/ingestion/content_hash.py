"""Content hashes: the identity of a recording, whatever its tags, its name and its path.

`hash_content` finds where the audio data begin and end in the container, and hashes the length of
that part and three blocks of it. Writing other tags moves the audio data but does not change them,
so the hash stays; and 48 KiB are read of a file of any size.
"""

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

BLOCK = 16 * 1024
_BLOCK_CENTRES = (1 / 4, 1 / 2, 3 / 4)
_DIGEST_BYTES = 16
_READ = 1 << 20

_OGG = b"OggS"
_OGG_HEADER = 27
_OGG_RENUMBERED = slice(18, 26)  # page sequence number and checksum
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


class _Payload(NamedTuple):
    """Where the audio data lie in a file, in bytes."""

    start: int
    end: int
    is_ogg: bool = False


def hash_content(path: Path) -> str:
    """A hash of a recording (32 hex digits) that does not depend on tags, name and path.

    Damaged files and files without audio have a hash, too.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        payload = _payload(file, size)
        if payload.start >= payload.end:
            payload = _Payload(0, size, payload.is_ogg)
        length = payload.end - payload.start
        digest = hashlib.blake2b(struct.pack("<Q", length), digest_size=_DIGEST_BYTES)
        for start, end in _blocks(payload.start, length):
            digest.update(_read_block(file, start, end, payload.is_ogg))
    return digest.hexdigest()


def hash_file(path: Path) -> str:
    """A hash (32 hex digits) of every byte of a file, tags included.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    with path.open("rb") as file:
        while chunk := file.read(_READ):
            digest.update(chunk)
    return digest.hexdigest()


def _blocks(start: int, length: int) -> Iterator[tuple[int, int]]:
    """The parts to hash: three blocks, or everything where they would nearly touch."""
    if length <= 4 * BLOCK:
        yield start, start + length
        return
    for fraction in _BLOCK_CENTRES:
        centre = start + int(length * fraction)
        yield centre - BLOCK // 2, centre + BLOCK // 2


def _read_block(file: BinaryIO, start: int, end: int, is_ogg: bool) -> bytes:
    """The bytes of a block; in ogg without the page numbers, which change with the tags."""
    before = min(start, _OGG_HEADER) if is_ogg else 0
    block = bytearray(_read(file, start - before, end - start + before))
    if is_ogg:
        page = block.find(_OGG)
        while page >= 0:
            renumbered = block[page : page + _OGG_HEADER][_OGG_RENUMBERED]
            numbers = page + _OGG_RENUMBERED.start
            block[numbers : numbers + len(renumbered)] = bytes(len(renumbered))
            page = block.find(_OGG, page + 1)
    return bytes(block[before:])


def _read(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


def _payload(file: BinaryIO, size: int) -> _Payload:
    """Where the audio data lie. Numbers of headers are clipped to the file: it may be damaged."""
    start = _after_id3(file, 0)
    head = _read(file, start, 20)
    if head.startswith(_OGG):
        return _Payload(_after_ogg_headers(file, start, size), size, is_ogg=True)
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _largest(_riff_data(file, start + 12, size), size)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        audio = (c for c in _chunks(file, start + 12, size, ">") if c[0] == b"SSND")
        return _largest(((begin, end) for _, begin, end in audio), size)
    if head[4:8] == b"ftyp":
        return _largest(_mp4_media(file, start, size), size)
    if head.startswith(_ASF) and len(head) >= 20:
        header_size = struct.unpack("<Q", _read(file, start + 16, 8).ljust(8, b"\0"))[0]
        return _Payload(min(start + header_size, size), size)
    end = _before_trailing_tags(file, size)
    if head.startswith(b"fLaC"):
        return _Payload(_after_flac_metadata(file, start + 4, end), end)
    if head.startswith(b".snd"):
        return _Payload(min(start + int.from_bytes(head[4:8], "big"), end), end)
    return _Payload(min(start, end), end)


def _largest(parts: Iterator[tuple[int, int]], size: int) -> _Payload:
    """The longest of several parts, or the whole file when there is none."""
    return max(
        (_Payload(begin, min(end, size)) for begin, end in parts),
        key=lambda part: part.end - part.start,
        default=_Payload(0, size),
    )


def _after_id3(file: BinaryIO, start: int) -> int:
    """Where an ID3v2 tag at `start`, and any that follow it, end."""
    while (head := _read(file, start, 10)).startswith(b"ID3") and len(head) == 10:
        length = 0
        for seven_bits in head[6:10]:
            length = length << 7 | seven_bits & 0x7F
        start += 10 + length + (10 if head[5] & 0x10 else 0)
    return start


def _before_trailing_tags(file: BinaryIO, end: int) -> int:
    """Where the tags at the end of a file begin: ID3v1, APEv2, Lyrics3, in any order."""
    while True:
        tail = _read(file, max(0, end - 227), min(227, end))
        length = 0
        if tail[-128:].startswith(b"TAG"):
            length = 227 if len(tail) == 227 and tail.startswith(b"TAG+") else 128
        elif len(tail) >= 32 and tail[-32:].startswith(b"APETAGEX"):
            tag_size, _, flags = struct.unpack("<III", tail[-20:-8])
            length = tag_size + (32 if flags & 0x8000_0000 else 0)
        elif tail.endswith(b"LYRICS200") and tail[-15:-9].isdigit():
            length = int(tail[-15:-9]) + 15
        if not 0 < length <= end:
            return end
        end -= length


def _after_flac_metadata(file: BinaryIO, start: int, end: int) -> int:
    is_last = False
    while not is_last and start < end:
        head = _read(file, start, 4).ljust(4, b"\0")
        is_last = bool(head[0] & 0x80)
        start += 4 + int.from_bytes(head[1:4], "big")
    return start


def _after_ogg_headers(file: BinaryIO, start: int, size: int) -> int:
    """Where the first audio page begins: header pages count no samples (or end no packet)."""
    while start < size:
        head = _read(file, start, _OGG_HEADER)
        if len(head) < _OGG_HEADER or not head.startswith(_OGG):
            return start
        if struct.unpack("<q", head[6:14])[0] > 0:
            return start
        lacing = file.read(head[26])
        start += _OGG_HEADER + head[26] + sum(lacing)
    return start


def _chunks(file: BinaryIO, start: int, size: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """(name, begin, end) of each chunk of a RIFF or IFF file; ends may lie beyond the file."""
    while start + 8 <= size:
        name, length = struct.unpack(f"{order}4sI", _read(file, start, 8))
        if not name.isalnum() and not name.strip().isalnum():
            return  # no chunk begins here: the file is damaged
        yield name, start + 8, start + 8 + length
        start += 8 + length + length % 2


def _riff_data(file: BinaryIO, start: int, size: int) -> Iterator[tuple[int, int]]:
    """The audio data of a wav file; a length in a 64-bit header comes first."""
    long_length = size
    for name, begin, end in _chunks(file, start, size, "<"):
        if name == b"ds64":
            long_length = struct.unpack("<Q", _read(file, begin + 8, 8).ljust(8, b"\0"))[0]
        elif name == b"data":
            yield begin, begin + long_length if end - begin == 0xFFFF_FFFF else end


def _mp4_media(file: BinaryIO, start: int, size: int) -> Iterator[tuple[int, int]]:
    while start + 8 <= size:
        length, name = struct.unpack(">I4s", _read(file, start, 8))
        header = 8
        if length == 1:
            header, length = 16, int.from_bytes(_read(file, start + 8, 8), "big")
        elif length == 0:
            length = size - start
        if name == b"mdat":
            yield start + header, start + length
        start += max(length, header)

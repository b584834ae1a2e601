"""The content hash of releases before schema 0004, which older catalogues hold.

It takes three blocks of 16 KB, so that other sound can have the same hash; it is computed only to
find out which file an older catalogue means. Never change it.
"""

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from recommender.ingestion import containers
from recommender.ingestion.masking import read_masked

_BLOCK = 16 * 1024
_BLOCK_CENTRES = (1 / 4, 1 / 2, 3 / 4)
_DIGEST_BYTES = 16


class _Part(NamedTuple):
    start: int
    end: int
    is_ogg: bool = False


def hash_three_blocks(path: Path) -> str:
    """The older hash of a file (32 hex digits). Raises `OSError`."""
    with path.open("rb") as file:
        size = containers.file_size(file)
        part = _payload(file, size)
        if part.start >= part.end:
            part = _Part(0, size, part.is_ogg)
        length = part.end - part.start
        digest = hashlib.blake2b(struct.pack("<Q", length), digest_size=_DIGEST_BYTES)
        for start, end in _blocks(part.start, length):
            digest.update(read_masked(file, start, end, part.is_ogg))
    return digest.hexdigest()


def _blocks(start: int, length: int) -> Iterator[containers.Range]:
    """The parts to hash: three blocks, or everything where they would nearly touch."""
    if length <= 4 * _BLOCK:
        yield start, start + length
        return
    for fraction in _BLOCK_CENTRES:
        centre = start + int(length * fraction)
        yield centre - _BLOCK // 2, centre + _BLOCK // 2


def _payload(file: BinaryIO, size: int) -> _Part:
    start = containers.after_id3(file, 0)
    head = containers.read(file, start, 20)
    if head.startswith(containers.OGG):
        return _Part(containers.after_ogg_headers(file, start, size), size, is_ogg=True)
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _largest(containers.riff_data(file, start + 12, size), size)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        chunks = containers.chunks(file, start + 12, size, ">")
        return _largest(((begin, end) for name, begin, end in chunks if name == b"SSND"), size)
    if head[4:8] == b"ftyp":
        return _largest(containers.mp4_media(file, start, size), size)
    if head.startswith(containers.ASF) and len(head) >= 20:
        header = containers.read(file, start + 16, 8).ljust(8, b"\0")
        return _Part(min(start + int.from_bytes(header, "little"), size), size)
    end = containers.before_trailing_tags(file, size, id3v2=False)
    if head.startswith(b"fLaC"):
        return _Part(containers.after_flac_metadata(file, start + 4, end), end)
    if head.startswith(b".snd"):
        return _Part(min(start + int.from_bytes(head[4:8], "big"), end), end)
    return _Part(min(start, end), end)


def _largest(parts: Iterator[containers.Range], size: int) -> _Part:
    """The longest of several parts, or the whole file when there is none."""
    return max(
        (_Part(begin, min(end, size)) for begin, end in parts),
        key=lambda part: part.end - part.start,
        default=_Part(0, size),
    )

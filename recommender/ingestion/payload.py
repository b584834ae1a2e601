"""The sound payload of a file: the bytes that hold its sound, without tags, pictures and indexes.

It may lie in several parts (a fragmented mp4, the clusters of a Matroska file), which are read as
if they followed one another.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import BinaryIO

from recommender.ingestion import containers
from recommender.ingestion.containers import Range, read
from recommender.ingestion.masking import read_masked

_STREAM_INFO = slice(10, 34)
"""Of a FLAC stream's first metadata block: its format, its length, the MD5 of its samples."""


@dataclass(frozen=True)
class Payload:
    """Where the sound lies in a file.

    Attributes:
        parts: (begin, end) in bytes, ascending, none empty.
        facts: what the container itself says of the sound's content.
        is_ogg: whether page numbers are to be masked.
    """

    parts: tuple[Range, ...]
    facts: bytes = b""
    is_ogg: bool = False

    def __post_init__(self) -> None:
        """Add up the lengths."""
        lengths = accumulate((end - begin for begin, end in self.parts), initial=0)
        object.__setattr__(self, "_ends", tuple(lengths)[1:])

    @property
    def length(self) -> int:
        """Bytes of all parts together."""
        return self._ends[-1] if self.parts else 0  # type: ignore[attr-defined]

    def read(self, file: BinaryIO, start: int, end: int) -> bytes:
        """The bytes from `start` to `end` of the parts put together."""
        ends: tuple[int, ...] = self._ends  # type: ignore[attr-defined]
        block = b""
        for index in range(bisect_right(ends, start), len(self.parts)):
            if start >= end:
                break
            part_end = self.parts[index][1]
            first = part_end - (ends[index] - start)
            last = min(part_end, first + end - start)
            block += read_masked(file, first, last, self.is_ogg)
            start += last - first
        return block


def find_payload(file: BinaryIO, size: int) -> Payload:
    """The payload of an open file of so many bytes; the whole file where none is found."""
    payload = _payload(file, size)
    parts = tuple((begin, min(end, size)) for begin, end in payload.parts if begin < min(end, size))
    return Payload(parts or ((0, size),) * (size > 0), payload.facts, payload.is_ogg)


def _payload(file: BinaryIO, size: int) -> Payload:
    start = containers.after_id3(file, 0)
    head = read(file, start, 40)
    if head.startswith(containers.OGG):
        return _one(containers.after_ogg_headers(file, start, size), size, is_ogg=True)
    chunked = _chunked(file, start, size, head)
    if chunked is not None:
        return Payload(tuple(chunked))
    if head.startswith(containers.ASF):
        header = read(file, start + 16, 8).ljust(8, b"\0")
        return _one(min(start + int.from_bytes(header, "little"), size), size)
    end = containers.before_trailing_tags(file, size)
    if head.startswith(b"fLaC"):
        facts = read(file, start + 8, 34)[_STREAM_INFO]
        return _one(containers.after_flac_metadata(file, start + 4, end), end, facts=facts)
    if head.startswith(b".snd"):
        return _one(start + int.from_bytes(head[4:8], "big"), end)
    return _one(start, end)


def _chunked(file: BinaryIO, start: int, size: int, head: bytes) -> Iterable[Range] | None:
    """The parts of a container made of chunks; None for any other file."""
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _wav_data(containers.riff_data(file, start + 12, size), size)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _named(containers.chunks(file, start + 12, size, ">"), b"SSND")
    if head[4:8] == b"ftyp":
        return containers.mp4_media(file, start, size)
    if head.startswith(b"caff"):
        return _named(containers.long_chunks(file, start + 8, size), b"data")
    if head.startswith(b"FRM8"):
        return _named(containers.long_chunks(file, start + 16, size), b"DSD ", b"DST ")
    if head.startswith(b"DSD "):
        return containers.dsf_data(file, size)
    if head.startswith(containers.WAVE64):
        return containers.wave64_data(file, size)
    if head.startswith(containers.EBML):
        return containers.matroska_blocks(file, size)
    return None


def _one(start: int, end: int, facts: bytes = b"", is_ogg: bool = False) -> Payload:
    return Payload(((start, end),), facts, is_ogg)


def _named(chunks: Iterator[tuple[bytes, int, int]], *names: bytes) -> Iterator[Range]:
    return ((begin, end) for name, begin, end in chunks if name in names)


def _wav_data(found: Iterator[Range], size: int) -> list[Range]:
    """The data chunks; all the rest of the file where a length was never written."""
    parts = list(found)
    if parts and all(begin == end for begin, end in parts):
        return [(parts[0][0], size)]
    return parts

"""Content hashes: the identity of a recording, whatever its tags, its name and its path.

`hash_content` hashes the length of the sound payload and blocks of it, spread evenly from its first
byte to its last. Writing other tags moves the payload but does not change it, so the hash stays.
All of the payload is taken

- where it is at most `WHOLE` (4 MiB) long;
- where more than half of the bytes in the blocks have one value: silence, in which what sounds may
  lie anywhere.

Of a longer one it takes a block for every 64 KiB, so at least 64, and together at least a sixteenth
of all bytes. What lies between two blocks is at most 61 KiB: .36 s of a wav of CD quality, 1.6 s of
an mp3 of 320 kbit/s, 3.9 s of one of 128 kbit/s. A change that fits there is missed by this hash
(except in FLAC, whose files hold the MD5 of their samples, which is hashed too). So a file that was
written anew also has the samples of its windows compared, from which its embedding is computed
(`audio.samples_hash`); and `hash_payload` takes everything.

The hash of a segment of a file is that of the file with the segment's bounds in seconds behind it.

A hash begins with `WHOLE_MARK` or `SAMPLED_MARK`; those of older catalogues, of three blocks, with
nothing.
"""

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from recommender.ingestion.containers import Range, file_size
from recommender.ingestion.payload import Payload, find_payload
from recommender.ingestion.three_block_hash import hash_three_blocks
from recommender.utils.arrays import IntArray

if TYPE_CHECKING:
    from recommender.audio.segments import Segment

WHOLE_MARK = "2w:"
"""What a hash of all of a payload begins with."""

SAMPLED_MARK = "2s:"
"""What a hash of blocks of a payload begins with."""

WHOLE = 4 << 20
_STRIDE = 64 * 1024
_SHARE = 16
_DIGEST_BYTES = 16
_READ = 1 << 20
_BOUNDS = "@"


def hash_content(path: Path) -> str:
    """A hash of a recording (a mark and 32 hex digits) that does not depend on tags and path.

    Damaged files and files without audio have a hash, too.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        payload = find_payload(file, file_size(file))
        if payload.length > WHOLE:
            counts = np.zeros(256, np.int64)
            blocks = (payload.read(file, *block) for block in _blocks(payload.length))
            digest = _digest(payload, _counted(blocks, counts))
            if 2 * counts.max() <= counts.sum():
                return SAMPLED_MARK + digest
        return WHOLE_MARK + _digest(payload, _everything(file, payload))


def hash_payload(path: Path) -> str:
    """A hash of every byte of the sound payload (`WHOLE_MARK` and 32 hex digits).

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        payload = find_payload(file, file_size(file))
        return WHOLE_MARK + _digest(payload, _everything(file, payload))


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


def is_older(content_hash: str) -> bool:
    """Whether a hash is of the scheme of older catalogues: of three blocks."""
    return not content_hash.startswith((WHOLE_MARK, SAMPLED_MARK))


def is_whole(content_hash: str) -> bool:
    """Whether a hash is of all of the sound, so that an equal one is of the same."""
    return content_hash.startswith(WHOLE_MARK)


def segment_hash(file_hash: str, segment: "Segment") -> str:
    """The hash of a segment of a file with this hash."""
    end = "" if segment.end is None else f"{segment.end:.6f}"
    return f"{file_hash}{_BOUNDS}{segment.start:.6f}-{end}"


def of_file(content_hash: str) -> str:
    """The hash of the file, of a hash of it or of one of its segments."""
    return content_hash.partition(_BOUNDS)[0]


def same_bounds(one: str, other: str) -> bool:
    """Whether two hashes are of segments with the same bounds."""
    return one.partition(_BOUNDS)[2] == other.partition(_BOUNDS)[2]


def has_content(path: Path, content_hash: str, stored: str) -> bool:
    """Whether a file has the content that a stored hash, of either scheme, is of.

    Args:
        path: the file; read only where the stored hash is of the older scheme.
        content_hash: by `hash_content`, of the file.
        stored: what a catalogue holds.

    Raises:
        OSError: the file cannot be read.
    """
    return hash_three_blocks(path) == stored if is_older(stored) else content_hash == stored


def _blocks(length: int) -> Iterator[Range]:
    """The blocks of a payload of so many bytes, more than `WHOLE`."""
    count = -(-length // _STRIDE)
    size = -(-length // (_SHARE * count))
    for index in range(count):
        start = index * (length - size) // (count - 1)
        yield start, start + size


def _everything(file: BinaryIO, payload: Payload) -> Iterator[bytes]:
    for start in range(0, payload.length, _READ):
        yield payload.read(file, start, min(start + _READ, payload.length))


def _counted(blocks: Iterator[bytes], counts: IntArray) -> Iterator[bytes]:
    """The blocks; how often each value occurs in them is added to `counts` [256]."""
    for block in blocks:
        counts += np.bincount(np.frombuffer(block, np.uint8), minlength=256)
        yield block


def _digest(payload: Payload, blocks: Iterator[bytes]) -> str:
    digest = hashlib.blake2b(struct.pack("<Q", payload.length), digest_size=_DIGEST_BYTES)
    digest.update(payload.facts)
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()

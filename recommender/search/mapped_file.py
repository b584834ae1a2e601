"""Named arrays and a few facts in one file, which is mapped into memory and never changed.

The file begins with its format, then come the arrays, each on a page boundary, the sums of all
blocks before, a description with the facts (JSON), and at the very end where that description is
and its digest. It is written beside the place where it is to be and renamed, so that it is there
whole or not at all.

What is checked when:

* at opening: the format, the digests of the description and of the sums, and that every array has a
  known type and lies inside the file; in a file of up to `CHECKED_AT_OPENING` bytes also the sums,
  which takes some 8 ms for 100 MB in memory.
* by `MappedFile.verify`: the sums, where they were not compared before.

A file whose arrays were changed on disk never leads to a read outside of it.
"""

import hashlib
import json
import math
import mmap
import os
import secrets
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.errors import IndexDamaged, IndexOutdated
from recommender.utils.files import flush_folder

FORMAT = "recsys-index-5"
"""The number rises with what the file holds, and with how `reranking` computes it."""

PAGE = 4096
_PREFIX = b"recsys-index-"
_TRAILER = struct.Struct("<QQ16s8s")
"""Place and length of the description, its digest, a mark."""

_END = b"recsys\x00\x04"
_TYPES = ("<i8", "<i4", "<f8", "<f4", "|u1", "|i1", "|b1", "<u8", "<u4", "<u2", "<f2", "<i2")

BLOCK = 2**16
"""Bytes of which one sum is kept: of their 64-bit words, modulo 2^64. A flipped bit, zeros where
there were none, and blocks that changed places give other sums."""

CHECKED_AT_OPENING = 2**28
"""Largest file whose sums are compared whenever it is opened."""

Array = npt.NDArray[Any]
Shapes = Mapping[str, tuple[str, tuple[int, ...]]]
"""Name → type, as in `numpy.dtype.str`, and shape."""


def index_damaged(path: Path, error: object) -> IndexDamaged:
    """The error for a file that is not what was written."""
    return IndexDamaged(
        f"the index {path} cannot be read ({error}). It is a cache of the catalogue: "
        "the next query builds it again."
    )


class MappedFile:
    """A file of arrays, open for reading.

    Attributes:
        path: as it was opened; None for one that is in memory or has no name.
        arrays: name → read-only array; its pages are read when they are used.
        facts: what was stored with them.
        content: all bytes of the arrays, as they are mapped; None for a file that is in memory.
    """

    def __init__(
        self,
        path: Path | None,
        arrays: dict[str, Array],
        facts: dict[str, Any],
        content: Array | None = None,
        sums: Array | None = None,
    ) -> None:
        """See `open` and `ArrayWriter.publish`."""
        self.path = path
        self.arrays = arrays
        self.facts = facts
        self.content = content
        self._sums = sums

    @property
    def is_checked(self) -> bool:
        """Whether the sums of all arrays have been compared."""
        return self._sums is None

    @classmethod
    def open(cls, path: Path) -> "MappedFile":
        """Map a file.

        Raises:
            FileNotFoundError: there is none.
            IndexOutdated: it was written by another version of this package.
            IndexDamaged: it is not whole.
        """
        if not path.is_file():
            raise FileNotFoundError(path)
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                description = _described(path, file, size)
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            arrays = {
                str(name): _array(mapped, entry) for name, entry in description["arrays"].items()
            }
            length = description["length"]
            content = np.frombuffer(mapped, dtype=np.uint8, count=length)
            sums = np.frombuffer(mapped, dtype="<u8", count=_blocks(length), offset=length)
            if hashlib.blake2b(sums.data, digest_size=16).hexdigest() != description["sums"]:
                raise ValueError("the checksum of its sums does not match")
            found = cls(path, arrays, description["facts"], content, sums)
            if length <= CHECKED_AT_OPENING:
                found.verify()
            return found
        except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise index_damaged(path, error) from error

    def verify(self) -> None:
        """Compare the sums of all arrays, once. Raises `IndexDamaged`."""
        if self._sums is None or self.content is None:
            return
        differing = np.flatnonzero(block_sums(self.content) != self._sums)
        if len(differing):
            at = int(differing[0]) * BLOCK
            raise index_damaged(self.path or Path(), f"it was changed at byte {at:,} or after it")
        self._sums = None


def read_facts(path: Path) -> dict[str, Any]:
    """The facts of a file, without mapping its arrays. Raises as `MappedFile.open`."""
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        with path.open("rb") as file:
            facts = _described(path, file, os.fstat(file.fileno()).st_size)["facts"]
            return dict(facts)
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise index_damaged(path, error) from error


def _described(path: Path, file: Any, size: int) -> dict[str, Any]:
    """The description at the end of an open file."""
    start = file.read(256)
    found = start.partition(b"\n")[0]
    if found != FORMAT.encode():
        if _PREFIX in start:
            raise IndexOutdated(
                f"the index {path} is of another format than {FORMAT}: the next query builds it "
                "again."
            )
        raise ValueError("it does not begin as an index does")
    if size < PAGE + _TRAILER.size:
        raise ValueError("it is too short")
    file.seek(size - _TRAILER.size)
    place, length, digest, end = _TRAILER.unpack(file.read(_TRAILER.size))
    if end != _END or place + length + _TRAILER.size != size:
        raise ValueError("it ends before its description")
    file.seek(place)
    text = file.read(length)
    if hashlib.blake2b(text, digest_size=16).digest() != digest:
        raise ValueError("the checksum of its description does not match")
    description = json.loads(text)
    if not isinstance(description["facts"], dict) or not isinstance(description["arrays"], dict):
        raise TypeError("its description is of another kind")
    if description["length"] + 8 * _blocks(description["length"]) != place:
        raise ValueError("its description is of a file of another length")
    for entry in description["arrays"].values():
        _require_inside(entry, description["length"])
    return dict(description)


def _require_inside(entry: Any, end: int) -> None:
    """Raise unless an array has a known type and lies before `end`."""
    kind, shape, offset = entry["type"], entry["shape"], entry["offset"]
    whole = all(isinstance(n, int) and 0 <= n < 2**40 for n in (*shape, offset))
    if kind not in _TYPES or not whole or len(shape) > 3 or offset % PAGE:
        raise ValueError(f"an array of type {kind} and shape {shape} at {offset}")
    if offset + math.prod(shape) * np.dtype(kind).itemsize > end:
        raise ValueError("an array ends behind its place")


def _array(mapped: mmap.mmap, entry: Any) -> Array:
    shape = tuple(entry["shape"])
    count = math.prod(shape)
    if not count:
        return np.empty(shape, dtype=entry["type"])
    values = np.frombuffer(mapped, dtype=entry["type"], count=count, offset=entry["offset"])
    return values.reshape(shape)


def block_sums(content: Array) -> Array:
    """The sum of each block of bytes [n, a multiple of 8]: np.ndarray [shape=(m,)], uint64."""
    words = content.view("<u8")
    whole = len(content) // BLOCK * (BLOCK // 8)
    sums = np.zeros(_blocks(len(content)), dtype="<u8")
    words[:whole].reshape(-1, BLOCK // 8).sum(axis=1, out=sums[: whole // (BLOCK // 8)])
    if whole < len(words):
        sums[-1] = words[whole:].sum()
    return sums


def _blocks(length: int) -> int:
    return -(-length // BLOCK)


class ArrayWriter:
    """Arrays that are filled in place, in a file that is then published under its name.

    The space is reserved first, so that a full disk is an error and not a crash. Use as a context;
    a file that was not published is dropped at its end.

    Attributes:
        arrays: name → array to fill; zero at first.
    """

    def __init__(self, path: Path | None, shapes: Shapes) -> None:
        """Reserve the space.

        Args:
            path: of the file; None for one without a name, which lives as long as it is mapped.
            shapes: of the arrays.

        Raises `OSError` where the file cannot be made or the disk is full.
        """
        self._path = path
        self._temporary: Path | None = None
        self._offsets = {}
        end = PAGE
        for name, (kind, shape) in shapes.items():
            self._offsets[name] = end
            size = math.prod(shape) * np.dtype(kind).itemsize
            end += -(-max(size, 1) // PAGE) * PAGE
        self._end = end
        self._file = self._opened()
        try:
            _reserve(self._file.fileno(), end)
            self._mapped = mmap.mmap(self._file.fileno(), end)
        except BaseException:
            self.close()
            raise
        self.arrays: dict[str, Array] = {
            name: _array(
                self._mapped, {"type": kind, "shape": shape, "offset": self._offsets[name]}
            )
            for name, (kind, shape) in shapes.items()
        }

    def _opened(self) -> Any:
        if self._path is None:
            return tempfile.TemporaryFile()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}.tmp")
        return self._temporary.open("x+b")

    def __enter__(self) -> "ArrayWriter":
        """The writer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop a file that was not published."""
        self.close()

    def publish(self, facts: Mapping[str, Any]) -> MappedFile:
        """Write the facts and give the file its name; returns it, opened. Raises `OSError`."""
        entries = {
            name: {
                "type": values.dtype.str,
                "shape": list(values.shape),
                "offset": self._offsets[name],
            }
            for name, values in self.arrays.items()
        }
        self._mapped[: len(FORMAT) + 1] = FORMAT.encode() + b"\n"
        sums = block_sums(np.frombuffer(self._mapped, dtype=np.uint8)).tobytes()
        description = {
            "facts": dict(facts),
            "arrays": entries,
            "length": self._end,
            "sums": hashlib.blake2b(sums, digest_size=16).hexdigest(),
        }
        text = json.dumps(description).encode()
        digest = hashlib.blake2b(text, digest_size=16).digest()
        self._mapped.flush()
        self._file.seek(self._end)
        place = self._end + len(sums)
        self._file.write(sums + text + _TRAILER.pack(place, len(text), digest, _END))
        self._file.flush()
        if self._path is None or self._temporary is None:
            return MappedFile(None, self._read_only(), json.loads(text)["facts"])
        os.fsync(self._file.fileno())
        self._temporary.replace(self._path)
        self._temporary = None
        flush_folder(self._path.parent)
        return MappedFile.open(self._path)

    def _read_only(self) -> dict[str, Array]:
        for values in self.arrays.values():
            values.flags.writeable = False
        return self.arrays

    def close(self) -> None:
        """Drop what was not published."""
        self._file.close()
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)
            self._temporary = None


def _reserve(descriptor: int, size: int) -> None:
    """Make the file `size` bytes long, on the disk and not only by its label."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    zeros = bytes(2**20)
    for start in range(0, size, len(zeros)):
        os.write(descriptor, zeros[: size - start])

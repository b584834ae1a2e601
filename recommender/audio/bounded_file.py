"""A part of a file of which only so many bytes are read, whatever its headers claim."""

import io
from typing import BinaryIO


class BoundedFile:
    """A read-only view of the beginning of a file; a file object for libraries."""

    def __init__(self, file: BinaryIO, end: int, budget: int, start: int = 0) -> None:
        """From `start` to `end` (bytes); it seems to end when `budget` bytes of it were read."""
        self.name = str(getattr(file, "name", ""))
        self._file = file
        self._start, self._end = start, max(start, end)
        self._left = budget
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """As of any file; nothing of what is longer than the budget allows."""
        rest = max(0, self._end - self._start - self._position)
        wanted = rest if size is None or size < 0 else min(size, rest)
        if not wanted or wanted > self._left:
            return b""
        self._left -= wanted
        self._file.seek(self._start + self._position)
        data = self._file.read(wanted)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any file. Raises `OSError` for a position before its beginning."""
        origin = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: self._end - self._start,
        }[whence]
        if origin + offset < 0:
            raise OSError("a position before the beginning of the file")
        self._position = origin + offset
        return self._position

    def tell(self) -> int:
        """As of any file."""
        return self._position

    def seekable(self) -> bool:
        """True."""
        return True

    def readable(self) -> bool:
        """True."""
        return True

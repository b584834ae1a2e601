"""Views of an open file: a section of it, or with some of its bytes replaced."""

import io
import os
from collections.abc import Mapping
from typing import BinaryIO, cast


class FileView(io.RawIOBase):
    """Bytes `start` to `end` of a regular file, some of them replaced. Does not move the file.

    Args:
        file: an ordinary open file; it must stay open.
        start, end: offsets in the file; None for its end.
        patches: offset in the view → bytes that stand there instead.
    """

    def __init__(
        self,
        file: BinaryIO,
        start: int = 0,
        end: int | None = None,
        patches: Mapping[int, bytes] | None = None,
    ) -> None:
        """At its beginning."""
        super().__init__()
        self._descriptor = file.fileno()
        self._start = start
        self._length = (os.fstat(self._descriptor).st_size if end is None else end) - start
        self._patches = dict(patches or {})
        self._position = 0

    def duplicate(self) -> "FileView":
        """Another view of the same bytes, at its beginning."""
        other = FileView.__new__(FileView)
        io.RawIOBase.__init__(other)
        other._descriptor, other._start, other._length = self._descriptor, self._start, self._length
        other._patches, other._position = self._patches, 0
        return other

    def readable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def seekable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def tell(self) -> int:
        """See `io.IOBase`."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """See `io.IOBase`. Raises `ValueError` before the beginning."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        if base + offset < 0:
            raise ValueError("a position before the beginning")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: object) -> int:
        """See `io.RawIOBase`."""
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        count = max(min(len(target), self._length - self._position), 0)
        data = bytearray(os.pread(self._descriptor, count, self._start + self._position))
        for offset, patch in self._patches.items():
            for index, value in enumerate(patch, offset - self._position):
                if 0 <= index < len(data):
                    data[index] = value
        target[: len(data)] = data
        self._position += len(data)
        return len(data)


def buffered(file: "BinaryIO | FileView") -> BinaryIO:
    """The file from its beginning, read by large blocks; `file` itself does not move."""
    view = file.duplicate() if isinstance(file, FileView) else FileView(file)
    return cast(BinaryIO, io.BufferedReader(view, 1 << 20))


class ByteWindow:
    """A file as one long array of bytes, of which a chunk is in memory.

    Args:
        file: can seek.
        ahead: bytes that must be in memory from a position on, unless the file ends before.
    """

    def __init__(self, file: BinaryIO, ahead: int) -> None:
        """With nothing in memory."""
        self._file = file
        self._ahead = ahead
        self.first = 0  # position of the chunk
        self.chunk = b""
        self.is_last = False

    def hold(self, position: int) -> int:
        """Have the bytes from `position` in memory; where that is in the chunk."""
        at = position - self.first
        if not self.is_last and not 0 <= at <= len(self.chunk) - self._ahead:
            self._file.seek(position)
            self.chunk, self.first, at = self._file.read(1 << 20), position, 0
            self.is_last = len(self.chunk) < 1 << 20
        return at

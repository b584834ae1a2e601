"""Reading ahead what a query is going to read of a mapped file, while that is not in memory.

A query reads a few hundred short places of a large file. One after another, each costs the time of
a read; and the system reads up to megabytes around each, because it expects a file to be read on.
So it is advised that places are read at random, and, as long as queries have to wait for the disk,
which places are read next, all at once.
"""

import mmap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.utils.arrays import IntArray

try:
    from resource import RUSAGE_THREAD, getrusage
except ImportError:  # a system that does not count what a thread waits for
    getrusage = None  # type: ignore[assignment]

LASTING = 64
"""Queries that read ahead after the last one that had to wait."""

MOST = 4096
"""Rows that are named one by one; whoever reads more reads long stretches of the file."""


class _Waits(threading.local):
    """How often a thread has waited for the disk, and for how many queries it reads ahead."""

    counted = -1
    lasting = LASTING


class ReadAhead:
    """Of one file that is mapped whole; without one, nothing is done."""

    def __init__(self, content: npt.NDArray[np.uint8] | None) -> None:
        """Of the file's bytes as they are mapped, from its beginning on."""
        self._mapped: mmap.mmap | None = None
        self._waits = _Waits()
        mapped: Any = None if content is None else content.base
        if isinstance(mapped, memoryview):
            mapped = mapped.obj
        takes_advice = getrusage is not None and hasattr(mmap, "MADV_RANDOM")
        if content is not None and takes_advice and isinstance(mapped, mmap.mmap):
            self._mapped, self._start = mapped, content.ctypes.data
            mapped.madvise(mmap.MADV_RANDOM)

    @contextmanager
    def everything(self) -> Iterator[None]:
        """All of the file is read on while the body runs, as when an index is written from it."""
        if self._mapped is None:
            yield
            return
        self._mapped.madvise(mmap.MADV_NORMAL)
        try:
            yield
        finally:
            self._mapped.madvise(mmap.MADV_RANDOM)

    def begin(self) -> None:
        """A query begins; find out whether this thread has waited since it began the last one."""
        if self._mapped is None:
            return
        waits, counted = self._waits, getrusage(RUSAGE_THREAD).ru_majflt
        waits.lasting = LASTING if counted != waits.counted else max(0, waits.lasting - 1)
        waits.counted = counted

    def rows(self, array: npt.NDArray[Any], rows: IntArray) -> None:
        """Rows of an array of the file are read next."""
        if self._mapped is not None and self._waits.lasting and len(rows) <= MOST:
            self.ranges(array, rows, rows + 1)

    def ranges(self, array: npt.NDArray[Any], begins: IntArray, ends: IntArray) -> None:
        """Rows from each of `begins` to before each of `ends` are read next."""
        if self._mapped is None or not self._waits.lasting or not array.size or not len(begins):
            return
        place, width = array.ctypes.data - self._start, array.strides[0]
        first = (place + begins * width) // mmap.PAGESIZE
        last = (place + ends * width - 1) // mmap.PAGESIZE
        if place < 0 or (last.max() + 1) * mmap.PAGESIZE > len(self._mapped):
            return  # an array in memory
        order = np.argsort(first)
        reached = -1
        for begin, end in zip(first[order].tolist(), last[order].tolist(), strict=True):
            begin = max(begin, reached + 1)
            if begin <= end:
                length = (end - begin + 1) * mmap.PAGESIZE
                self._mapped.madvise(mmap.MADV_WILLNEED, begin * mmap.PAGESIZE, length)
                reached = end

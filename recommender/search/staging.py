"""Arrays on their way into an index: collected from a stream in files without a name.

So an index is built of any number of tracks in the same memory.
"""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from recommender.errors import UsageError
from recommender.search.columns import ColumnSource
from recommender.search.mapped_file import Array, ArrayWriter
from recommender.utils.arrays import FloatArray, IntArray, is_unit, usable_rows

Batch = tuple[IntArray, FloatArray, Mapping[str, Array]]
"""Ids [m], unit vectors [m, d] and columns [m, ...] of some tracks."""


@dataclass(frozen=True, eq=False)
class Staged:
    """Tracks that an index is to be built of.

    Attributes:
        ids: np.ndarray [shape=(n,)], int64, ascending.
        units: np.ndarray [shape=(n, d)], float32.
        columns: name → np.ndarray [shape=(n, ...)].
        dropped: tracks left out because their vectors were zero or not finite.
    """

    ids: IntArray
    units: FloatArray
    columns: Mapping[str, Array] = field(default_factory=dict)
    dropped: int = 0


class _Growing:
    """An array that is written part by part to a file without a name."""

    def __init__(self, folder: Path | None) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._like: Array | None = None

    def add(self, values: Array) -> None:
        """Append rows."""
        if self._like is None:
            self._like = values[:0]
        elif (values.dtype, values.shape[1:]) != (self._like.dtype, self._like.shape[1:]):
            raise UsageError(
                f"rows of type {values.dtype} and shape {values.shape[1:]} do not go with "
                f"{self._like.dtype} {self._like.shape[1:]}."
            )
        self._file.write(np.ascontiguousarray(values).data)

    def mapped(self) -> Array:
        """All rows."""
        self._file.flush()
        if self._like is None:
            return np.empty((0, 0), dtype=np.float32)
        if not self._file.tell():
            return self._like
        flat = np.memmap(self._file, dtype=self._like.dtype, mode="r")
        return flat.reshape(-1, *self._like.shape[1:])


def staged(batches: Iterable[Batch], source: ColumnSource | None, folder: Path | None) -> Staged:
    """Collect a stream of tracks.

    Args:
        batches: distinct ids, in any order.
        source: of columns that compare tracks; None where there are none.
        folder: where the files without a name are; None for that of the system.

    Raises:
        UsageError: vectors that are not of length 1.
        OSError: the files cannot be written.
    """
    numbers: list[IntArray] = []
    units, columns, dropped = _Growing(folder), dict[str, _Growing](), 0
    for ids, vectors, values in batches:
        usable = usable_rows(vectors)
        dropped += int((~usable).sum())
        kept = np.flatnonzero(usable)
        require_unit(vectors[kept])
        numbers.append(ids[kept])
        units.add(vectors[kept].astype(np.float32, copy=False))
        for name, column in values.items():
            columns.setdefault(name, _Growing(folder)).add(column[kept])
    every = np.concatenate(numbers) if numbers else np.empty(0, np.int64)
    found = {name: column.mapped() for name, column in columns.items()}
    rows = units.mapped()
    if (np.diff(every) <= 0).any():
        order = np.argsort(every, kind="stable")
        every, rows = every[order], rows[order]
        found = {name: column[order] for name, column in found.items()}
    if source is not None and len(every):
        found |= source.related(found, None)
    return Staged(every.astype(np.int64), rows, found, dropped)


def require_unit(vectors: FloatArray) -> None:
    """Raise `UsageError` unless rows have length 1."""
    if not is_unit(vectors).all():
        raise UsageError("vectors must be normalised to length 1 before they are compared.")


def scratch(count: int, width: int) -> FloatArray:
    """An array [count, width], float32, in a file without a name, or in memory without a disk."""
    shape = count, width
    if count * width < 2**20:
        return np.empty(shape, dtype=np.float32)
    try:
        with ArrayWriter(None, {"values": ("<f4", shape)}) as writer:
            values: FloatArray = writer.arrays["values"]
            return values
    except OSError:
        return np.empty(shape, dtype=np.float32)

"""Activations as a blob: half-precision numbers, or single-precision ones where half cannot hold
them.

Which of the two a blob holds follows from its length, as the space's dimension is known.
Activations are logarithms, ratios and means of a network's outputs: the largest of the shipped
models' over real music are below 100, a thousandth of half precision's range (65,504), and rounding
to 11 bits changes lists in near ties only (``tests/bench/half_precision.py``). A vector that
exceeds the range, as a model of another kind may have them, is stored in single precision as a
whole.
"""

import zlib
from typing import TypeGuard

import numpy as np

from recommender.utils.arrays import FloatArray

HALF, SINGLE = np.dtype("<f2"), np.dtype("<f4")
"""Types of the numbers, on every machine."""


def encode(activations: FloatArray) -> bytes:
    """The blob of np.ndarray [shape=(d,)], float32."""
    single = np.asarray(activations, dtype=SINGLE)
    with np.errstate(over="ignore"):
        half = single.astype(HALF)
    fits = bool((np.isfinite(half) == np.isfinite(single)).all())
    return (half if fits else single).tobytes()


def decode(blob: bytes, dimension: int) -> FloatArray:
    """np.ndarray [shape=(dimension,)], float32, of a blob that `is_whole`."""
    dtype = HALF if len(blob) == dimension * HALF.itemsize else SINGLE
    return np.frombuffer(blob, dtype=dtype).astype(np.float32)


def checksum(blob: bytes) -> int:
    """CRC-32 of the blob."""
    return zlib.crc32(blob)


def is_whole(blob: bytes | None, stored: int | None, dimension: int) -> TypeGuard[bytes]:
    """Whether a blob has one of its two lengths and its checksum, where one is stored."""
    return (
        isinstance(blob, bytes)
        and len(blob) in (dimension * HALF.itemsize, dimension * SINGLE.itemsize)
        and (stored is None or checksum(blob) == stored)
    )

"""Array types, checks and normalisation of vectors, and rows in parts. numpy only."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recommender.errors import UsageError

FloatArray = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

LENGTH_TOLERANCE = 1e-3
"""Largest difference from 1 that the length of a unit vector may have."""


def unit_rows(vectors: FloatArray) -> FloatArray:
    """Rows of `vectors` (np.ndarray [shape=(n, d)]) scaled to length 1; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: FloatArray = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit


def row_parts(count: int, width: int, cells: int = 2**22) -> Iterator[slice]:
    """`count` rows in parts of at most `cells` values, each row taking `width` of them."""
    height = max(1, cells // max(1, width))
    for start in range(0, count, height):
        yield slice(start, min(start + height, count))


def places_in(ascending: IntArray, values: IntArray) -> IntArray:
    """The place of each value in `ascending` (np.ndarray [shape=(n,)], distinct); -1 for none."""
    if not len(ascending):
        return np.full(np.shape(values), -1, dtype=np.int64)
    places = np.searchsorted(ascending, values).clip(max=len(ascending) - 1)
    return np.where(ascending[places] == values, places, -1)


def is_unit(vectors: FloatArray) -> BoolArray:
    """Which rows of `vectors` (np.ndarray [shape=(n, d)]) are finite and of length 1: bool [n]."""
    # A length is NaN or infinite where any value is, and then compares as False.
    close: BoolArray = np.abs(np.linalg.norm(vectors, axis=1) - 1) <= LENGTH_TOLERANCE
    return close


def usable_rows(vectors: FloatArray) -> BoolArray:
    """Which rows of `vectors` (np.ndarray [shape=(n, d)]) are finite and not zero: bool [n]."""
    usable: BoolArray = np.isfinite(vectors).all(axis=1) & (vectors != 0).any(axis=1)
    return usable


def checked_vectors(vectors: FloatArray) -> FloatArray:
    """`vectors` as float32; raises `UsageError` unless they are unit vectors [shape=(n, d)]."""
    vectors = np.asarray(vectors, dtype=np.float32)
    if vectors.ndim != 2:
        raise UsageError(f"vectors must have shape (n, d), not {vectors.shape}.")
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(broken):
        raise UsageError(
            f"{len(broken)} vectors hold NaN or infinity, the first in row {broken[0]}: "
            "leave those tracks out or analyse them again."
        )
    odd = np.flatnonzero(~is_unit(vectors))
    if len(odd):
        raise UsageError(
            f"{len(odd)} vectors are not of length 1, the first in row {odd[0]}: "
            "divide every vector by its length."
        )
    return vectors

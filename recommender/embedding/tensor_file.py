"""Named arrays in a safetensors file, and the digest of their values. numpy only.

What is read back equals what was written, to the bit, and is float32. A matrix called ``matrix``
takes the least space that allows:

- Rows of zeros, such as those that a projection has for activations it does not use, are left out;
  ``matrix.used`` (uint8 [d]) says of each row whether it is there. Without it, all are.
- If every value is one of float16 times one power of two, float16 is written, and the power in
  ``matrix.exponent`` (int32 [1]). `as_float16` rounds to such values.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.errors import WeightsError
from recommender.utils.arrays import BoolArray, FloatArray
from recommender.utils.files import replace_file, require_regular

StoredArray = npt.NDArray[Any]

_USED, _EXPONENT = ".used", ".exponent"

FLOAT16_BITS = 11
"""Significant bits of a float16, the leading one included."""


def values_digest(*arrays: FloatArray) -> str:
    """Twelve hex digits of shapes and values: BLAKE2b of 6 bytes."""
    digest = hashlib.blake2b(digest_size=6)
    for array in arrays:
        digest.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def as_float16(values: FloatArray, significant_bits: int = FLOAT16_BITS) -> FloatArray:
    """The nearest values that are written as float16. Applied twice, it changes nothing more.

    Args:
        values: np.ndarray [shape=(d, p)], float32, finite.
        significant_bits: to round each value to, at most `FLOAT16_BITS`. The others are 0
            in the file, and vanish when it is compressed.

    Returns:
        np.ndarray [shape=(d, p)], float32. The relative error is at most 2**-significant_bits for
        values down to 2**-28 of the largest.
    """
    fraction, exponent = np.frexp(values)
    rounded = np.ldexp(np.round(np.ldexp(fraction, significant_bits)), exponent - significant_bits)
    shift = _shift(rounded)
    return _from_float16(_to_float16(rounded, shift), shift)


def save_arrays(path: Path, arrays: Mapping[str, FloatArray]) -> None:
    """Write vectors and matrices, float32, under their names; replaces the file atomically.

    Raises:
        OSError: the file cannot be written.
    """
    from safetensors.numpy import save

    stored: dict[str, StoredArray] = {}
    for name, array in arrays.items():
        values: StoredArray = np.ascontiguousarray(array)
        stored |= _compact(name, values) if values.ndim == 2 else {name: values}
    replace_file(path, save(stored))


def load_arrays(path: Path, names: tuple[str, ...], content: str) -> list[FloatArray]:
    """Read arrays that `save_arrays` wrote.

    Args:
        path: the file.
        names: of the arrays wanted, in the order in which they are returned.
        content: what the file holds, for the error: ``projection``.

    Raises:
        WeightsError: the file is missing, damaged, or lacks one of the names.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        require_regular(path)
        stored = load_file(path)
        return [_restored(stored, name) for name in names]
    except (OSError, SafetensorError, LookupError, ValueError, TypeError, OverflowError) as error:
        raise WeightsError(
            f"the {content} {path} cannot be read ({error}): install the package again or "
            "train the model again with 'recsys train'."
        ) from error


def _compact(name: str, matrix: FloatArray) -> dict[str, StoredArray]:
    """What is written of a matrix [d, p], by name."""
    stored: dict[str, StoredArray] = {}
    used: BoolArray = np.any(matrix.view(np.uint32) != 0, axis=1)  # a row of -0.0 is not left out
    if not used.all():
        matrix = matrix[used]
        stored[name + _USED] = used.astype(np.uint8)
    shift = _shift(matrix)
    half = _to_float16(matrix, shift)
    if _from_float16(half, shift).tobytes() != matrix.tobytes():
        return {**stored, name: matrix}
    return {**stored, name: half, name + _EXPONENT: np.array([-shift], np.int32)}


def _restored(stored: Mapping[str, StoredArray], name: str) -> FloatArray:
    """The array that `_compact` took apart, or any other under its name."""
    values = stored[name]
    if name + _EXPONENT in stored:
        values = _from_float16(values, -int(stored[name + _EXPONENT][0]))
    if name + _USED in stored:
        used = stored[name + _USED].astype(bool)
        whole = np.zeros((len(used), values.shape[1]), values.dtype)
        whole[used] = values
        values = whole
    return values


def _shift(values: FloatArray) -> int:
    """The power of two that brings the largest value to 2**14 or more, and below 2**15.

    There, float16 is nearest to its limit, and so keeps the most of small values.
    """
    return 15 - int(np.frexp(np.abs(values).max(initial=0))[1])


def _to_float16(values: FloatArray, shift: int) -> npt.NDArray[np.float16]:
    with np.errstate(over="ignore"):  # of values that are infinite already
        return np.ldexp(values, shift).astype(np.float16)


def _from_float16(values: StoredArray, shift: int) -> FloatArray:
    with np.errstate(over="ignore"):
        return np.ldexp(values.astype(np.float32), -shift)

"""Named arrays in a safetensors file, and the digest of their values. numpy only.

A matrix is written without its rows of zeros, such as those that a projection has for activations
it does not use. Where a matrix is called ``matrix``, ``matrix.used`` says of each row whether it is
there (uint8 [d], 1 or 0); without it, all are. What is read back equals what was written, to the
bit.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from recommender.errors import WeightsError
from recommender.utils.arrays import FloatArray
from recommender.utils.files import replace_file

_USED = ".used"


def values_digest(*arrays: FloatArray) -> str:
    """Twelve hex digits of shapes and values: BLAKE2b of 6 bytes."""
    digest = hashlib.blake2b(digest_size=6)
    for array in arrays:
        digest.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def save_arrays(path: Path, arrays: Mapping[str, FloatArray]) -> None:
    """Write vectors and matrices, float32, under their names; replaces the file atomically.

    Raises:
        OSError: the file cannot be written.
    """
    from safetensors.numpy import save

    stored: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        stored[name] = np.ascontiguousarray(array)
        if array.ndim == 2:
            used = stored[name].view(np.uint32).any(axis=1)  # -0.0 is not left out
            if not used.all():
                stored[name] = stored[name][used]
                stored[name + _USED] = used.astype(np.uint8)
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
        stored = load_file(path)
        return [_restored(stored, name) for name in names]
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(
            f"the {content} {path} cannot be read ({error}): install the package again or "
            "train the model again with 'recsys train'."
        ) from error


def _restored(stored: Mapping[str, np.ndarray], name: str) -> FloatArray:
    """One array with its rows of zeros."""
    values = stored[name]
    used = stored.get(name + _USED)
    if used is None:
        return values
    array = np.zeros((len(used), values.shape[1]), values.dtype)
    array[used.astype(bool)] = values
    return array

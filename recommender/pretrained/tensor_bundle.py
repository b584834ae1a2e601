"""Reading a checkpoint of TensorFlow (the "V2" tensor bundle), without TensorFlow.

A bundle is a table of LevelDB (``.index``) that says of each tensor where its bytes lie in the data
file (``.data-00000-of-00001``), and what their type, shape and checksum are. Field numbers:
tensorflow/core/protobuf/tensor_bundle.proto and framework/tensor_shape.proto.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from recommender.errors import WeightsError
from recommender.pretrained.crc32c import crc32c, masked
from recommender.pretrained.leveldb_table import read_table
from recommender.pretrained.varints import read_message
from recommender.utils.arrays import FloatArray

FLOAT = 1
"""DT_FLOAT of tensorflow/core/framework/types.proto."""

_DTYPE, _SHAPE, _SHARD, _OFFSET, _SIZE, _CRC = 1, 2, 3, 4, 5, 6  # BundleEntryProto
_NUMBER_OF_SHARDS, _ENDIANNESS = 1, 2  # BundleHeaderProto
_DIMENSION, _DIMENSION_SIZE = 2, 1  # TensorShapeProto
_LONGEST_NAME = 200


@dataclass(frozen=True)
class _Entry:
    """Where a tensor lies, and what it is."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int


def read_tensors(
    index: bytes, data: bytes, shapes: Mapping[str, tuple[int, ...]], of: str
) -> dict[str, FloatArray]:
    """The tensors of a checkpoint that are wanted, all float32; others are not looked at.

    Args:
        index: content of the ``.index`` file.
        data: content of the only data file.
        shapes: name → shape of each tensor wanted.
        of: the checkpoint's name, for errors.

    Raises:
        WeightsError: the checkpoint is no such file or is cut off, or a tensor is absent, has
            another shape or type, or another checksum than is stored.
    """
    try:
        entries = _read_index(index)
    except ValueError as error:
        raise WeightsError(f"the index of the checkpoint {of} cannot be read: {error}.") from error
    return {name: _tensor(name, entries, data, shape, of) for name, shape in shapes.items()}


def _read_index(index: bytes) -> dict[str, _Entry]:
    """The entries by name. Raises `ValueError`."""
    entries = {}
    for key, value in read_table(index):
        if not key:
            _check_header(value)
            continue
        name = key[:_LONGEST_NAME].decode("utf-8", "replace")
        entries[name] = _entry(value)
    return entries


def _check_header(value: bytes) -> None:
    header = dict(read_message(value))
    if header.get(_NUMBER_OF_SHARDS, 1) != 1 or header.get(_ENDIANNESS, 0) != 0:
        raise ValueError("it is of several files, or of another byte order")


def _entry(value: bytes) -> _Entry:
    fields = dict(read_message(value))
    shape = _sizes(_bytes(fields.get(_SHAPE, b"")))
    numbers = (_number(fields.get(name, 0)) for name in (_SHARD, _OFFSET, _SIZE, _CRC))
    return _Entry(_number(fields.get(_DTYPE, 0)), shape, *numbers)


def _sizes(shape: bytes) -> tuple[int, ...]:
    dimensions = (value for number, value in read_message(shape) if number == _DIMENSION)
    return tuple(_number(dict(read_message(_bytes(d))).get(_DIMENSION_SIZE, 0)) for d in dimensions)


def _number(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise ValueError("text stands where a number should be")
    return value


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a number stands where a message should be")
    return value


def _tensor(
    name: str, entries: Mapping[str, _Entry], data: bytes, shape: tuple[int, ...], of: str
) -> FloatArray:
    if name not in entries:
        raise WeightsError(f"the checkpoint {of} has no tensor {name}; {_known(entries)}.")
    entry = entries[name]
    if (entry.dtype, entry.shape, entry.shard) != (FLOAT, shape, 0):
        raise WeightsError(
            f"the tensor {name} of the checkpoint {of} has the shape {entry.shape} and type "
            f"{entry.dtype}, not {shape} and {FLOAT} (float32)."
        )
    content = data[entry.offset : entry.offset + entry.size]
    if len(content) < entry.size or entry.size != 4 * prod(shape):
        raise WeightsError(f"the checkpoint {of} is cut off: the tensor {name} is not whole.")
    if masked(crc32c(content)) != entry.crc:
        raise WeightsError(
            f"the tensor {name} of the checkpoint {of} is damaged: its checksum does not agree."
        )
    values: FloatArray = np.frombuffer(content, "<f4").astype(np.float32).reshape(shape)
    return values


def _known(names: Iterable[str]) -> str:
    some = sorted(names)
    return f"it has {len(some)} others" if some else "it holds none"

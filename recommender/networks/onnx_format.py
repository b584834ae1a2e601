"""Models in the ONNX format, written without the `onnx` package.

ONNX is a protocol buffer; a model of a few operators needs six of its messages. Field numbers and
types: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Weights are part of the bytes, so
that a model can be handed to a runtime without a file.
"""

import struct
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Attribute = int | float | str | Sequence[int]

IR_VERSION = 8
OPSET = 17

_VARINT, _BYTES, _FIXED32 = 0, 2, 5
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_STRING, _ATTRIBUTE_INTS = 1, 2, 3, 7


def write_model(
    nodes: Sequence[bytes],
    tensors: Mapping[str, npt.NDArray[np.float32] | npt.NDArray[np.int64]],
    input_name: str,
    input_shape: Sequence[int | str],
    output_name: str,
) -> bytes:
    """A model with one input and one output, both float32.

    Args:
        nodes: by `write_node`, each after those whose outputs it takes.
        tensors: constants by name.
        input_name: of the input.
        input_shape: its sizes; a name where the size is not known.
        output_name: of the output.
    """
    initializers = [_tensor(name, values) for name, values in tensors.items()]
    graph = b"".join(
        [
            *(_field(1, node) for node in nodes),
            _field(2, "network"),
            *(_field(5, tensor) for tensor in initializers),
            _field(11, _value(input_name, input_shape)),
            _field(12, _value(output_name, None)),
        ]
    )
    return _field(1, IR_VERSION) + _field(7, graph) + _field(8, _field(1, "") + _field(2, OPSET))


def write_node(
    operator: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    attributes: Mapping[str, Attribute],
) -> bytes:
    """A node; outputs that are not wanted have an empty name."""
    return b"".join(
        [
            *(_field(1, name) for name in inputs),
            *(_field(2, name) for name in outputs),
            _field(3, outputs[-1]),
            _field(4, operator),
            *(_field(5, _attribute(name, value)) for name, value in attributes.items()),
        ]
    )


def _tensor(name: str, values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> bytes:
    kind = _INT64 if values.dtype == np.int64 else _FLOAT
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    sizes = b"".join(_field(1, size) for size in values.shape)
    return sizes + _field(2, kind) + _field(8, name) + _field(9, little.tobytes())


def _value(name: str, shape: Sequence[int | str] | None) -> bytes:
    tensor = _field(1, _FLOAT)
    if shape is not None:
        sizes = [_field(1, size) if isinstance(size, int) else _field(2, size) for size in shape]
        tensor += _field(2, b"".join(_field(1, size) for size in sizes))
    return _field(1, name) + _field(2, _field(1, tensor))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        content = _field(3, value) + _field(20, _ATTRIBUTE_INT)
    elif isinstance(value, float):
        content = _field(2, value) + _field(20, _ATTRIBUTE_FLOAT)
    elif isinstance(value, str):
        content = _field(4, value) + _field(20, _ATTRIBUTE_STRING)
    else:
        content = b"".join(_field(8, item) for item in value) + _field(20, _ATTRIBUTE_INTS)
    return _field(1, name) + content


def _field(number: int, value: int | float | str | bytes) -> bytes:
    """One field of a message (https://protobuf.dev/programming-guides/encoding)."""
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    if isinstance(value, float):
        return _varint(number << 3 | _FIXED32) + struct.pack("<f", value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number as of 64 bits."""
    value &= (1 << 64) - 1
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    digits.append(value)
    return bytes(digits)

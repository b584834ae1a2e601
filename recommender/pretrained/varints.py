"""Numbers and messages in the wire format of protocol buffers.

Source: https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

_LONGEST = 10
"""Bytes of a number of 64 bits."""


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and the position after it.

    Raises:
        ValueError: it does not end within `data`.
    """
    value = 0
    for index, byte in enumerate(data[position : position + _LONGEST]):
        value |= (byte & 127) << 7 * index
        if byte < 128:
            return value, position + index + 1
    raise ValueError("a number is cut off")


def read_message(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values of a message, in their order.

    Raises:
        ValueError: it is cut off, or a field has a type of no use today.
    """
    position = 0
    while position < len(data):
        tag, position = read_varint(data, position)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, position = read_varint(data, position)
            yield number, value
            continue
        if kind == BYTES:
            size, position = read_varint(data, position)
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"a field of a message has the type {kind}")
        content, position = data[position : position + size], position + size
        if len(content) < size:
            raise ValueError("a message is cut off")
        yield number, content if kind == BYTES else int.from_bytes(content, "little")

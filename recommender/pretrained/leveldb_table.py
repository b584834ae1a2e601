"""Reading a table of LevelDB (SSTable): sorted keys with values, in blocks with checksums.

Written from the format's specification (LevelDB, ``doc/table_format.md``): a footer of 48 bytes
names the index block, which names the data blocks; a block holds entries whose keys leave out what
they share with the key before, and ends with the offsets of the entries that share nothing.
"""

from collections.abc import Iterator

from recommender.pretrained.crc32c import crc32c, masked
from recommender.pretrained.varints import read_varint

FOOTER_BYTES = 48
MAGIC = bytes.fromhex("57fb808b247547db")
_TRAILER_BYTES = 5  # one for the kind of compression, four for the checksum
_UNCOMPRESSED = 0


def read_table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a table, in their order.

    Raises:
        ValueError: it is no table, is cut off, is compressed, or a checksum does not agree.
    """
    if len(data) < FOOTER_BYTES or data[-len(MAGIC) :] != MAGIC:
        raise ValueError("it does not end as a table does")
    footer = data[-FOOTER_BYTES:]
    _, _, position = _handle(footer, 0)  # of the block that describes further blocks
    offset, size, _ = _handle(footer, position)
    for _, handle in _entries(_block(data, offset, size)):
        offset, size, _ = _handle(handle, 0)
        yield from _entries(_block(data, offset, size))


def _handle(data: bytes, position: int) -> tuple[int, int, int]:
    """Offset and size of a block, and the position after them."""
    offset, position = read_varint(data, position)
    size, position = read_varint(data, position)
    return offset, size, position


def _block(data: bytes, offset: int, size: int) -> bytes:
    """The content of a block. Raises `ValueError`."""
    end = offset + size
    if end + _TRAILER_BYTES > len(data):
        raise ValueError("a block lies beyond its end")
    stored = int.from_bytes(data[end + 1 : end + _TRAILER_BYTES], "little")
    if masked(crc32c(data[offset : end + 1])) != stored:
        raise ValueError("the checksum of a block does not agree")
    if data[end] != _UNCOMPRESSED:
        raise ValueError("a block is compressed")
    return data[offset:end]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block. Raises `ValueError`."""
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (1 + restarts)
    if end < 0:
        raise ValueError("a block is shorter than its list of offsets")
    key, position = b"", 0
    while position < end:
        shared, position = read_varint(block, position)
        own, position = read_varint(block, position)
        length, position = read_varint(block, position)
        if shared > len(key) or position + own + length > end:
            raise ValueError("an entry lies beyond its block")
        key = key[:shared] + block[position : position + own]
        position += own
        yield key, block[position : position + length]
        position += length

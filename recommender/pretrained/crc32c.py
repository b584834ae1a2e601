"""CRC-32C, the checksum of LevelDB tables and of TensorFlow's checkpoints. numpy only.

Castagnoli's polynomial in reflected form (RFC 3720, appendix B.4). Stored checksums are masked, so
that the checksum of data that hold checksums is no special value (LevelDB, ``util/crc32c.h``).
"""

import functools

import numpy as np
import numpy.typing as npt

_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8

_LANES = 1024
"""Equal parts of the data whose checksums are computed side by side."""


def crc32c(data: bytes) -> int:
    """The CRC-32C of `data`."""
    length = len(data) // _LANES
    if length < 64:  # not worth joining parts
        return _of_bytes(data, 0)
    lanes = np.frombuffer(data, np.uint8, length * _LANES).reshape(_LANES, length)
    table = _table()
    states = np.zeros(_LANES, np.uint32)
    states[0] = 0xFFFFFFFF
    for column in np.ascontiguousarray(lanes.T):
        states = table[(states ^ column) & 0xFF] ^ (states >> 8)
    shift = _after_zeros(length)
    state = 0
    for own in states.tolist():
        state = _applied(shift, state) ^ own
    return _of_bytes(data[length * _LANES :], state ^ 0xFFFFFFFF)


def masked(crc: int) -> int:
    """A checksum as it is stored."""
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def _of_bytes(data: bytes, crc: int) -> int:
    """The checksum of bytes that follow others whose checksum is `crc`."""
    table = _table().tolist()
    state = crc ^ 0xFFFFFFFF
    for byte in data:
        state = table[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state ^ 0xFFFFFFFF


@functools.cache
def _table() -> npt.NDArray[np.uint32]:
    """What a byte makes of a state of zeros, np.ndarray [shape=(256,)]."""
    states: npt.NDArray[np.uint32] = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        states = (states >> np.uint32(1)) ^ (states & np.uint32(1)) * np.uint32(_POLYNOMIAL)
    return states


def _after_zeros(count: int) -> list[int]:
    """What `count` zero bytes make of each single bit of a state; over GF(2) that is linear."""
    table = _table()
    one = np.uint32(1) << np.arange(32, dtype=np.uint32)
    images: list[int] = [int(table[bit & 0xFF] ^ (bit >> 8)) for bit in one]
    result = [1 << bit for bit in range(32)]
    while count:
        if count & 1:
            result = [_applied(images, value) for value in result]
        images = [_applied(images, value) for value in images]
        count >>= 1
    return result


def _applied(images: list[int], state: int) -> int:
    """The map with these images of single bits, applied to a state."""
    found, bit = 0, 0
    while state >> bit:
        if state >> bit & 1:
            found ^= images[bit]
        bit += 1
    return found

"""CRC-32C against published values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.pretrained.crc32c import crc32c, masked


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),  # RFC 3720, appendix B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(reversed(range(32))), 0x113FDB5C),
    ],
)
def test_published_values(data: bytes, expected: int) -> None:
    assert crc32c(data) == expected


@settings(max_examples=10)
@given(st.binary(min_size=1, max_size=9), st.integers(66_000, 70_000))
def test_long_data_are_summed_in_parts_with_the_same_result(word: bytes, length: int) -> None:
    data = (word * (length // len(word) + 1))[:length]
    # A checksum that follows its data, lowest byte first, always gives the same.
    assert crc32c(data + crc32c(data).to_bytes(4, "little")) == crc32c(bytes(4))


def test_the_mask_is_that_of_leveldb() -> None:
    assert masked(0) == 0xA282EAD8
    assert masked(0xE3069283) == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF

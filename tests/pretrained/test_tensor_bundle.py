"""Checkpoints of TensorFlow: read whole, or refused with the reason."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensor_bundles import DOUBLE, bundle, table

from recommender.errors import WeightsError
from recommender.pretrained.leveldb_table import read_table
from recommender.pretrained.tensor_bundle import read_tensors
from recommender.pretrained.varints import read_message, read_varint

TENSORS = {
    f"layer_{number}/{name}": np.arange(np.prod(shape), dtype=np.float32).reshape(shape) + number
    for number in range(9)
    for name, shape in (("kernel", (2, 3, 4)), ("bias", (4,)), ("step", ()))
}
SHAPES = {name: values.shape for name, values in TENSORS.items()}
INDEX, DATA = bundle(TENSORS)


def test_every_tensor_comes_back() -> None:
    found = read_tensors(INDEX, DATA, SHAPES, "net")
    assert found.keys() == TENSORS.keys()
    for name, values in TENSORS.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == np.float32


def test_what_is_not_wanted_is_not_looked_at() -> None:
    damaged = bytearray(DATA)
    damaged[0] ^= 1  # of layer_0/bias, the first
    assert read_tensors(INDEX, bytes(damaged), {"layer_5/step": ()}, "net")


@pytest.mark.parametrize(
    ("index", "data", "shapes", "reason"),
    [
        (INDEX, DATA, {"other": (1,)}, r"net has no tensor other; it has 27 others"),
        (INDEX, DATA, {"layer_0/bias": (5,)}, r"shape \(4,\) and type 1, not \(5,\)"),
        (bundle(TENSORS, DOUBLE)[0], DATA, SHAPES, r"type 2, not .* 1 \(float32\)"),
        (INDEX, DATA[:-1], SHAPES, r"cut off: the tensor layer_8/step is not whole"),
        (INDEX, b"", SHAPES, r"cut off"),
        (INDEX, bytes(len(DATA)), SHAPES, r"damaged: its checksum"),
        (INDEX[:-1], DATA, SHAPES, r"index .* does not end as a table"),
        (b"", DATA, SHAPES, r"does not end as a table"),
        (table({b"": b""}, compression=1), DATA, SHAPES, r"compressed"),
        (table({b"": b"\x08\x02"}), DATA, SHAPES, r"several files"),
        (table({b"": b"", b"a": b"\x12\x01\x12"}), DATA, SHAPES, r"cut off"),
        (table({b"": b"", b"a": b"\x0a\x00"}), DATA, SHAPES, r"text stands where a number"),
    ],
)
def test_what_is_wrong_is_said(index, data, shapes, reason: str) -> None:
    with pytest.raises(WeightsError, match=reason):
        read_tensors(index, data, shapes, "net")


@given(st.integers(0, len(INDEX) - 1), st.integers(1, 255))
def test_a_changed_byte_of_the_index_is_noticed_or_does_not_matter(at: int, change: int) -> None:
    changed = bytearray(INDEX)
    changed[at] ^= change
    try:
        found = read_tensors(bytes(changed), DATA, SHAPES, "net")
    except WeightsError:
        return
    for name, values in TENSORS.items():
        np.testing.assert_array_equal(found[name], values)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(content: bytes) -> None:
    ended = content + bytes.fromhex("57fb808b247547db")
    for read in (lambda: read_table(ended), lambda: read_message(content)):
        with contextlib.suppress(ValueError):
            list(read())
    with contextlib.suppress(ValueError):
        assert read_varint(content, 0)[1] <= 10

"""Activations in half precision, and in single precision where that cannot hold them."""

import numpy as np
import pytest
from catalogs import SPACE, analyse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from recommender.catalog import Catalog, Library
from recommender.catalog.activation_blob import checksum, decode, encode, is_whole
from recommender.embedding.space import Analysis
from recommender.utils.arrays import FloatArray

VECTORS = arrays(
    np.float32,
    array_shapes(max_dims=1, min_side=1, max_side=20),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
)
STEP = 2.0**-11
"""Relative error of rounding to half precision."""

TINIEST = 2.0**-24
"""The smallest number in half precision."""


@given(VECTORS)
def test_no_number_leaves_its_range(vector: FloatArray) -> None:
    blob = encode(vector)
    assert is_whole(blob, checksum(blob), len(vector))
    found = decode(blob, len(vector))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, vector, rtol=STEP, atol=TINIEST)
    assert encode(found) == blob


@pytest.mark.parametrize(("largest", "width"), [(65_504.0, 2), (65_519.0, 2), (65_520.0, 4)])
def test_a_vector_beyond_half_precision_is_stored_whole(largest: float, width: int) -> None:
    vector = np.array([0.1, largest], np.float32)
    blob = encode(vector)
    assert len(blob) == 2 * width
    if width == 4:
        np.testing.assert_array_equal(decode(blob, 2), vector)


def test_a_blob_of_another_length_or_checksum_is_damaged() -> None:
    blob = encode(np.ones(3, np.float32))
    assert is_whole(blob, None, 3)
    assert not is_whole(blob[:-1], None, 3)
    assert not is_whole(blob, checksum(blob) ^ 1, 3)
    assert not is_whole(None, None, 3)


def test_both_forms_are_read_together(catalog: Catalog, library: Library) -> None:
    vectors = np.array([[0.5, 1.0], [1e6, 0.1]], np.float32)
    for number, vector in enumerate(vectors):
        analysed = Analysis(vector, {"rock": 1.0}, 60.0, ((0.0, 10.0),), SPACE)
        analyse(catalog, library, f"{number}.wav", analysed=analysed)
    ids, found = catalog.activations(SPACE)
    np.testing.assert_array_equal(found, vectors)
    ((batch, same),) = catalog.activation_batches(SPACE)
    np.testing.assert_array_equal(batch, ids)
    np.testing.assert_array_equal(same, vectors)

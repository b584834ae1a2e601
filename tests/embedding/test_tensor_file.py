"""Arrays come back from their files as they were, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file, save_file

from recommender.embedding.tensor_file import (
    FLOAT16_BITS,
    as_float16,
    load_arrays,
    save_arrays,
    values_digest,
)
from recommender.errors import WeightsError

ANY_FLOATS = st.floats(width=32, allow_nan=False) | st.sampled_from([0.0, -0.0])


@settings(max_examples=50, deadline=None)
@given(
    hnp.arrays(np.float32, (6, 3), elements=ANY_FLOATS),
    hnp.arrays(np.float32, 6, elements=ANY_FLOATS),
    hnp.arrays(np.bool_, 6),
)
def test_values_come_back_to_the_bit(tmp_path_factory, matrix, mean, used) -> None:
    matrix[~used] = 0
    path = tmp_path_factory.mktemp("arrays") / "a.safetensors"
    save_arrays(path, {"mean": mean, "matrix": matrix})
    found_mean, found = load_arrays(path, ("mean", "matrix"), "projection")
    assert (found.dtype, found.shape) == (np.float32, matrix.shape)
    assert found.tobytes() == matrix.tobytes()
    assert found_mean.tobytes() == mean.tobytes()
    assert values_digest(found_mean, found) == values_digest(mean, matrix)


def test_rows_of_zeros_are_not_stored(tmp_path) -> None:
    matrix = np.ones((100, 50), np.float32)
    save_arrays(tmp_path / "all", {"matrix": matrix})
    matrix[10:] = 0
    save_arrays(tmp_path / "few", {"matrix": matrix})
    sizes = [(tmp_path / name).stat().st_size for name in ("few", "all")]
    assert sizes[0] < 0.2 * sizes[1]


@settings(max_examples=50, deadline=None)
@given(
    hnp.arrays(np.float32, (5, 3), elements=st.floats(-(2.0**99), 2.0**99, width=32)),
    st.integers(4, FLOAT16_BITS),
)
def test_rounding_to_float16(tmp_path_factory, matrix, bits) -> None:
    rounded = as_float16(matrix, bits)
    largest = np.abs(matrix).max()
    wide = np.abs(matrix) >= 2.0**-28 * largest
    np.testing.assert_allclose(rounded[wide], matrix[wide], rtol=2.0**-bits)
    np.testing.assert_allclose(rounded, matrix, atol=2.0**-bits * largest)
    assert as_float16(rounded, bits).tobytes() == rounded.tobytes()
    path = tmp_path_factory.mktemp("arrays") / "a.safetensors"
    save_arrays(path, {"matrix": rounded})
    assert load_file(path)["matrix"].dtype == np.float16
    assert load_arrays(path, ("matrix",), "projection")[0].tobytes() == rounded.tobytes()


def test_files_without_the_list_of_rows_are_read(tmp_path) -> None:
    matrix = np.eye(4, dtype=np.float32)
    matrix[2] = 0
    save_file({"matrix": matrix}, tmp_path / "former")
    (found,) = load_arrays(tmp_path / "former", ("matrix",), "projection")
    assert np.array_equal(found, matrix)


def test_wrong_number_of_rows_is_an_error(tmp_path) -> None:
    matrix = np.eye(4, dtype=np.float32)
    matrix[2] = 0
    save_arrays(tmp_path / "damaged", {"matrix": matrix})
    stored = load_file(tmp_path / "damaged")
    stored["matrix.used"][:] = 1
    save_file(stored, tmp_path / "damaged")
    with pytest.raises(WeightsError, match=r"projection .* cannot be read"):
        load_arrays(tmp_path / "damaged", ("matrix",), "projection")

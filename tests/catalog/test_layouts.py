"""Layouts are stored whole, one of each kind, and never replace what is newer than they know."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from catalogs import SPACE
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recommender.catalog import Catalog
from recommender.catalog.layout_records import LayoutKind, StoredLayout

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def layout(kind: LayoutKind = LayoutKind.MAP, count: int = 3, width: int = 2) -> StoredLayout:
    ids = np.arange(count, dtype=np.int64) + 2**40
    values = np.arange(count * width, dtype=np.float32).reshape(count, width)
    return StoredLayout(kind, replace(SPACE, projection="p"), NOW, {"a": [1, None]}, ids, values)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    with Catalog.open(tmp_path_factory.mktemp("layouts") / "catalog.db") as opened:
        yield opened


@given(
    values=arrays.arrays(
        np.float32,
        st.tuples(st.integers(0, 5), st.integers(1, 3)),
        elements=st.floats(width=32, allow_nan=False),
    )
)
def test_what_is_stored_is_read(catalog: Catalog, values: np.ndarray) -> None:
    stored = replace(layout(), ids=np.arange(len(values)), values=values)
    assert catalog.store_layout(stored)
    found = catalog.layout(LayoutKind.MAP)
    assert found is not None
    assert (found.space, found.computed_at, found.details) == (
        stored.space,
        stored.computed_at,
        stored.details,
    )
    np.testing.assert_array_equal(found.ids, stored.ids)
    np.testing.assert_array_equal(found.values, values)


def test_there_is_one_of_each_kind_and_the_state_stays(tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        before = catalog.state()
        assert catalog.layout_kinds() == ()
        assert catalog.layout(LayoutKind.MAP) is None
        catalog.store_layout(layout())
        catalog.store_layout(layout(LayoutKind.CLUSTERS, 5, 1))
        catalog.store_layout(layout(count=7))
        assert catalog.layout_kinds() == (LayoutKind.CLUSTERS, LayoutKind.MAP)
        found = catalog.layout(LayoutKind.MAP)
        assert found is not None
        assert found.values.shape == (7, 2)
        assert catalog.state() == before


def test_a_layout_made_of_an_older_one_does_not_replace_a_newer(tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        old, new = layout(), replace(layout(count=4), computed_at=NOW + timedelta(seconds=1))
        assert not catalog.store_layout(layout(count=9), in_place_of=old)  # there is none
        catalog.store_layout(old)
        assert catalog.store_layout(layout(count=5), in_place_of=old)
        catalog.store_layout(new)
        assert not catalog.store_layout(layout(count=6), in_place_of=old)
        found = catalog.layout(LayoutKind.MAP)
        assert found is not None
        assert len(found.ids) == 4


@pytest.mark.parametrize(
    "damage",
    ["track_ids = zeroblob(24)", "track_values = x'00'", "width = 0", "checksum = checksum + 1"],
)
def test_damage_is_noticed(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        catalog.store_layout(layout())
        with catalog._changing() as connection:
            connection.exec_driver_sql(f"UPDATE layouts SET {damage}")
        assert catalog.layout(LayoutKind.MAP) is None
        assert "compute it again" in caplog.text

"""An empty catalogue with one library."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recommender.catalog import Catalog, Library


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "data" / "catalog.db") as catalog:
        yield catalog


@pytest.fixture
def library(catalog: Catalog, tmp_path: Path) -> Library:
    return catalog.scope_of(tmp_path / "music")[0]

"""An empty catalogue with one library, in a SQLite file and on a PostgreSQL server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recommender.catalog import Catalog, Library

ON_SERVER = pytest.param("postgresql", marks=[pytest.mark.slow, pytest.mark.postgres])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests of catalogues on both databases, but those of SQLite's files on SQLite."""
    if "database" in metafunc.fixturenames:
        of_files = any(metafunc.definition.iter_markers("sqlite_file"))
        kinds = ["sqlite"] if of_files else ["sqlite", ON_SERVER]
        metafunc.parametrize("database", kinds, indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The path or the URL of a catalogue; on a server it is there, and empty."""
    if request.param == "sqlite":
        return str(tmp_path / "data" / "catalog.db")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def catalog(database: str) -> Iterator[Catalog]:
    with Catalog.open(database) as catalog:
        yield catalog


@pytest.fixture
def library(catalog: Catalog, tmp_path: Path) -> Library:
    return catalog.scope_of(tmp_path / "music")[0]

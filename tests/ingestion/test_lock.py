"""One ingest at a time, also where the file system has no locks."""

import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from recommender.catalog import Catalog
from recommender.errors import CatalogError
from recommender.ingestion.lock import ingest_lock

fcntl = pytest.importorskip("fcntl")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        yield catalog


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_without_locks_it_goes_on_and_says_so(
    catalog: Catalog,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with caplog.at_level(logging.WARNING), ingest_lock(catalog):
        catalog.scope_of(Path("/music"))
    assert "has no locks" in caplog.text
    assert os.strerror(number) in caplog.text


def test_a_lock_that_is_held_is_refused(catalog: Catalog) -> None:
    with (
        ingest_lock(catalog),
        pytest.raises(CatalogError, match="another ingest is running"),
        ingest_lock(catalog),
    ):
        pass
    with ingest_lock(catalog):
        pass


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_a_lock_that_cannot_be_made(
    catalog: Catalog, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refuse(path: object, *arguments: int) -> int:
        if str(path).endswith(".lock"):
            raise OSError(number, os.strerror(number), str(path))
        return opened(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CatalogError, match="cannot be changed"), ingest_lock(catalog):
        pass

"""One ingest at a time on one catalogue file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from recommender.catalog import Catalog
from recommender.errors import CatalogError


@contextmanager
def ingest_lock(catalog: Catalog) -> Iterator[None]:
    """Hold the lock beside a SQLite catalogue; the system frees it however the process ends.

    A catalogue on a server has no file to lock; there, transactions alone keep it consistent.

    Raises:
        CatalogError: another ingest holds the lock.
    """
    if catalog.folder is None:
        yield
        return
    name = PurePosixPath(urlsplit(catalog.url).path).name
    lock = FileLock(catalog.folder / f"{name}.ingest.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise CatalogError(
            f"another ingest is running on the catalogue in {catalog.folder}; wait until it has "
            "ended."
        ) from error
    try:
        yield
    finally:
        lock.release()

"""One ingest at a time on one catalogue file."""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from recommender.catalog import Catalog
from recommender.errors import CatalogError

logger = logging.getLogger(__name__)

_HAS_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


@contextmanager
def ingest_lock(catalog: Catalog) -> Iterator[None]:
    """Hold the lock beside a SQLite catalogue; the system frees it however the process ends.

    A catalogue on a server has no file to lock, and some file systems (SMB, NFS, FUSE) have no
    locks, which is logged: there, transactions alone keep the catalogue consistent.

    Raises:
        CatalogError: another ingest holds the lock, or its file cannot be made.
    """
    if catalog.file is None:
        yield
        return
    path = catalog.file.with_name(f"{catalog.file.name}.ingest.lock")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except (Timeout, NotImplementedError, OSError) as error:
        _go_on_without_locks(catalog, path, error)
    try:
        yield
    finally:
        lock.release()


def _go_on_without_locks(catalog: Catalog, path: Path, error: Exception) -> None:
    """Warn where the file system has no locks. Raises `CatalogError` elsewhere."""
    is_named = isinstance(error, OSError) and not isinstance(error, Timeout) and error.errno
    reason = error if is_named else _lock_error(path)
    if not isinstance(reason, OSError) or reason.errno in (errno.EAGAIN, errno.EWOULDBLOCK):
        raise CatalogError(
            f"another ingest is running on the catalogue in {catalog.folder}; wait until it has "
            "ended."
        ) from error
    why = reason.strerror or str(reason)
    if reason.errno not in _HAS_NO_LOCKS:
        raise CatalogError(
            f"the catalogue in {catalog.folder} cannot be changed ({why}): check that its folder "
            "is writable and has space left."
        ) from error
    logger.warning(
        "the file system of %s has no locks (%s): the database's own locking keeps the catalogue "
        "whole, but do not run two ingests at once.",
        path.parent,
        why,
    )


def _lock_error(path: Path) -> OSError | None:
    """Why a lock cannot be had, of which some versions of filelock say nothing."""
    try:
        import fcntl
    except ImportError:  # Windows, where locks always work
        return None
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        return error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error
    finally:
        os.close(file)
    return None

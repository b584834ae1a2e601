"""One process at a time writes an index; files of older indexes are removed."""

import errno
import glob
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from recommender.errors import IndexDamaged
from recommender.search.index_file import SUFFIX, lock_file, segment_file
from recommender.search.mapped_file import read_facts

logger = logging.getLogger(__name__)


@contextmanager
def writing(path: Path, wait_s: float) -> Iterator[bool]:
    """Hold the lock of the index `path`; whether its files may be written.

    They may not where another process still writes after `wait_s` seconds, and where no file can
    be made in the folder, which is logged.
    """
    # Not above: it loads asyncio and ssl, and most commands write no index.
    from filelock import FileLock, Timeout

    lock = FileLock(lock_file(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "a folder has its name")
        lock.acquire(timeout=wait_s)
    except Timeout:
        yield False
    except NotImplementedError:  # a file system without locks: renaming is all there is
        yield True
    except OSError as error:
        log_unsaved(path, error)
        yield False
    else:
        try:
            yield True
        finally:
            lock.release()


def log_unsaved(path: Path, error: OSError) -> None:
    """Warn that an index is only in memory."""
    logger.warning("the index cannot be saved as %s (%s).", path, error)


def remove_orphans(path: Path, catalog: str, database: Path | None) -> None:
    """Remove what earlier indexes of the catalogue left beside the new one, `path`.

    Args:
        path: of the index that was just written.
        catalog: the catalogue's own id; indexes of other catalogues are left alone.
        database: the catalogue's file, or None for a database server.
    """
    stem = catalog if database is None else database.stem
    for other in path.parent.glob(f"{glob.escape(stem)}.*{SUFFIX}"):
        if other != path and _catalog_of(other) == catalog:
            for orphan in (other, segment_file(other), lock_file(other)):
                with suppress(OSError):
                    orphan.unlink(missing_ok=True)
    for unfinished in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(OSError):
            unfinished.unlink()


def _catalog_of(path: Path) -> str | None:
    """The catalogue that an index of this or an older version says it is of."""
    try:
        return str(read_facts(path)["state"]["catalog"])
    except (IndexDamaged, OSError, LookupError, TypeError):
        return _catalog_of_older(path)


def _catalog_of_older(path: Path) -> str | None:
    """Likewise, of the format that had everything in one safetensors file."""
    with suppress(OSError, ValueError, LookupError, TypeError), path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(os.fstat(file.fileno()).st_size, 2**20):
            return None
        label: Any = json.loads(file.read(length))["__metadata__"]["recsys"]
        return str(json.loads(label.partition(" ")[2])["state"]["catalog"])
    return None

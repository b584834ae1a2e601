"""Copies of a SQLite catalogue, and new files that appear only when they are whole."""

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine

from recommender.errors import BackupFailed, CatalogError

_REPLACE_WAIT_S = 60.0
"""Seconds that others may write while a file is to be replaced."""

_BESIDE = ("", "-wal", "-shm", "-journal")
"""What the names of the files of one database end with."""


def back_up(engine: Engine, file: Path, revision: str) -> Path:
    """Copy the catalogue in `file`, as one transaction sees it.

    Args:
        engine: on `file`.
        file: the SQLite file.
        revision: of its schema; part of the copy's name.

    Returns:
        The copy beside it, which overwrites no earlier one.

    Raises:
        CatalogError: it cannot be written.
    """
    target = _free_name(file, f"schema-{revision}")
    try:
        with closing(engine.raw_connection()) as connection:
            source = connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            create_file(target, lambda new: _copy(source, new))
    except (sqlite3.Error, OSError, CatalogError) as error:
        raise BackupFailed(
            f"{file} cannot be copied to {target.name} before the upgrade ({error}); nothing was "
            "changed. Free some space; or copy it elsewhere, and upgrade without a "
            "backup."
        ) from error
    return target


def copy_aside(file: Path, why: str) -> Path:
    """Copy a database's files byte by byte, damaged ones too; `why` is part of the name.

    Raises `OSError`.
    """
    import shutil

    target = _free_name(file, why)
    try:
        for ending in ("", "-wal"):
            if os.path.exists(f"{file}{ending}"):  # noqa: PTH110
                shutil.copy2(f"{file}{ending}", f"{target}{ending}")
    except OSError:
        remove_database(target)
        raise
    return target


def create_file(file: Path, fill: Callable[[Path], None]) -> bool:
    """Let `fill` make a database, which then appears as `file`, unless that is there by then.

    Returns:
        Whether it is the new one that is there.

    Raises what `fill` raises, and `CatalogError` where the file cannot be put in its place.
    """
    temporary = file.with_name(f".{secrets.token_hex(8)}.new")
    try:
        fill(temporary)
        _merge_wal(temporary)
        _sync(temporary)
        try:
            os.link(temporary, file)
        except FileExistsError:  # another process was faster
            return False
        except OSError:  # no hard links here
            if os.path.lexists(file):
                return False
            temporary.rename(file)
        return True
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise CatalogError(
            f"{file} cannot be created ({reason}): check that its folder is writable and has "
            "space left."
        ) from error
    finally:
        remove_database(temporary)


def copy_database(file: Path, target: Path) -> None:
    """Copy a SQLite file, as one transaction sees it, to a file that is not there yet.

    Raises `CatalogError`.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(bytes(file))}?mode=ro", uri=True)) as source:
            _copy(source, target)
        _merge_wal(target)
        _sync(target)
    except (OSError, sqlite3.Error) as error:
        remove_database(target)
        raise CatalogError(f"{file} cannot be copied to {target} ({error}).") from error


def replace_database(file: Path, source: Path) -> None:
    """Make the SQLite file `file` hold what `source` does, in one transaction.

    Other processes may have it open: they see the one or the other. Raises `CatalogError`.
    """
    try:
        with (
            closing(sqlite3.connect(source, timeout=_REPLACE_WAIT_S)) as reading,
            closing(sqlite3.connect(file, timeout=_REPLACE_WAIT_S)) as target,
        ):
            reading.backup(target)
    except (OSError, sqlite3.Error) as error:
        raise CatalogError(
            f"{file} cannot be replaced ({error}): check that its folder is writable and has space "
            "left."
        ) from error


def remove_database(file: Path) -> None:
    """Delete a database with the files beside it."""
    for ending in _BESIDE:
        Path(f"{file}{ending}").unlink(missing_ok=True)


def _copy(source: sqlite3.Connection, new: Path) -> None:
    with closing(sqlite3.connect(new)) as target:
        source.backup(target)


def _merge_wal(file: Path) -> None:
    """Make one file of a database, of which nothing waits in a file beside it.

    SQLite does that too when the last connection is closed, but says nothing where the disk is
    full. Raises `sqlite3.Error`.
    """
    with closing(sqlite3.connect(file)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    if mode != "delete":
        raise sqlite3.OperationalError("its changes cannot be merged")


def _sync(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def _free_name(file: Path, label: str) -> Path:
    """``catalog.LABEL.db``, or with a number where that is taken."""
    number = 1
    while True:
        count = "" if number == 1 else f"-{number}"
        target = file.with_name(f"{file.stem}.{label}{count}{file.suffix}")
        if not os.path.lexists(target):
            return target
        number += 1

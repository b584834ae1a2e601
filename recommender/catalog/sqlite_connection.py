"""Connections to a SQLite file, also where it cannot be written. The only module with pragmas."""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

_CANNOT_WRITE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


def connect(file: Path, foreign_keys: bool, timeout_s: float) -> sqlite3.Connection:
    """A connection that begins no transaction by itself, in WAL mode where that is possible.

    WAL mode needs memory that processes share, which network file systems do not offer: there the
    catalogue stays in SQLite's usual mode. A file that cannot be written is opened for reading;
    on a read-only medium no other process changes it, so that it needs no locks.

    Raises:
        sqlite3.Error: it cannot be opened, or is no database.
    """
    # By default the driver begins transactions late, and none around DDL: hence isolation_level.
    connection = sqlite3.connect(
        file, timeout=timeout_s, isolation_level=None, check_same_thread=False
    )
    try:
        _use_wal(connection)
    except sqlite3.OperationalError as error:
        connection.close()
        if _code(error) not in _CANNOT_WRITE or not file.is_file():
            raise
        connection = _for_reading(file, timeout_s, error)
    except BaseException:
        connection.close()
        raise
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL mode. Raises where the database cannot be written or read."""
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if _code(error) in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL):
            # No shared memory here. A file that is in WAL mode already can be used by one process.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA locking_mode = NORMAL")
        else:
            raise
    connection.execute("SELECT 1 FROM sqlite_master LIMIT 1")


def _for_reading(
    file: Path, timeout_s: float, error: sqlite3.OperationalError
) -> sqlite3.Connection:
    """A connection that cannot write. Raises `error` where that does not help."""
    name = f"file:{quote(bytes(file))}"
    wal = Path(f"{file}-wal")
    unmerged = wal.is_file() and wal.stat().st_size > 0
    # Immutable means: no locks and no WAL, which would leave out what was not merged.
    still = not unmerged and not os.access(file.parent, os.W_OK)
    for options in ("mode=ro", "immutable=1") if still else ("mode=ro",):
        connection = sqlite3.connect(
            f"{name}?{options}",
            uri=True,
            timeout=timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1")
            return connection
        except sqlite3.OperationalError as also:
            connection.close()
            if _code(also) not in _CANNOT_WRITE:
                raise
    if unmerged:
        raise sqlite3.OperationalError(
            f"{wal.name} beside it holds changes that cannot be merged on a read-only medium: copy "
            "both to a folder that can be written"
        ) from error
    raise error


def _code(error: sqlite3.Error) -> int:
    """The primary result code."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF

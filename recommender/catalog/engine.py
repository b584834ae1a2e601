"""The catalogue's engine and its transactions: who waits for whom, and what cannot be written."""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    IntegrityError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)

from recommender.catalog.database_url import catalog_url, database_file, shown
from recommender.catalog.server_connection import READING, advice_on, make_server_engine, reason_of
from recommender.catalog.sqlite_connection import connect
from recommender.errors import CatalogError

__all__ = ["catalog_url", "database_file", "make_engine", "shown", "transaction"]

logger = logging.getLogger(__name__)

BUSY_SECONDS = 30.0
"""A process that waits longer than this for another one's transaction says so, and goes on."""

PATIENCE_SECONDS = 3600.0
"""How long it waits before it gives up."""

_TRY_SECONDS = 0.5
"""How long SQLite itself waits; short, so that Ctrl-C is obeyed while a process waits."""

_WRITES = "recsys_writes"

_Result = TypeVar("_Result")


def make_engine(url: URL, *, foreign_keys: bool = True) -> Engine:
    """An engine on `url`; nothing is connected yet.

    Args:
        foreign_keys: off for migrations, which rebuild tables on SQLite: dropping the old copy of
            one would delete all rows that refer to it.

    Raises:
        CatalogError: no driver for this kind of database is installed.
    """
    file = database_file(url)
    try:
        if file is None:
            engine = make_server_engine(url)
        else:
            engine = create_engine(url, creator=lambda: _connected(file, foreign_keys))
    except (ArgumentError, ImportError, TypeError, ValueError) as error:
        raise CatalogError(
            f"the database driver for {shown(url)} cannot be loaded ({error}). Install it with "
            "pip; that of PostgreSQL comes with this package's extra 'postgres'."
        ) from error
    if engine.dialect.is_async:
        raise CatalogError(
            f"{shown(url)} names an asynchronous driver; name another one, or none for the usual."
        )
    if file is not None:
        event.listen(engine, "begin", _begin)
    return engine


def _connected(file: Path, foreign_keys: bool) -> sqlite3.Connection:
    return _patiently(lambda: connect(file, foreign_keys, _TRY_SECONDS), str(file))


def _begin(connection: Connection) -> None:
    """Begin a transaction with its lock, so that no later statement has to wait for one.

    One that reads first and writes later would fail instead of wait if another process wrote in
    between. EXCLUSIVE is IMMEDIATE in WAL mode; in other modes, a commit need not wait for readers.
    """
    writes = connection.get_execution_options().get(_WRITES, False)
    name = shown(connection.engine.url)

    def begin() -> None:
        cursor = connection.connection.cursor()
        cursor.execute("BEGIN EXCLUSIVE" if writes else "BEGIN")
        if not writes:
            try:
                cursor.execute("SELECT 1 FROM sqlite_master LIMIT 1")  # takes the lock for reading
            except sqlite3.Error:
                cursor.execute("ROLLBACK")
                raise

    try:
        _patiently(begin, name)
    except sqlite3.DatabaseError as error:
        kind = OperationalError if isinstance(error, sqlite3.OperationalError) else DatabaseError
        raise kind("BEGIN", None, error) from error


def _patiently(action: Callable[[], _Result], name: str) -> _Result:
    """Do `action` again and again while another process has the database locked."""
    started = said = time.monotonic()
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            now = time.monotonic()
            if not _is_busy(error) or now - started > PATIENCE_SECONDS:
                raise
            if now - said >= BUSY_SECONDS:
                said = now
                logger.warning(
                    "the catalogue %s is locked by another process; waiting for %.0f s so far. "
                    "Nothing is lost.",
                    name,
                    now - started,
                )


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


@contextmanager
def transaction(engine: Engine, *, writes: bool = False) -> Iterator[Connection]:
    """One transaction: committed at the end, rolled back when anything is raised.

    Where another process is writing, it is waited for.

    Raises:
        CatalogError: the database cannot be opened, read or written.
    """
    options: dict[str, Any] = {_WRITES: writes}
    if not writes and engine.dialect.name == "postgresql":
        options |= READING
    try:
        with engine.connect().execution_options(**options) as connection:
            begun = connection.begin()
            yield connection  # what is raised here rolls back, as the connection closes
            if writes:
                begun.commit()
            # Otherwise rolled back too: a damaged page that was read would fail a commit.
    except IntegrityError as error:
        raise CatalogError(
            f"the catalogue {shown(engine.url)} was changed by another process meanwhile "
            f"({reason_of(error.orig)}). Run the command again."
        ) from error
    except DatabaseError as error:
        raise _unusable(engine.url, str(error.orig)) from error
    except StatementError:
        raise  # of arguments that no statement can take
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _unusable(engine.url, str(error)) from error


def _unusable(url: URL, message: str) -> CatalogError:
    is_server = database_file(url) is None
    reason = reason_of(message) if is_server else message.partition("\n")[0]
    advice = advice_on(message) if is_server else _advice(reason)
    return CatalogError(f"the catalogue {shown(url)} cannot be used: {reason}. {advice}")


_ADVICE = {
    "not a database": "The file is something else, or damaged; give another database file or URL.",
    "cannot be merged": "Then give its path there.",
    "locked": "Another process is writing; try again when it is done.",
    "malformed": "The file is damaged: 'recsys verify' can save what is readable.",
    "could not decode": "The file is damaged: 'recsys verify' names the rows.",
    "no such table": "The file is damaged; restore it from a copy.",
    "no such column": "The file is damaged; restore it from a copy.",
    "readonly": "It can be read, but not changed: it is on a read-only medium, or you may not "
    "write it or its folder.",
    "full": "Nothing was lost; free some space, and run the command again.",
    "disk i/o": "The disk is full or failing. Free some space, and run the command again.",
}
"""What the user can do about an error of SQLite, by words in its message."""


def _advice(reason: str) -> str:
    for words, advice in _ADVICE.items():
        if words in reason.lower():
            return advice
    return "Check that its folder exists, is writable and has space left."

"""Engines on a PostgreSQL server: driver, isolation, who waits for whom, and what went wrong.

The counterpart of `sqlite_connection`: the only module that knows the server's own statements.
"""

import logging
import math
import time
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, select, text
from sqlalchemy.exc import DisconnectionError, OperationalError

from recommender.catalog.schema import CatalogRow

logger = logging.getLogger(__name__)

BACKEND = "postgresql"
_DRIVER = "postgresql+psycopg"
_OTHER_NAMES = (BACKEND, "postgres")

_CONNECT_S = 10
"""Seconds for which a host that does not answer is tried, where the URL says nothing else."""

_KEEPALIVE = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""A connection to a host that is gone ends after a minute, not after the two hours of TCP."""

_USED = "recsys_used"
_IDLE_S = 0.05
"""Seconds since its last use after which a connection is pinged; a server restarts no faster."""

_LOCK_NOT_AVAILABLE = "55P03"

_SCHEMA_LOCK = 7_299_318_051
"""The advisory lock of whoever creates or upgrades the schema; any number that is always it."""

READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Options of a transaction that reads: all its statements see one state, as in SQLite."""


def with_driver(url: URL) -> URL:
    """The URL with the driver that is used, where it names none."""
    return url.set(drivername=_DRIVER) if url.drivername in _OTHER_NAMES else url


def make_server_engine(url: URL) -> Engine:
    """An engine on a database server; nothing is connected yet.

    Raises:
        ArgumentError, ImportError, TypeError, ValueError: as `sqlalchemy.create_engine`.
    """
    if url.get_backend_name() != BACKEND:
        return create_engine(url)
    given = {name: value for name, value in _KEEPALIVE.items() if name not in url.query}
    if "connect_timeout" not in url.query:
        given["connect_timeout"] = _CONNECT_S
    if "application_name" not in url.query:
        given["application_name"] = "recsys"  # type: ignore[assignment]
    engine = create_engine(url, connect_args=given)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _ping_if_idle)
    return engine


def _note_use(connection: Any, record: Any) -> None:
    record.info[_USED] = time.monotonic()


def _ping_if_idle(connection: Any, record: Any, proxy: Any) -> None:
    """Have another connection made where the server was restarted since this one was last used.

    Not at every use, as SQLAlchemy would: a list takes three statements, and a ping is one more
    for each.
    """
    if time.monotonic() - record.info.get(_USED, math.inf) <= _IDLE_S:
        return
    try:
        was, connection.autocommit = connection.autocommit, True
        connection.execute("")
        connection.autocommit = was
    except Exception as error:
        raise DisconnectionError from error


def with_autocommit(engine: Engine, connection: Any, wanted: bool) -> None:
    """Have single statements on a driver's connection be transactions of their own.

    Otherwise each would be three messages to the server and back.
    """
    if engine.dialect.name == BACKEND and not connection.driver_connection.closed:
        connection.driver_connection.autocommit = wanted


def lock_catalogue(connection: Connection, name: str, said_s: float, patience_s: float) -> None:
    """Hold the lock of the one writer until the transaction ends, as SQLite has one.

    Args:
        name: of the catalogue in messages.
        said_s: seconds after each of which a warning says that another process is waited for.
        patience_s: seconds after which it is given up.

    Raises:
        OperationalError: it was not to be had.
    """
    row = select(CatalogRow.id).with_for_update()
    if connection.dialect.name != BACKEND:
        connection.execute(row)
        return
    started = time.monotonic()
    wait_ms = max(1, int(1000 * min(said_s, patience_s)))
    connection.execute(text(f"SET LOCAL lock_timeout = {wait_ms}"))
    while True:
        try:
            with connection.begin_nested():
                connection.execute(row)
            break
        except OperationalError as error:
            waited = time.monotonic() - started
            if _state(error.orig) != _LOCK_NOT_AVAILABLE or waited >= patience_s:
                raise
            logger.warning(
                "the catalogue %s is locked by another process; waiting for %.0f s so far. "
                "Nothing is lost.",
                name,
                waited,
            )
    connection.execute(text("SET LOCAL lock_timeout = 0"))


def lock_schema(connection: Connection) -> None:
    """Wait until no other process creates or upgrades the schema, and have others wait."""
    if connection.dialect.name == BACKEND:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})"))


_COLUMNS_OF_TEXT = """
SELECT table_name, column_name,
    CASE WHEN character_maximum_length IS NULL THEN 'text'
    ELSE 'varchar(' || character_maximum_length || ')' END
FROM information_schema.columns
WHERE table_schema = current_schema() AND data_type IN ('text', 'character varying')
AND collation_name IS DISTINCT FROM 'C'
"""


def sort_by_code_points(connection: Connection) -> None:
    """Have the server compare text as SQLite does, and not by the rules of a language.

    Otherwise the order of lists, and what a scan reads page by page, would depend on the server.
    """
    if connection.dialect.name != BACKEND:
        return
    quote = connection.dialect.identifier_preparer.quote
    for table, column, kind in connection.execute(text(_COLUMNS_OF_TEXT)).all():
        connection.exec_driver_sql(
            f'ALTER TABLE {quote(table)} ALTER COLUMN {quote(column)} TYPE {kind} COLLATE "C"'
        )


def reason_of(error: object) -> str:
    """What the server or its driver says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL:" in line]
    line = (fatal or lines or [type(error).__name__])[0]
    return line.partition("FATAL:")[2].strip() or line.rstrip(".")


_ADVICE = {
    "password authentication failed": "Check the user and the password in the database URL.",
    "no password supplied": "Give the password in the database URL, or in ~/.pgpass.",
    "failed to resolve": "Check the host in the database URL.",
    "could not translate host name": "Check the host in the database URL.",
    "name or service not known": "Check the host in the database URL.",
    "does not exist": "Create it on the server, or check the database URL.",
    "permission denied": "Grant the user of the database URL the rights to it.",
    "read-only": "It can be read, but not changed: the server is a standby, or the user may not.",
    "lock timeout": "Another process is writing; try again when it is done.",
    "disk full": "Nothing was lost; free some space on the server, and run the command again.",
    "no space left": "Nothing was lost; free some space on the server, and run the command again.",
    "too many": "The server takes no more connections; try again later.",
    "closed the connection": "What was committed is kept; run the command again when it answers.",
    "shutting down": "What was committed is kept; run the command again when it answers.",
    "terminating connection": "What was committed is kept; run the command again.",
    "connection refused": "Check that the server runs and that the database URL is right.",
}
"""What the user can do about an error of the server, by words in its message."""


def advice_on(reason: str) -> str:
    """What the user can do about an error."""
    for words, advice in _ADVICE.items():
        if words in reason.lower():
            return advice
    return "Check that the server runs and that the database URL is right."


def _state(error: Any) -> str | None:
    """The SQLSTATE of a driver's error."""
    return getattr(error, "sqlstate", None)

"""The catalogue's database URL, its engine, transactions. The only module with SQLite pragmas."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, OperationalError

from recommender.errors import CatalogError
from recommender.utils.files import AnyPath, as_path

URL_VARIABLE = "RECSYS_DB"
BUSY_SECONDS = 30
"""How long a process waits for another one's transaction."""

_WRITES = "recsys_writes"


def catalog_url(url: AnyPath | URL | None = None) -> URL:
    """The catalogue's database URL, with an absolute path where it is a file.

    Args:
        url: the path of a SQLite file, or an SQLAlchemy URL; None for ``$RECSYS_DB``, and without
            that ``catalog.db`` in the platform's folder for user data.

    Raises:
        CatalogError: a malformed URL, or a SQLite URL without a file.
        TypeError: it is none of the above.
    """
    if not isinstance(url, str | os.PathLike | URL | None):
        raise TypeError(
            "the catalogue must be given as a path (str or os.PathLike), a database URL (str) or "
            f"None for the default, not {type(url).__name__}."
        )
    if isinstance(url, os.PathLike):
        return _file_url(as_path(url, "the catalogue's path"))
    url = url or os.environ.get(URL_VARIABLE)
    if not url:
        return _file_url(platformdirs.user_data_path("recsys") / "catalog.db")
    if isinstance(url, str) and "://" not in url:
        return _file_url(Path(url))
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise CatalogError(
            f"{url!r} is no database URL. Give the path of a SQLite file, or a URL such as "
            "postgresql://user@host/name."
        ) from error
    if parsed.get_backend_name() != "sqlite":
        return parsed
    if parsed.database in (None, "", ":memory:"):
        raise CatalogError("the catalogue needs a file: SQLite in memory is lost at once.")
    return parsed.set(database=os.path.abspath(parsed.database or ""))  # noqa: PTH100


def _file_url(path: Path) -> URL:
    # Not resolved: a link to a database keeps its index file where the user put the link.
    return URL.create("sqlite", database=str(path.expanduser().absolute()))


def database_file(url: URL) -> Path | None:
    """The SQLite file behind `url`; None for servers."""
    if url.get_backend_name() != "sqlite" or url.database is None:
        return None
    return Path(url.database)


def shown(url: URL) -> str:
    """The catalogue's name in messages: the file, or the URL without its password."""
    return str(database_file(url) or url.render_as_string(hide_password=True))


def make_engine(url: URL, *, foreign_keys: bool = True) -> Engine:
    """An engine on `url`; nothing is connected yet.

    Args:
        foreign_keys: off for migrations, which rebuild tables on SQLite: dropping the old copy of
            one would delete all rows that refer to it.

    Raises:
        CatalogError: no driver for this kind of database is installed.
    """
    try:
        if database_file(url) is None:
            return create_engine(url)
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    except (ArgumentError, ImportError) as error:
        raise CatalogError(
            f"the database driver for {shown(url)} cannot be loaded ({error}). Install it with pip."
        ) from error

    def set_pragmas(connection: sqlite3.Connection, _: object) -> None:
        # By default the driver begins transactions late, and none around DDL.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")

    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later would fail instead of wait if another
        # process wrote in between; so a writing one takes the lock at once.
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", set_pragmas)
    event.listen(engine, "begin", begin)
    return engine


@contextmanager
def transaction(engine: Engine, *, writes: bool = False) -> Iterator[Connection]:
    """One transaction: committed at the end, rolled back when anything is raised.

    Raises:
        CatalogError: the database cannot be opened, read or written.
    """
    try:
        with (
            engine.connect().execution_options(**{_WRITES: writes}) as connection,
            connection.begin(),
        ):
            yield connection
    except IntegrityError as error:
        raise CatalogError(
            f"the catalogue {shown(engine.url)} was changed by another process meanwhile "
            f"({error.orig}). Run the command again."
        ) from error
    except DatabaseError as error:
        if not isinstance(error, OperationalError) and type(error) is not DatabaseError:
            raise
        reason = str(error.orig).partition("\n")[0]
        raise CatalogError(
            f"the catalogue {shown(engine.url)} cannot be used: {reason}. "
            f"{_advice(engine.url, reason)}"
        ) from error


def _advice(url: URL, reason: str) -> str:
    """What the user can do about an error of the database."""
    if database_file(url) is None:
        return "Check that the server runs and that the database URL is right."
    if "not a database" in reason:
        return "The file is something else; give another database file or URL."
    if "locked" in reason:
        return "Another process is writing; try again when it is done."
    if "malformed" in reason:
        return "The file is damaged; restore it from a copy, or move it away and ingest again."
    return "Check that its folder exists, is writable and has space left."

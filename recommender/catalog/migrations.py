"""Versions of the schema: which one a database has, and Alembic to upgrade it to the newest."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from recommender.catalog.backup import back_up, create_file
from recommender.catalog.engine import (
    catalog_url,
    database_file,
    make_engine,
    shown,
    transaction,
)
from recommender.catalog.server_connection import lock_schema, sort_by_code_points
from recommender.errors import CatalogError
from recommender.utils.files import AnyPath, real_path

if TYPE_CHECKING:
    from alembic.config import Config

logger = logging.getLogger(__name__)

HEAD = "0012"
"""The newest revision. Revisions have four digits and sort as text, so that opening a catalogue
need not load Alembic."""

_SHORTER_ROWS = "0006"
"""The last schema whose upgrade leaves free pages in the file."""

_VERSION_TABLE = "alembic_version"


def migrations_folder() -> Path:
    """The folder with ``env.py`` and ``versions/``: packaged, or the checkout's ``alembic/``."""
    package = Path(__file__).parents[1]
    for folder in (package / "migrations", package.parent / "alembic"):
        if (folder / "env.py").is_file():
            return folder
    raise CatalogError("the migrations are missing from this installation; install recsys again.")


def alembic_config(connection: sa.Connection) -> Config:
    """Alembic's configuration to work through `connection`, in its transaction."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return config


def version(engine: sa.Engine) -> str | None:
    """The revision of the schema behind `engine`; None for an empty database.

    Raises:
        CatalogError: it is no database, or one that belongs to another program.
    """
    _refuse_empty(engine.url)
    with transaction(engine) as connection:
        tables = set(sa.inspect(connection).get_table_names())
        if not tables - {_VERSION_TABLE}:
            return None
        if _VERSION_TABLE not in tables or "catalog" not in tables:
            raise CatalogError(
                f"{shown(engine.url)} is a database of another program; give another database file "
                "or URL."
            )
        found = connection.scalar(sa.text(f"SELECT version_num FROM {_VERSION_TABLE}"))
        if found is not None and not re.fullmatch(r"\d{4}", str(found)):
            raise CatalogError(
                f"the catalogue {shown(engine.url)} says that it has the schema {found!r}, which "
                "is none: it is damaged. Restore a copy, or move it away and ingest again."
            )
        return None if found is None else str(found)


def _refuse_empty(url: sa.URL) -> None:
    """Raise `CatalogError` for a file without a byte, which no catalogue ever was."""
    file = database_file(url)
    try:
        is_empty = file is not None and file.is_file() and file.stat().st_size == 0
    except OSError:
        return  # to open it says why
    if is_empty:
        raise CatalogError(
            f"{file} is empty (0 bytes): if it was a catalogue, restore a copy; otherwise delete "
            "it, and 'recsys ingest FOLDER' creates a new one."
        )


def current(url: AnyPath | None = None) -> str | None:
    """The revision of the catalogue at `url` (see `catalog_url`); None where there is none yet."""
    parsed = catalog_url(url)
    file = database_file(parsed)
    if file is not None and not os.path.exists(file):  # noqa: PTH110 (False without permission)
        return None
    engine = make_engine(parsed)
    try:
        return version(engine)
    finally:
        engine.dispose()


def upgrade(url: AnyPath | sa.URL | None = None, *, backup: bool = True) -> Path | None:
    """Bring the catalogue at `url` (see `catalog_url`) to the newest schema, creating it if needed.

    All steps run in one transaction: it succeeds or leaves everything as it was, and of two
    processes that upgrade at once the second finds nothing left to do. A new file appears only
    when it is whole.

    Args:
        backup: copy a SQLite file of an older schema first, to ``NAME.schema-REVISION.db`` beside
            it.

    Returns:
        The backup, where one was made.

    Raises:
        CatalogError: the database cannot be created or written, there is no space for the backup,
            or it was written by a newer recsys.
    """
    parsed = catalog_url(url)
    make_folders(parsed)
    file = database_file(parsed)
    if file is not None and not os.path.exists(file):  # noqa: PTH110 (False without permission)
        create(file)
        return None
    engine = make_engine(parsed, foreign_keys=False)
    try:
        found = version(engine)
        _refuse_newer(engine, found)
        copied = None
        if backup and file is not None and found is not None and found < HEAD:
            copied = back_up(engine, file, found)
        _upgrade(engine)
        if file is not None and found is not None and found < _SHORTER_ROWS:
            _give_back_space(engine)
        return copied
    finally:
        engine.dispose()


def create(file: Path) -> bool:
    """Create a catalogue in `file`, which does not exist; returns whether it was this process.

    Raises `CatalogError`.
    """
    return create_file(real_path(file), _upgrade_file)


def _upgrade_file(file: Path) -> None:
    engine = make_engine(catalog_url(file), foreign_keys=False)
    try:
        _upgrade(engine)
    finally:
        engine.dispose()


def make_folders(url: sa.URL) -> tuple[Path, ...]:
    """Create the folder of a SQLite file.

    Returns:
        The folders that had to be created, the innermost first.

    Raises:
        CatalogError: it cannot be created.
    """
    file = database_file(url)
    if file is None:
        return ()
    try:
        absent = tuple(folder for folder in file.parents if not folder.exists())
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogError(
            f"the folder {file.parent} cannot be created ({error.strerror}); "
            "give a database file elsewhere."
        ) from error
    return absent


def _upgrade(engine: sa.Engine) -> None:
    from alembic import command

    with transaction(engine, writes=True) as connection:
        lock_schema(connection)
        command.upgrade(alembic_config(connection), "head")
        sort_by_code_points(connection)
        if database_file(engine.url) is not None:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise CatalogError(
                    f"the upgrade of {shown(engine.url)} was undone: {len(broken)} rows would "
                    "refer to rows that do not exist. Restore a copy, or move it away and ingest "
                    "again."
                )


def _give_back_space(engine: sa.Engine) -> None:
    """Shorten a SQLite file whose rows have become shorter; left as it is where that fails."""
    try:
        with closing(engine.raw_connection()) as connection:
            connection.cursor().execute("VACUUM")
    except sqlite3.Error:  # no space for the copy that it makes, or others are reading
        logger.debug("the file keeps its size", exc_info=True)


def require_newest(engine: sa.Engine) -> bool:
    """Create the schema when the database is empty; returns whether it was.

    Raises:
        CatalogError: the schema is older (the message says how to upgrade), or newer.
    """
    found = version(engine)
    _refuse_newer(engine, found)
    if found is None:
        engine.dispose()
        upgrade(engine.url)
        return True
    if found < HEAD:
        raise CatalogError(
            f"the catalogue {shown(engine.url)} has an older schema ({found}, now {HEAD}). "
            "Run 'recsys db upgrade'."
        )
    return False


def _refuse_newer(engine: sa.Engine, found: str | None) -> None:
    if found is not None and found > HEAD:
        raise CatalogError(
            f"the catalogue {shown(engine.url)} was written by a newer recsys (schema {found}; "
            f"this one has {HEAD}). Update recsys; or use the backup that was made before the "
            "upgrade, if there is one beside it."
        )

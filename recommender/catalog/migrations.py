"""The schema's versions: which one a database has, and Alembic to bring it to the newest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from recommender.catalog.engine import (
    catalog_url,
    database_file,
    make_engine,
    shown,
    transaction,
)
from recommender.errors import CatalogError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0003"
"""The newest revision. Revisions are numbered in four digits, so that their order is plain and
opening a catalogue need not load Alembic."""

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
    with transaction(engine) as connection:
        tables = set(sa.inspect(connection).get_table_names())
        if not tables - {_VERSION_TABLE}:
            return None
        if _VERSION_TABLE not in tables or "catalog" not in tables:
            raise CatalogError(
                f"{shown(engine.url)} is a database of another program; name another with --db."
            )
        found = connection.scalar(sa.text(f"SELECT version_num FROM {_VERSION_TABLE}"))
        return None if found is None else str(found)


def current(url: str | None = None) -> str | None:
    """The revision of the catalogue at `url` (see `catalog_url`); None where there is none yet."""
    place = catalog_url(url)
    file = database_file(place)
    if file is not None and not os.path.exists(file):  # noqa: PTH110 (False without permission)
        return None
    engine = make_engine(place)
    try:
        return version(engine)
    finally:
        engine.dispose()


def upgrade(url: str | None = None) -> None:
    """Bring the catalogue at `url` (see `catalog_url`) to the newest schema, making it if needed.

    All steps run in one transaction: it succeeds or leaves everything as it was, and of two
    processes that upgrade at once the second finds nothing left to do.

    Raises:
        CatalogError: the database cannot be made or written, or was made by a newer recsys.
    """
    place = catalog_url(url)
    _make_folder(place)
    engine = make_engine(place, foreign_keys=False)
    try:
        _refuse_newer(engine, version(engine))
        _upgrade(engine)
    finally:
        engine.dispose()


def _make_folder(place: sa.URL) -> None:
    file = database_file(place)
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogError(
            f"the folder {file.parent} cannot be made ({error.strerror}); "
            "name a catalogue elsewhere with --db."
        ) from error


def _upgrade(engine: sa.Engine) -> None:
    from alembic import command

    with transaction(engine, writes=True) as connection:
        command.upgrade(alembic_config(connection), "head")
        if database_file(engine.url) is not None:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise CatalogError(
                    f"the upgrade of {shown(engine.url)} was undone: {len(broken)} rows would "
                    "refer to nothing. Restore a copy, or move it away and ingest again."
                )


def require_newest(engine: sa.Engine) -> None:
    """Make the schema when the database is empty.

    Raises:
        CatalogError: the schema is older (says how to upgrade) or newer than this recsys.
    """
    _make_folder(engine.url)
    found = version(engine)
    _refuse_newer(engine, found)
    if found is None:
        engine.dispose()
        upgrade(engine.url.render_as_string(hide_password=False))
    elif found < HEAD:
        raise CatalogError(
            f"the catalogue {shown(engine.url)} has an older schema ({found}, now {HEAD}). "
            "Run 'recsys db upgrade'."
        )


def _refuse_newer(engine: sa.Engine, found: str | None) -> None:
    if found is not None and found > HEAD:
        raise CatalogError(
            f"the catalogue {shown(engine.url)} was made by a newer recsys (schema {found}, this "
            f"one knows {HEAD}). Update recsys."
        )

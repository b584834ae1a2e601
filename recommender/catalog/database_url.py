"""Which database is meant: a path, a URL, ``$RECSYS_DB`` or the platform's default."""

import os
import re
import stat
from pathlib import Path

import platformdirs
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from recommender.catalog.server_connection import with_driver
from recommender.errors import CatalogError
from recommender.utils.files import AnyPath, as_path

URL_VARIABLE = "RECSYS_DB"


def catalog_url(url: AnyPath | URL | None = None) -> URL:
    """The catalogue's database URL, with an absolute path where it is a file.

    Args:
        url: the path of a SQLite file, or an SQLAlchemy URL; None for ``$RECSYS_DB``, and without
            that ``catalog.db`` in the platform's folder for user data.

    Raises:
        CatalogError: a malformed URL, a SQLite URL without a file, or a path that cannot be one.
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
    parsed = _parsed(url)
    if not parsed.drivername.startswith("sqlite"):
        return with_driver(parsed)
    if parsed.database in (None, "", ":memory:"):
        raise CatalogError("the catalogue needs a file: SQLite in memory is lost at once.")
    if parsed.query:
        raise CatalogError(
            f"{shown(parsed)!r}: a SQLite database takes no options here; leave out what begins "
            "with '?', or give the path of the file alone."
        )
    return _file_url(Path(parsed.database or ""))


def _parsed(url: str | URL) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        raise CatalogError(
            f"{_without_password(str(url))!r} is no database URL. Give the path of a "
            "SQLite file, or a URL such as postgresql+psycopg://user@host/name."
        ) from error


def _without_password(text: str) -> str:
    """A URL that cannot be parsed, without what may be a password in it."""
    return re.sub(r"(://[^:/]*:).*@", r"\1***@", text)


def _file_url(path: Path) -> URL:
    # Not resolved: a link to a database keeps its index file where the user put the link.
    try:
        file = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100
        is_file = stat.S_ISREG(file.stat().st_mode) or file.is_dir()  # SQLite refuses a folder
    except (ValueError, RuntimeError) as error:  # a NUL; the home of an unknown user
        raise CatalogError(f"{str(path)!r} is no path of a database file ({error}).") from error
    except OSError:
        is_file = True  # absent or not to be read; to open it says which
    if not is_file:
        raise CatalogError(f"{file} is a device, a pipe or a socket; give a file.")
    return URL.create("sqlite", database=str(file))


def database_file(url: URL) -> Path | None:
    """The SQLite file behind `url`; None for servers."""
    if url.get_backend_name() != "sqlite" or url.database is None:
        return None
    return Path(url.database)


def shown(url: URL) -> str:
    """The catalogue's name in messages: the file, or the URL without its password."""
    return str(database_file(url) or url.render_as_string(hide_password=True))

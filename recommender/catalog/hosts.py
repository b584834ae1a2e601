"""Hosts that share a catalogue: which one this is, and where it sees the libraries.

Every function but `this_host` works on a connection, inside the caller's transaction.
"""

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from recommender.catalog.records import Library
from recommender.catalog.schema import LibraryRootRow, LibraryRow, table

HOST_VARIABLE = "RECSYS_HOST"
"""The environment variable with this host's name, where the system's own changes (containers)."""

_ROOTS = table(LibraryRootRow)


def this_host() -> str:
    """The name under which this host's view of the libraries is stored."""
    return os.environ.get(HOST_VARIABLE) or platform.node() or "localhost"


def of_this_host() -> Any:
    """The condition that joins a library with where this host sees it."""
    return and_(LibraryRootRow.library_id == LibraryRow.id, LibraryRootRow.host == this_host())


def is_mapped(connection: Connection, library: Library) -> bool:
    """Whether it is stored where this host sees the library."""
    found = select(_ROOTS.c.root).where(_here(library))
    return connection.execute(found).first() is not None


def roots_of(connection: Connection, library: Library) -> dict[str, Path]:
    """Host → where it sees the library, as far as that is known."""
    query = select(_ROOTS.c.host, _ROOTS.c.root).where(_ROOTS.c.library_id == library.id)
    return {host: Path(root) for host, root in connection.execute(query)}


def others(connection: Connection, library: Library) -> int:
    """The number of other hosts that see the library."""
    count = select(func.count()).select_from(_ROOTS)
    elsewhere = _ROOTS.c.library_id == library.id, _ROOTS.c.host != this_host()
    return connection.scalar(count.where(*elsewhere)) or 0


def map_root(connection: Connection, library: Library, root: Path) -> None:
    """Store where this host sees a library."""
    values = {"root": str(root), "mount_points": (), "linked_folders": ()}
    if not connection.execute(_change(library).values(values)).rowcount:
        key = {"library_id": library.id, "host": this_host()}
        connection.execute(insert(LibraryRootRow).values(**key, **values))


def set_folders(connection: Connection, library: Library, column: str, paths: Sequence[str]) -> int:
    """Set `mount_points` or `linked_folders` as this host sees them; 0 where it has no own view."""
    return connection.execute(_change(library).values({column: tuple(paths)})).rowcount


def forget_roots(connection: Connection, library: Library) -> None:
    """Drop where hosts see a library."""
    connection.execute(delete(_ROOTS).where(_ROOTS.c.library_id == library.id))


def _change(library: Library) -> Any:
    here = LibraryRootRow.library_id == library.id, LibraryRootRow.host == this_host()
    return update(LibraryRootRow).where(*here)


def _here(library: Library) -> Any:
    return and_(_ROOTS.c.library_id == library.id, _ROOTS.c.host == this_host())

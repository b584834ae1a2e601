"""Which library a folder belongs to. No library lies inside another, so a file has one row.

Every function works on a connection, inside the caller's transaction.
"""

import os
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from recommender.audio.tags import Tags
from recommender.catalog.records import Library
from recommender.catalog.schema import FailureRow, LibraryRow, TrackRow, table
from recommender.catalog.search_text import search_text
from recommender.errors import CatalogError
from recommender.utils.files import real_path

TAG_FIELDS = tuple(field.name for field in fields(Tags))


def all_libraries(connection: Connection) -> list[Library]:
    """Every library, by root."""
    rows = connection.execute(select(LibraryRow.id, LibraryRow.root))
    return sorted((Library(id, Path(root)) for id, root in rows), key=lambda library: library.root)


def holding(folder: Path, libraries: list[Library]) -> tuple[Library, str] | None:
    """The library that `folder` is or lies in, and the sub-path ("" for the root).

    Both sides are resolved, so that a link to a folder is that folder.
    """
    folder = real_path(folder)
    for library in libraries:
        root = real_path(library.root)
        if folder.is_relative_to(root):
            return library, _posix(folder.relative_to(root))
    return None


def add(connection: Connection, folder: Path) -> Library:
    """A new library at `folder`."""
    root = real_path(folder)
    statement = insert(LibraryRow).values(root=str(root)).returning(LibraryRow.id)
    return Library(connection.execute(statement).scalar_one(), root)


def absorb_inner(connection: Connection, outer: Library) -> bool:
    """Make the libraries inside `outer` part of it; says whether there were any.

    Their tracks and failures keep their rows, ids and analyses and only get the longer path.
    """
    absorbed = False
    for library in all_libraries(connection):
        place = real_path(library.root)
        if library != outer and place.is_relative_to(outer.root):
            _absorb(connection, library.id, outer.id, _posix(place.relative_to(outer.root)))
            absorbed = True
    return absorbed


def move(connection: Connection, old: Path, new: Path) -> Library:
    """Say that the library at `old` (which need not exist any more) is now at `new`.

    Raises:
        CatalogError: there is no library at `old`, or `new` overlaps another library.
    """
    libraries = all_libraries(connection)
    here = {Path(os.path.abspath(old)), real_path(old)}  # noqa: PTH100 (absolute, links kept)
    moved = next((library for library in libraries if library.root in here), None)
    if moved is None:
        known = ", ".join(str(library.root) for library in libraries) or "none"
        raise CatalogError(f"no library has the root {old}. Known roots: {known}.")
    root = real_path(new)
    for library in libraries:
        other = real_path(library.root)
        if library != moved and (root.is_relative_to(other) or other.is_relative_to(root)):
            raise CatalogError(
                f"{root} overlaps the library {library.root}. Run 'recsys ingest {root}' instead: "
                "moved files are recognised by their content."
            )
    connection.execute(update(LibraryRow).where(LibraryRow.id == moved.id).values(root=str(root)))
    return Library(moved.id, root)


def relative_paths(file: Path, libraries: list[Library]) -> Iterator[tuple[Library, str]]:
    """The names that `file` may have in a library, likeliest first.

    A scan follows links, so a file in a linked folder is known by the link's path, whatever the
    folder's own path is; and the way to the library's root may itself contain links.
    """
    roots = {real_path(library.root): library for library in libraries}
    for path in (Path(os.path.abspath(file)), real_path(file)):  # noqa: PTH100 (links kept)
        for folder in path.parents:
            library = roots.get(real_path(folder))
            if library is not None:
                yield library, _posix(path.relative_to(folder))


def _absorb(connection: Connection, library_id: int, into: int, prefix: str) -> None:
    tracks, failures = table(TrackRow), table(FailureRow)
    tags = [tracks.c[name] for name in TAG_FIELDS]
    rows = connection.execute(
        select(tracks.c.id, tracks.c.path, *tags).where(tracks.c.library_id == library_id)
    )
    longer = [
        {
            "row": id,
            "library_id": into,
            "path": f"{prefix}/{path}",
            "search_text": search_text(Tags(*tags), f"{prefix}/{path}"),
        }
        for id, path, *tags in rows
    ]
    _update_rows(connection, tracks, longer)
    rows = connection.execute(
        select(failures.c.id, failures.c.path).where(failures.c.library_id == library_id)
    )
    longer = [
        {"row": id, "library_id": into, "path": f"{prefix}/{path}" if path else prefix}
        for id, path in rows
    ]
    _update_rows(connection, failures, longer)
    connection.execute(delete(LibraryRow).where(LibraryRow.id == library_id))


def _update_rows(connection: Connection, rows_of: Table, values: list[dict[str, Any]]) -> None:
    if values:
        connection.execute(update(rows_of).where(rows_of.c.id == bindparam("row")), values)


def _posix(relative: Path) -> str:
    return "" if relative == Path() else relative.as_posix()

"""Libraries: music folders. None lies inside another, so that a file has one row.

Every function works on a connection, inside the caller's transaction.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from recommender.audio.tags import Tags
from recommender.catalog import hosts
from recommender.catalog.catalog_row import (
    bump_lists_revision,
    bump_revision,
    next_revision,
)
from recommender.catalog.library_merge import absorb
from recommender.catalog.records import Library, TrackState
from recommender.catalog.schema import (
    CueSheetRow,
    FailureRow,
    LibraryRootRow,
    LibraryRow,
    TrackRow,
)
from recommender.catalog.track_removal import drop_tracks
from recommender.errors import CatalogError
from recommender.utils.files import real_path

TAG_FIELDS = tuple(field.name for field in fields(Tags))


def all_libraries(connection: Connection) -> list[Library]:
    """Every library where this host sees it, by root."""
    usual, here = (
        (of.root, of.mount_points, of.linked_folders) for of in (LibraryRow, LibraryRootRow)
    )
    query: Select[*tuple[Any, ...]] = select(LibraryRow.id, *usual, *here)
    query = query.outerjoin(LibraryRootRow, hosts.of_this_host())
    libraries = []
    for id, *values in connection.execute(query):
        root, mount_points, linked = values[:3] if values[3] is None else values[3:]
        folders = tuple(map(Path, mount_points or ())), tuple(map(Path, linked or ()))
        libraries.append(Library(id, Path(root), *folders))
    return sorted(libraries, key=lambda library: library.root)


def map_root(connection: Connection, root: Path, here: Path) -> Library:
    """See `Catalog.map_library`."""
    libraries = all_libraries(connection)
    usual = {id: Path(of) for id, of in connection.execute(select(LibraryRow.id, LibraryRow.root))}
    named = {usual[library.id]: library for library in libraries}
    library = named.get(root) or _with_root(root, libraries)
    new = real_path(here)
    for other in libraries:
        inner = real_path(other.root)
        if other != library and (new.is_relative_to(inner) or inner.is_relative_to(new)):
            raise CatalogError(f"{new} and the music folder {other.root} lie in each other.")
    hosts.map_root(connection, library, new)
    bump_revision(connection)
    return Library(library.id, new)


def set_mount_points(connection: Connection, library: Library, points: Iterable[Path]) -> None:
    """See `Catalog.set_mount_points`."""
    stored = tuple(map(str, points))
    if hosts.set_folders(connection, library, "mount_points", stored):
        return
    connection.execute(
        update(LibraryRow).where(LibraryRow.id == library.id).values(mount_points=stored)
    )


def set_linked_folders(connection: Connection, library: Library, folders: Iterable[Path]) -> None:
    """See `Catalog.set_linked_folders`."""
    stored = tuple(map(str, folders))
    if hosts.set_folders(connection, library, "linked_folders", stored):
        return
    connection.execute(
        update(LibraryRow).where(LibraryRow.id == library.id).values(linked_folders=stored)
    )


def holding(folder: Path, libraries: list[Library]) -> tuple[Library, str] | None:
    """The library that `folder` is or lies in, and the sub-path ("" for the root).

    Links are resolved in both paths, so that a link to a folder is that folder.
    """
    folder = real_path(folder)
    for library in libraries:
        root = real_path(library.root)
        if folder.is_relative_to(root):
            return library, _posix(folder.relative_to(root))
    return None


def scope_of(connection: Connection, folder: Path) -> tuple[Library, str]:
    """See `Catalog.scope_of`."""
    scope = holding(folder, all_libraries(connection))
    if scope is not None:
        return scope
    root = real_path(folder)
    statement = insert(LibraryRow).values(root=str(root)).returning(LibraryRow.id)
    library = Library(connection.execute(statement).scalar_one(), root)
    if _absorb_inner(connection, library):
        bump_revision(connection)
    return library, ""


def _absorb_inner(connection: Connection, outer: Library) -> bool:
    """Make the libraries inside `outer` part of it; returns whether there were any.

    Their tracks and failures keep their ids and analyses and only get the longer path; see
    `library_merge.absorb` for a path that both have.
    """
    absorbed = False
    points = set(outer.mount_points)
    for library in all_libraries(connection):
        inner = real_path(library.root)
        if library != outer and inner.is_relative_to(outer.root):
            absorb(connection, library, outer, _posix(inner.relative_to(outer.root)))
            points |= {point for point in library.mount_points if outer.root in point.parents}
            absorbed = True
    if points != set(outer.mount_points):
        set_mount_points(connection, outer, sorted(points))
    return absorbed


def move(connection: Connection, old: Path, new: Path) -> Library:
    """See `Catalog.move_library`."""
    libraries = all_libraries(connection)
    moved = _with_root(old, libraries)
    root = real_path(new)
    scope = holding(root, [library for library in libraries if library != moved])
    if scope is not None:
        outer, folder = scope
        absorb(connection, moved, outer, folder)
    else:
        values = {"root": str(root), "mount_points": (), "linked_folders": ()}
        is_mapped = hosts.is_mapped(connection, moved)
        if is_mapped:
            hosts.map_root(connection, moved, root)
        if not (is_mapped and hosts.others(connection, moved)):
            connection.execute(update(LibraryRow).where(LibraryRow.id == moved.id).values(values))
        outer = Library(moved.id, root)
        _absorb_inner(connection, outer)
    bump_revision(connection)
    bump_lists_revision(connection)  # of excluded folders
    return outer


def remove(connection: Connection, root: Path) -> int:
    """See `Catalog.remove_library`."""
    library = _with_root(root, all_libraries(connection))
    dropped = drop_tracks(connection, TrackRow.library_id == library.id)
    hosts.forget_roots(connection, library)
    for of_library in (FailureRow, CueSheetRow):
        connection.execute(delete(of_library).where(of_library.library_id == library.id))
    connection.execute(delete(LibraryRow).where(LibraryRow.id == library.id))
    bump_revision(connection)
    bump_lists_revision(connection)
    return dropped


def set_unavailable(connection: Connection, library: Library) -> int:
    """See `Catalog.set_unavailable`."""
    of_library = TrackRow.library_id == library.id
    changed = connection.execute(
        update(TrackRow)
        .where(of_library, TrackRow.state.in_((TrackState.ANALYSED, TrackState.MISSING)))
        .values(state=TrackState.UNAVAILABLE, revision=next_revision())
    )
    if changed.rowcount:
        bump_revision(connection)
    return connection.scalar(select(func.count(TrackRow.id)).where(of_library)) or 0


def prune(connection: Connection, force: bool) -> int:
    """See `Catalog.prune`."""
    number = dict.fromkeys(TrackState, 0)
    states = select(TrackRow.state, func.count()).group_by(TrackRow.state)
    number.update((state, tracks) for state, tracks in connection.execute(states))
    missing = number[TrackState.MISSING]
    present = sum(number.values()) - number[TrackState.UNAVAILABLE]
    if 2 * missing > present and not force:
        raise CatalogError(
            f"{missing} of {present} tracks are missing, more than half: was a folder moved, or is "
            "a disk not mounted? Ingest it where it is now; or force the pruning to drop them."
        )
    drop_tracks(connection, TrackRow.state == TrackState.MISSING)
    return missing


def _with_root(root: Path, libraries: list[Library]) -> Library:
    """The library with this root, which need not exist any more. Raises `CatalogError`."""
    # Absolute with links kept, as it may have been stored before it became a link; and without.
    candidates = {Path(os.path.abspath(root)), real_path(root)}  # noqa: PTH100
    for library in libraries:
        if library.root in candidates:
            return library
    known = ", ".join(str(library.root) for library in libraries) or "none"
    raise CatalogError(f"no library has the root {root}. Known roots: {known}.")


def relative_paths(file: Path, libraries: list[Library]) -> Iterator[tuple[Library, str]]:
    """The relative paths that a file or a folder may have in a library, likeliest first.

    A scan follows links: a file in a linked folder is stored under the link's path, whatever the
    folder's own path is. The path of the library's root may itself contain links.
    """
    roots = {real_path(library.root): library for library in libraries}
    for path in (Path(os.path.abspath(file)), real_path(file)):  # noqa: PTH100 (links kept)
        for folder in (path, *path.parents):
            library = roots.get(real_path(folder))
            if library is not None:
                yield library, _posix(path.relative_to(folder))


def _posix(relative: Path) -> str:
    return "" if relative == Path() else relative.as_posix()

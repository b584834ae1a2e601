"""What is never in mixes: tracks, artists, folders and genres.

Every function works on a connection, inside the caller's transaction.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, and_, delete, insert, or_, select

from recommender.catalog.catalog_row import bump_lists_revision
from recommender.catalog.libraries import all_libraries, relative_paths
from recommender.catalog.list_records import Exclusion, ExclusionKind
from recommender.catalog.queries import LARGEST_ID, no_such_track
from recommender.catalog.records import Library
from recommender.catalog.scan_queries import lies_under
from recommender.catalog.schema import ExclusionRow, TrackRow
from recommender.errors import UsageError
from recommender.utils.arrays import IntArray
from recommender.utils.artists import artist_key
from recommender.utils.files import real_path
from recommender.utils.names import genre_key, storable

_CONDITIONS = 200
"""Folders in one statement; databases limit how deep an expression is."""


def exclusions(connection: Connection) -> list[Exclusion]:
    """See `Catalog.exclusions`."""
    return _read(connection)


def _read(connection: Connection, *conditions: Any) -> list[Exclusion]:
    roots = {library.id: library.root for library in all_libraries(connection)}
    rows = connection.execute(
        select(ExclusionRow.__table__).where(*conditions).order_by(ExclusionRow.id)
    )
    return [
        Exclusion(
            row.id,
            row.kind,
            row.value if row.path is None else str(roots.get(row.library_id, Path()) / row.path),
            row.added_at,
            row.track_id,
        )
        for row in rows
    ]


def add(connection: Connection, kind: ExclusionKind, value: str) -> Exclusion:
    """See `Catalog.add_exclusion`."""
    row, shown = {
        ExclusionKind.TRACK: _of_track,
        ExclusionKind.FOLDER: _of_folder,
        ExclusionKind.ARTIST: _of_artist,
        ExclusionKind.GENRE: _of_genre,
    }[kind](connection, value)
    for one in _read(connection, ExclusionRow.kind == kind):
        if _compared(kind, one.value) == _compared(kind, shown):
            return one
    values = row | {"kind": kind, "added_at": datetime.now(UTC)}
    statement = insert(ExclusionRow).values(values).returning(ExclusionRow.id)
    new = connection.execute(statement).scalar_one()
    bump_lists_revision(connection)
    return _read(connection, ExclusionRow.id == new)[0]


def remove(connection: Connection, exclusion_id: int) -> bool:
    """See `Catalog.remove_exclusion`."""
    found = connection.execute(delete(ExclusionRow).where(ExclusionRow.id == exclusion_id))
    if found.rowcount:
        bump_lists_revision(connection)
    return bool(found.rowcount)


def excluded_tracks(connection: Connection) -> IntArray:
    """See `Catalog.excluded_tracks`."""
    libraries = all_libraries(connection)
    named = select(ExclusionRow.track_id).where(ExclusionRow.track_id.is_not(None))
    ids = {id for id in connection.scalars(named) if id is not None}
    lying = [
        and_(TrackRow.library_id == library.id, lies_under(TrackRow.path, below))
        for one in exclusions(connection)
        if one.kind is ExclusionKind.FOLDER
        for library, below in _scopes(Path(one.value), libraries)
    ]
    for start in range(0, len(lying), _CONDITIONS):
        below_any = or_(*lying[start : start + _CONDITIONS])
        ids |= set(connection.scalars(select(TrackRow.id).where(below_any)))
    return np.array(sorted(ids), dtype=np.int64)


def _scopes(folder: Path, libraries: list[Library]) -> list[tuple[Library, str]]:
    """What a folder holds of libraries: each with a path relative to its root, "" for all."""
    inside = next(relative_paths(folder, libraries), None)
    if inside is not None:
        return [inside]
    real = real_path(folder)
    return [(each, "") for each in libraries if real_path(each.root).is_relative_to(real)]


def _compared(kind: ExclusionKind, value: str) -> str:
    keys = {ExclusionKind.ARTIST: artist_key, ExclusionKind.GENRE: genre_key}
    return keys[kind](value) if kind in keys else value


_Values = tuple[dict[str, object], str]
"""Columns of an exclusion, and its value as it is shown."""


def _of_track(connection: Connection, value: str) -> _Values:
    if not (value.isascii() and value.isdigit()):
        raise UsageError(f"an excluded track is named by its id, not {value!r}.")
    track_id = int(value)
    known = select(TrackRow.id).where(TrackRow.id == track_id)
    if track_id > LARGEST_ID or connection.scalar(known) is None:
        raise no_such_track(track_id)
    return {"value": str(track_id), "track_id": track_id}, str(track_id)


def _of_folder(connection: Connection, value: str) -> _Values:
    if not value.strip() or "\0" in value:
        raise UsageError("an excluded folder needs a path.")
    folder = Path(os.path.abspath(Path(value).expanduser()))  # noqa: PTH100 (links kept)
    found = next(relative_paths(folder, all_libraries(connection)), None)
    if found is None:
        return {"value": value, "path": str(folder)}, str(folder)
    library, below = found
    return {"value": value, "library_id": library.id, "path": below}, str(library.root / below)


def _of_artist(connection: Connection, value: str) -> _Values:
    if not artist_key(value):
        raise UsageError(f"{value!r} names no artist: exclude tracks or a folder instead.")
    return {"value": storable(value)}, value


def _of_genre(connection: Connection, value: str) -> _Values:
    if not genre_key(value):
        raise UsageError(f"{value!r} names no genre: exclude tracks or a folder instead.")
    return {"value": storable(value)}, value

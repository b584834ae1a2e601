"""Playlists and their recipes.

Every function works on a connection, inside the caller's transaction.
"""

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from recommender.catalog.catalog_row import bump_lists_revision
from recommender.catalog.chunks import chunks
from recommender.catalog.list_records import StoredPlaylist
from recommender.catalog.queries import LARGEST_ID, no_such_track
from recommender.catalog.recipe_tracks import rename_playlist_in_recipes
from recommender.catalog.schema import PlaylistEntryRow, PlaylistRow, TrackRow, table
from recommender.errors import PlaylistNotFound, UsageError
from recommender.utils.names import storable

_PLAYLISTS, _ENTRIES = table(PlaylistRow), table(PlaylistEntryRow)


@dataclass(frozen=True)
class PlaylistValues:
    """What `Catalog.save_playlist` stores beside name and tracks."""

    comment: str = ""
    recipe: Mapping[str, Any] | None = None
    target: Path | None = None
    absolute: bool = False
    run_at: datetime | None = None


def save(
    connection: Connection, name: str, user: str, track_ids: Sequence[int], values: PlaylistValues
) -> StoredPlaylist:
    """See `Catalog.save_playlist`."""
    name, now = storable(name).strip(), datetime.now(UTC)
    if not name:
        raise UsageError("a playlist needs a name.")
    row = {
        "comment": storable(values.comment),
        "recipe": None if values.recipe is None else dict(values.recipe),
        "target": None if values.target is None else str(values.target.absolute()),
        "absolute": values.absolute,
        "changed_at": now,
        "run_at": values.run_at,
    }
    found = _id_of(connection, name, user)
    if found is None:
        row |= {"name": name, "user_name": storable(user), "created_at": now}
        statement = insert(_PLAYLISTS).values(row).returning(_PLAYLISTS.c.id)
        found = connection.execute(statement).scalar_one()
    else:
        connection.execute(update(_PLAYLISTS).where(_PLAYLISTS.c.id == found).values(row))
    _set_entries(connection, found, track_ids)
    return by_id(connection, found)


def set_tracks(
    connection: Connection, playlist_id: int, track_ids: Sequence[int], run_at: datetime | None
) -> StoredPlaylist:
    """See `Catalog.set_playlist_tracks`."""
    row = {"changed_at": datetime.now(UTC)} | ({"run_at": run_at} if run_at else {})
    statement = update(_PLAYLISTS).where(_PLAYLISTS.c.id == playlist_id).values(row)
    if not connection.execute(statement).rowcount:
        raise _no_such_id(playlist_id)
    _set_entries(connection, playlist_id, track_ids)
    return by_id(connection, playlist_id)


def describe(
    connection: Connection, playlist_id: int, name: str | None, comment: str | None
) -> StoredPlaylist:
    """See `Catalog.describe_playlist`."""
    playlist = by_id(connection, playlist_id)
    row: dict[str, Any] = {"changed_at": datetime.now(UTC)}
    if name is not None:
        row["name"] = storable(name).strip()
        if not row["name"]:
            raise UsageError("a playlist needs a name.")
        if _id_of(connection, row["name"], playlist.user) not in (None, playlist_id):
            raise UsageError(f"there is another playlist {row['name']!r}; choose another name.")
    if comment is not None:
        row["comment"] = storable(comment)
    connection.execute(update(_PLAYLISTS).where(_PLAYLISTS.c.id == playlist_id).values(row))
    if name is not None:
        rename_playlist_in_recipes(connection, playlist.user, playlist.name, row["name"])
    bump_lists_revision(connection)
    return by_id(connection, playlist_id)


def by_id(connection: Connection, playlist_id: int) -> StoredPlaylist:
    """The playlist with this id. Raises `PlaylistNotFound`."""
    found = _read(connection, _PLAYLISTS.c.id == min(playlist_id, LARGEST_ID))
    if not found:
        raise _no_such_id(playlist_id)
    return found[0]


def by_name(connection: Connection, name: str, user: str) -> StoredPlaylist:
    """The playlist of this name. Raises `PlaylistNotFound`, which names the nearest."""
    found = _id_of(connection, storable(name).strip(), user)
    if found is not None:
        return by_id(connection, found)
    of_user = _PLAYLISTS.c.user_name == storable(user)
    names = list(connection.scalars(select(_PLAYLISTS.c.name).where(of_user)))
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "'recsys playlist list' shows those there are."
    raise PlaylistNotFound(f"there is no playlist {name!r}; {hint}")


def every(connection: Connection, user: str | None) -> list[StoredPlaylist]:
    """See `Catalog.playlists`."""
    of_user = [] if user is None else [_PLAYLISTS.c.user_name == storable(user)]
    return _read(connection, *of_user)


def remove(connection: Connection, playlist_id: int) -> bool:
    """See `Catalog.remove_playlist`."""
    if playlist_id > LARGEST_ID:
        return False
    connection.execute(delete(_ENTRIES).where(_ENTRIES.c.playlist_id == playlist_id))
    gone = connection.execute(delete(_PLAYLISTS).where(_PLAYLISTS.c.id == playlist_id)).rowcount
    if gone:
        bump_lists_revision(connection)
    return bool(gone)


def _read(connection: Connection, *conditions: Any) -> list[StoredPlaylist]:
    query = select(_PLAYLISTS).where(*conditions)
    rows = connection.execute(query.order_by(_PLAYLISTS.c.user_name, _PLAYLISTS.c.name)).all()
    entries: dict[int, list[int]] = defaultdict(list)
    for chunk in chunks([row.id for row in rows]):
        found = connection.execute(
            select(_ENTRIES.c.playlist_id, _ENTRIES.c.track_id)
            .where(_ENTRIES.c.playlist_id.in_(chunk))
            .order_by(_ENTRIES.c.playlist_id, _ENTRIES.c.position)
        )
        for playlist_id, track_id in found:
            entries[playlist_id].append(track_id)
    return [
        StoredPlaylist(
            id=row.id,
            name=row.name,
            user=row.user_name,
            comment=row.comment,
            track_ids=tuple(entries[row.id]),
            recipe=row.recipe,
            target=None if row.target is None else Path(row.target),
            absolute=row.absolute,
            created_at=row.created_at,
            changed_at=row.changed_at,
            run_at=row.run_at,
        )
        for row in rows
    ]


def _id_of(connection: Connection, name: str, user: str) -> int | None:
    named = _PLAYLISTS.c.user_name == storable(user), _PLAYLISTS.c.name == name
    return connection.scalar(select(_PLAYLISTS.c.id).where(*named))


def _set_entries(connection: Connection, playlist_id: int, track_ids: Sequence[int]) -> None:
    """Replace the entries of a playlist. Raises `TrackNotFound`."""
    there: set[int] = set()
    for chunk in chunks({id for id in track_ids if 0 < id <= LARGEST_ID}):
        there |= set(connection.scalars(select(TrackRow.id).where(TrackRow.id.in_(chunk))))
    for id in track_ids:
        if id not in there:
            raise no_such_track(id)
    connection.execute(delete(_ENTRIES).where(_ENTRIES.c.playlist_id == playlist_id))
    rows = [
        {"playlist_id": playlist_id, "position": position, "track_id": track_id}
        for position, track_id in enumerate(track_ids)
    ]
    if rows:
        connection.execute(insert(_ENTRIES), rows)
    bump_lists_revision(connection)


def _no_such_id(playlist_id: int) -> PlaylistNotFound:
    return PlaylistNotFound(
        f"no playlist has the id {playlist_id}; 'recsys playlist list' shows those there are."
    )

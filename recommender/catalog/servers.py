"""Media servers and their ids of tracks, artists and albums.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from recommender.catalog.chunks import chunks
from recommender.catalog.queries import LARGEST_ID
from recommender.catalog.schema import RemoteNameRow, RemoteTrackRow, ServerRow, table
from recommender.catalog.server_records import MediaServer, RemoteKind, RemoteName, RemoteTrack
from recommender.errors import UsageError
from recommender.utils.names import storable

_SERVERS, _TRACKS, _NAMES = table(ServerRow), table(RemoteTrackRow), table(RemoteNameRow)


def every(connection: Connection) -> list[MediaServer]:
    """See `Catalog.servers`."""
    rows = connection.execute(select(_SERVERS).order_by(_SERVERS.c.name))
    return [MediaServer(**row._mapping) for row in rows]


def save(connection: Connection, name: str, kind: str, url: str, login: str) -> MediaServer:
    """See `Catalog.save_server`."""
    name = storable(name).strip()
    if not name:
        raise UsageError("a server needs a name.")
    row = {"kind": kind, "url": storable(url), "login": storable(login)}
    of_name = _SERVERS.c.name == name
    if not connection.execute(update(_SERVERS).where(of_name).values(row)).rowcount:
        connection.execute(insert(_SERVERS).values(name=name, **row))
    found = connection.execute(select(_SERVERS).where(of_name)).one()
    return MediaServer(**found._mapping)


def remove(connection: Connection, server_id: int) -> bool:
    """See `Catalog.remove_server`."""
    for rows in (_TRACKS, _NAMES):
        connection.execute(delete(rows).where(rows.c.server_id == server_id))
    gone = connection.execute(delete(_SERVERS).where(_SERVERS.c.id == server_id)).rowcount
    return bool(gone)


def set_ids(
    connection: Connection,
    server_id: int,
    tracks: Iterable[RemoteTrack],
    names: Iterable[RemoteName],
    report: Mapping[str, Any],
) -> None:
    """See `Catalog.set_remote_ids`."""
    linked = update(_SERVERS).where(_SERVERS.c.id == server_id)
    values = {"linked_at": datetime.now(UTC), "report": dict(report)}
    if not connection.execute(linked.values(values)).rowcount:
        raise UsageError(f"there is no server with the id {server_id}.")
    for rows in (_TRACKS, _NAMES):
        connection.execute(delete(rows).where(rows.c.server_id == server_id))
    of_tracks = [
        {
            "server_id": server_id,
            "remote_id": storable(one.remote_id),
            "track_id": one.track_id,
            "matched_by": one.matched_by,
        }
        for one in tracks
    ]
    of_names = [
        {
            "server_id": server_id,
            "kind": one.kind,
            "remote_id": storable(one.remote_id),
            "name": storable(one.name),
            "artist": None if one.artist is None else storable(one.artist),
        }
        for one in names
    ]
    for rows, values_of in ((_TRACKS, of_tracks), (_NAMES, of_names)):
        if values_of:
            connection.execute(insert(rows), values_of)


def track_ids(
    connection: Connection, server_id: int, remote_ids: Collection[str]
) -> dict[str, int]:
    """See `Catalog.tracks_of_remote`."""
    found: dict[str, int] = {}
    columns = _TRACKS.c
    for chunk in chunks({storable(one) for one in remote_ids}):
        rows = connection.execute(
            select(columns.remote_id, columns.track_id).where(
                columns.server_id == server_id, columns.remote_id.in_(chunk)
            )
        )
        found.update((remote_id, track_id) for remote_id, track_id in rows)
    return found


def remote_ids(connection: Connection, server_id: int, ids: Collection[int]) -> dict[int, str]:
    """See `Catalog.remote_ids`."""
    found: dict[int, str] = {}
    columns = _TRACKS.c
    for chunk in chunks({id for id in ids if 0 < id <= LARGEST_ID}):
        rows = connection.execute(
            select(columns.track_id, func.min(columns.remote_id))
            .where(columns.server_id == server_id, columns.track_id.in_(chunk))
            .group_by(columns.track_id)
        )
        found.update((track_id, remote_id) for track_id, remote_id in rows)
    return found


def names(connection: Connection, server_id: int, kind: RemoteKind) -> Sequence[RemoteName]:
    """See `Catalog.remote_names`."""
    columns = _NAMES.c
    rows = connection.execute(
        select(columns.kind, columns.remote_id, columns.name, columns.artist)
        .where(columns.server_id == server_id, columns.kind == kind)
        .order_by(columns.remote_id)
    )
    return [RemoteName(*row) for row in rows]


def name_of(
    connection: Connection, server_id: int, kind: RemoteKind, remote_id: str
) -> RemoteName | None:
    """See `Catalog.remote_name`."""
    columns = _NAMES.c
    row = connection.execute(
        select(columns.kind, columns.remote_id, columns.name, columns.artist).where(
            columns.server_id == server_id,
            columns.kind == kind,
            columns.remote_id == storable(remote_id),
        )
    ).first()
    return None if row is None else RemoteName(*row)

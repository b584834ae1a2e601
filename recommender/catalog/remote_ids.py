"""`RemoteIds`: the part of `Catalog` that knows media servers and their ids."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from recommender.catalog import servers
from recommender.catalog.database import Database
from recommender.catalog.server_records import MediaServer, RemoteKind, RemoteName, RemoteTrack


class RemoteIds(Database):
    """Media servers and their ids of tracks, artists and albums; see `Catalog`.

    None of it changes `Catalog.state`.
    """

    def servers(self) -> list[MediaServer]:
        """The media servers, by name."""
        with self._reading() as connection:
            return servers.every(connection)

    def save_server(self, name: str, kind: str, url: str, login: str = "") -> MediaServer:
        """Store a server, or change the one of that name, which keeps its id and what is linked.

        Args: as in `MediaServer`. Raises `UsageError` for an empty name.
        """
        with self._changing() as connection:
            return servers.save(connection, name, kind, url, login)

    def remove_server(self, server_id: int) -> bool:
        """Drop a server and its ids; returns whether there was one with this id."""
        with self._changing() as connection:
            return servers.remove(connection, server_id)

    def set_remote_ids(
        self,
        server_id: int,
        tracks: Iterable[RemoteTrack],
        names: Iterable[RemoteName] = (),
        report: Mapping[str, Any] = {},
    ) -> None:
        """Replace all that is known of a server's ids, in one transaction.

        Args:
            tracks: each remote id once; several may mean one track.
            names: likewise.
            report: what `MediaServer.report` shall be; JSON values only.

        Raises `UsageError` where there is no such server, and `CatalogError` for a track that does
        not exist; nothing is changed then.
        """
        with self._changing() as connection:
            servers.set_ids(connection, server_id, tracks, names, report)

    def tracks_of_remote(self, server_id: int, remote_ids: Collection[str]) -> dict[str, int]:
        """Remote id → track id, of those that are known."""
        with self._reading() as connection:
            return servers.track_ids(connection, server_id, remote_ids)

    def remote_ids(self, server_id: int, track_ids: Collection[int]) -> dict[int, str]:
        """Track id → remote id, of those that are known; the first of several by alphabet."""
        with self._reading() as connection:
            return servers.remote_ids(connection, server_id, track_ids)

    def remote_names(self, server_id: int, kind: RemoteKind) -> Sequence[RemoteName]:
        """The artists or the albums that a server has, by their ids."""
        with self._reading() as connection:
            return servers.names(connection, server_id, kind)

    def remote_name(self, server_id: int, kind: RemoteKind, remote_id: str) -> RemoteName | None:
        """The artist or the album with this id, if the server has one."""
        with self._reading() as connection:
            return servers.name_of(connection, server_id, kind, remote_id)

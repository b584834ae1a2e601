"""The ids by which players know tracks and artists: those of the media server that is linked, or
the catalogue's own where none is."""

from collections.abc import Collection, Sequence

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.catalog.server_records import MediaServer, RemoteKind
from recommender.errors import TrackNotFound
from recommender.server.music_library import artist_id_of
from recommender.server.state import ServerState
from recommender.utils.names import name_key

_LONGEST_DIGITS = 10


class PlayerIds:
    """Maps ids for one request; every method reads the database, and is for use in a thread."""

    def __init__(self, state: ServerState, catalog: Catalog, remote_id: str | None = None) -> None:
        """The ids of the server that is named in the settings, or else of the only one.

        Args:
            state: of the application.
            catalog: that is served.
            remote_id: of a track; where several servers are linked, the one that has it is meant.
        """
        self._state = state
        self._catalog = catalog
        self._asked: dict[int, str] = {}
        self.server = _server_of(state, catalog, remote_id)

    def track_ids(self, remote_ids: Collection[str]) -> dict[str, int]:
        """Remote id → track id, of those that are known."""
        if self.server is not None:
            found = self._catalog.tracks_of_remote(self.server.id, remote_ids)
            self._asked |= {track_id: remote_id for remote_id, track_id in found.items()}
            return found
        own = {one: int(one) for one in remote_ids if _is_number(one)}
        there = self._catalog.present(set(own.values()))
        return {one: id for one, id in own.items() if id in there}

    def track_id(self, remote_id: str) -> int:
        """The track with a remote id. Raises `TrackNotFound`."""
        found = self.track_ids([remote_id]).get(remote_id)
        if found is None:
            raise TrackNotFound("No analysed track has this id.")
        return found

    def remote_ids(self, track_ids: Collection[int]) -> dict[int, str]:
        """Track id → remote id, of those that the server has.

        Where a track has several, the one that was asked with in this request.
        """
        if self.server is not None:
            found = self._catalog.remote_ids(self.server.id, track_ids)
            return {id: self._asked.get(id, remote_id) for id, remote_id in found.items()}
        return {id: str(id) for id in track_ids}

    def known(self, tracks: Sequence[Track]) -> list[tuple[Track, str]]:
        """Those of the tracks that the server has, each with its id there."""
        ids = self.remote_ids([track.id for track in tracks])
        return [(track, ids[track.id]) for track in tracks if track.id in ids]

    def spare(self, count: int) -> int:
        """How many tracks to ask for, so that `count` of them are likely known to the server."""
        return count if self.server is None else count + count // 2 + 10

    def artist_name(self, remote_id: str) -> str | None:
        """The name of the artist with a remote id."""
        if self.server is not None:
            found = self._catalog.remote_name(self.server.id, RemoteKind.ARTIST, remote_id)
            return None if found is None else found.name
        artist = self._state.music_library(self._catalog).artists.get(remote_id)
        return None if artist is None else artist.name

    def artist_id(self, name: str) -> str | None:
        """The remote id of an artist, by name."""
        if self.server is None:
            return artist_id_of(name)
        server = self.server

        def by_name() -> dict[str, str]:
            names = self._catalog.remote_names(server.id, RemoteKind.ARTIST)
            return {name_key(one.name): one.remote_id for one in names}

        key = (server.id, server.linked_at)
        return self._state.kept("artist ids", key, by_name).get(name_key(name))


def _server_of(state: ServerState, catalog: Catalog, remote_id: str | None) -> MediaServer | None:
    linked = [server for server in catalog.servers() if server.linked_at is not None]
    named = [server for server in linked if server.name == state.settings.server_name]
    candidates = named or linked
    if remote_id is not None and len(candidates) > 1:
        for server in candidates:
            if catalog.tracks_of_remote(server.id, [remote_id]):
                return server
    return candidates[0] if candidates else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_DIGITS

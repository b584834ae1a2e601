"""The catalogue by the ids of the server behind."""

from collections.abc import Sequence

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.catalog.server_records import MediaServer, RemoteKind
from recommender.recommendation.service import SimilarityService
from recommender.server.music_library import album_id_of
from recommender.server.proxy.settings import ProxySettings
from recommender.server.state import ServerState
from recommender.server.subsonic.answers import ErrorCode, SubsonicError
from recommender.utils.names import name_key


class RemoteMusic:
    """Maps ids for one call; reads the database, and is for use in a thread."""

    def __init__(
        self, state: ServerState, settings: ProxySettings, service: SimilarityService
    ) -> None:
        """Raises `SubsonicError` where the server has not been linked."""
        self._state = state
        self.catalog = service.catalog
        found = linked_server(self.catalog, settings)
        if found is None:
            message = "This server has not been linked: run 'recsys link' with its address."
            raise SubsonicError(ErrorCode.GENERIC, message)
        self._server = found

    def track_id(self, remote_id: str) -> int:
        """The track of a song. Raises `SubsonicError`."""
        found = self.catalog.tracks_of_remote(self._server.id, [remote_id]).get(remote_id)
        if found is None:
            raise _unknown(remote_id)
        return found

    def track_ids_of(self, remote_id: str) -> list[int]:
        """The tracks of a song, an album or an artist. Raises `SubsonicError`."""
        song = self.catalog.tracks_of_remote(self._server.id, [remote_id])
        if song:
            return list(song.values())
        library = self._state.music_library(self.catalog)
        name = self.catalog.remote_name(self._server.id, RemoteKind.ARTIST, remote_id)
        artist = None if name is None else library.artist_named(name.name)
        if artist is not None and artist.track_ids:
            return artist.track_ids
        name = self.catalog.remote_name(self._server.id, RemoteKind.ALBUM, remote_id)
        if name is None:
            raise _unknown(remote_id)
        album = library.albums.get(album_id_of(name.name, name.artist))
        if album is not None:
            return list(album.track_ids)
        title = name_key(name.name)  # by another artist, as the two see it
        same = [one for one in library.albums.values() if name_key(one.name) == title]
        if len(same) != 1:
            raise _unknown(remote_id)
        return list(same[0].track_ids)

    def known(self, tracks: Sequence[Track], most: int) -> list[tuple[int, str]]:
        """Place and remote id of the first `most` of the tracks that the server has."""
        ids = self.catalog.remote_ids(self._server.id, [track.id for track in tracks])
        found = [(at, ids[one.id]) for at, one in enumerate(tracks) if one.id in ids]
        return found[:most]


def linked_server(catalog: Catalog, settings: ProxySettings) -> MediaServer | None:
    """The server behind, if the catalogue knows its ids."""
    for server in catalog.servers():
        is_meant = server.url == settings.server
        if settings.server_name is not None:
            is_meant = server.name == settings.server_name
        if is_meant and server.linked_at is not None:
            return server
    return None


def _unknown(remote_id: str) -> SubsonicError:
    message = f"The catalogue has nothing with the id {remote_id[:80]!r} of this server."
    return SubsonicError(ErrorCode.NOT_FOUND, message)

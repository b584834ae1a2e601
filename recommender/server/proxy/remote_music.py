"""The catalogue by the ids of the server behind."""

from collections.abc import Sequence

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.catalog.server_records import MediaServer, RemoteKind
from recommender.recommendation.service import SimilarityService
from recommender.server.proxy.settings import ProxySettings
from recommender.server.state import ServerState
from recommender.server.subsonic.answers import ErrorCode, SubsonicError


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
        found = self.track_ids([remote_id])
        if not found:
            raise unknown(remote_id)
        return found[0]

    def seeds(self, remote_id: str) -> list[int]:
        """The tracks of a song, or of an artist by name; none where it is known to be neither."""
        song = self.track_ids([remote_id])
        if song:
            return song
        name = self.catalog.remote_name(self._server.id, RemoteKind.ARTIST, remote_id)
        library = self._state.music_library(self.catalog)
        artist = None if name is None else library.artist_named(name.name)
        return [] if artist is None else artist.track_ids

    def track_ids(self, remote_ids: Sequence[str]) -> list[int]:
        """The tracks of those of the songs that are known, in their order."""
        found = self.catalog.tracks_of_remote(self._server.id, remote_ids)
        return [found[one] for one in remote_ids if one in found]

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


def unknown(remote_id: str) -> SubsonicError:
    """The error where the catalogue has nothing of an id of the server."""
    message = f"The catalogue has nothing with the id {remote_id[:80]!r} of this server."
    return SubsonicError(ErrorCode.NOT_FOUND, message)

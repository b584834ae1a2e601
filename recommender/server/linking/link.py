"""Links the catalogue to a media server: reads its songs, matches them, stores their ids."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recommender.catalog import Catalog
from recommender.catalog.server_records import MediaServer, RemoteTrack
from recommender.errors import PlayerError
from recommender.history.track_lookup import TrackLookup
from recommender.server.linking.jellyfin_client import read_jellyfin
from recommender.server.linking.matching import METHODS, UnmatchedSong, matched
from recommender.server.linking.navidrome_client import read_navidrome
from recommender.server.linking.remote_library import RemoteLibrary, checked_url
from recommender.server.linking.subsonic_client import read_subsonic

READERS: Mapping[str, Callable[[str, str, str], RemoteLibrary]] = {
    "navidrome": read_navidrome,
    "subsonic": read_subsonic,
    "jellyfin": read_jellyfin,
}
"""Kind of server → reads its songs, given address, login and secret."""


@dataclass(frozen=True)
class LinkReport:
    """What came of linking.

    Attributes:
        songs: that the server has.
        matched: way of matching → number of songs.
        unmatched: songs that are no track of the catalogue.
        unlinked: number of tracks that the server does not have.
    """

    server: MediaServer
    songs: int
    matched: Mapping[str, int]
    unmatched: tuple[UnmatchedSong, ...]
    unlinked: int


def link(
    catalog: Catalog, kind: str, url: str, login: str, secret: str, name: str | None = None
) -> LinkReport:
    """Store which tracks the ids of a server mean, in place of what was stored of it.

    Args:
        kind: one of `READERS`.
        url, login, secret: as of `read_subsonic`.
        name: how the server is called from now on; None for its address.

    Raises:
        PlayerError: the server cannot be read, or has no song; what was stored stays.
        UsageError: what is given is no address.
    """
    url = checked_url(url)
    library = READERS[kind](url, login, secret)
    if not library.songs:
        raise PlayerError(f"{url} has no song that {login or 'this key'} may hear.")
    lookup = TrackLookup(catalog)
    found = [matched(song, lookup) for song in library.songs]
    tracks = {one.remote_id: one for one in found if isinstance(one, RemoteTrack)}
    unmatched = tuple(one for one in found if isinstance(one, UnmatchedSong))
    counts = Counter(one.matched_by for one in tracks.values())
    by_method = {method: counts[method] for method in METHODS}
    linked = {one.track_id for one in tracks.values()}
    unlinked = len(set(catalog.analysed_ids().tolist()) - linked)
    report = {
        "songs": len(library.songs),
        "matched": by_method,
        "unmatched": len(unmatched),
        "unlinked": unlinked,
    }
    server = catalog.save_server(name or url, kind, url, login)
    catalog.set_remote_ids(server.id, tracks.values(), library.names, report)
    return LinkReport(server, len(library.songs), by_method, unmatched, unlinked)

"""Stores a playlist of the catalogue at a linked server, in place of the one of its name there."""

from dataclasses import dataclass

from recommender.catalog import Catalog, StoredPlaylist
from recommender.catalog.server_records import MediaServer
from recommender.errors import PlayerError
from recommender.server.linking.remote_library import JsonClient, dicts, text
from recommender.server.linking.subsonic_client import SubsonicAsker

KINDS = ("navidrome", "subsonic")
"""Kinds of servers that take playlists: those that speak Subsonic."""


@dataclass(frozen=True)
class PushReport:
    """What came of it.

    Attributes:
        songs: that the playlist has at the server.
        left_out: tracks that the server does not have.
        replaced: whether there was one of its name.
    """

    songs: int
    left_out: int
    replaced: bool


def push_playlist(
    catalog: Catalog, playlist: StoredPlaylist, server: MediaServer, login: str, secret: str
) -> PushReport:
    """Store a playlist at a server; the user's playlist of its name keeps its id there.

    Args:
        login, secret: as of `read_subsonic`.

    Raises `PlayerError` where the server cannot be reached, refuses, takes no playlists, or has
    none of the tracks.
    """
    if server.kind not in KINDS:
        raise PlayerError(f"{server.name} takes no playlists: only {' and '.join(KINDS)} do.")
    known = catalog.remote_ids(server.id, playlist.track_ids)
    songs = [known[id] for id in playlist.track_ids if id in known]
    if not songs:
        raise PlayerError(f"{server.name} has no track of {playlist.name!r}, as far as is known.")
    with JsonClient(server.url) as client:
        asker = SubsonicAsker(client, login, secret)
        there = _id_of(asker, playlist.name, login)
        target = {"name": playlist.name} if there is None else {"playlistId": there}
        asker.send("createPlaylist", **target, songId=songs)
    return PushReport(len(songs), len(playlist.track_ids) - len(songs), there is not None)


def _id_of(asker: SubsonicAsker, name: str, login: str) -> str | None:
    """The id of the user's playlist of this name; None without one."""
    found = asker.call("getPlaylists").get("playlists")
    for one in dicts(found.get("playlist")) if isinstance(found, dict) else []:
        is_own = not login or one.get("owner") in (None, "", login)
        if is_own and one.get("name") == name:
            return text(one.get("id"))
    return None

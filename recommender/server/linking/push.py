"""Stores a playlist of the catalogue at a linked server, in place of the user's of its name there.

Servers list the playlists of others, too, and let some users change them: which of a name is the
user's own is told by its owner, and one whose owner is not known is never replaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.catalog import Catalog, StoredPlaylist
from recommender.catalog.server_records import MediaServer
from recommender.errors import PlayerError
from recommender.server.linking.jellyfin_client import push_to_jellyfin
from recommender.server.linking.remote_library import JsonClient, dicts, text
from recommender.server.linking.subsonic_client import SubsonicAsker


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
        login, secret: as of `read_subsonic`; Jellyfin wants a login.

    Raises `PlayerError` where the server cannot be reached, refuses, or has none of the tracks.
    """
    known = catalog.remote_ids(server.id, playlist.track_ids)
    songs = [known[id] for id in playlist.track_ids if id in known]
    if not songs:
        raise PlayerError(f"{server.name} has no track of {playlist.name!r}, as far as is known.")
    push = push_to_jellyfin if server.kind == "jellyfin" else _push_to_subsonic
    replaced = push(server.url, login, secret, playlist.name, songs)
    return PushReport(len(songs), len(playlist.track_ids) - len(songs), replaced)


def _push_to_subsonic(url: str, login: str, secret: str, name: str, songs: Sequence[str]) -> bool:
    """As `push_to_jellyfin`, at a server that speaks Subsonic."""
    with JsonClient(url) as client:
        asker = SubsonicAsker(client, login, secret)
        there = _id_of(asker, name, login)
        target = {"name": name} if there is None else {"playlistId": there}
        asker.send("createPlaylist", **target, songId=songs)
    return there is not None


def _id_of(asker: SubsonicAsker, name: str, login: str) -> str | None:
    """The id of the user's playlist of this name; None without one.

    Raises `PlayerError` where one may be another's.
    """
    found = asker.call("getPlaylists").get("playlists")
    listed = dicts(found.get("playlist")) if isinstance(found, dict) else []
    same = [one for one in listed if one.get("name") == name]
    if not same:
        return None
    user = login or _owner_of_key(asker)
    own = [one for one in same if user and one.get("owner") == user]
    if not own and not (user and all(text(one.get("owner")) for one in same)):
        raise PlayerError(
            f"the server has a playlist {name!r}, and does not say whether it is this user's: "
            "push with a login instead of an API key, or rename one of them."
        )
    return text(own[0].get("id")) if own else None


def _owner_of_key(asker: SubsonicAsker) -> str | None:
    """The user whose API key is used, of a server that says it."""
    try:
        found = asker.call("tokenInfo").get("tokenInfo")
    except PlayerError:
        return None
    return text(found.get("username")) if isinstance(found, dict) else None

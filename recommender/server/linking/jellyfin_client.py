"""Reads the songs of Jellyfin, and stores playlists there."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from recommender.catalog.server_records import RemoteKind, RemoteName
from recommender.errors import PlayerError
from recommender.server.linking.remote_library import (
    MOST_SONGS,
    PAGE,
    JsonClient,
    RemoteLibrary,
    RemoteSong,
    dicts,
    distinct,
    number,
    text,
)

_TICKS = 10_000_000  # a second
_WHO = 'MediaBrowser Client="recsys", Device="recsys", DeviceId="recsys", Version="1"'


def read_jellyfin(url: str, login: str, secret: str) -> RemoteLibrary:
    """Every song, artist and album; arguments and errors as of `read_subsonic`."""
    with JsonClient(url) as client:
        user_id = _log_in(client, login, secret)
        items = list(_items(client, "Audio", user_id))
        names = distinct(name for one in items for name in _names(one))
        return RemoteLibrary([_song(one) for one in items], names)


def push_to_jellyfin(url: str, login: str, secret: str, name: str, songs: Sequence[str]) -> bool:
    """Store a playlist, in place of the user's own of its name; needs Jellyfin 10.9.

    Returns whether one was replaced. Raises as `read_subsonic`.
    """
    with JsonClient(url) as client:
        user_id = _log_in(client, login, secret)
        if user_id is None:
            raise PlayerError("Jellyfin stores playlists for a user: give a login and a password.")
        for one in _items(client, "Playlist", user_id):
            if one.get("Name") == name and _is_own(client, one["Id"]):
                client.post(f"/Playlists/{quote(one['Id'], safe='')}", {"Ids": list(songs)})
                return True
        wanted = {"Name": name, "Ids": list(songs), "UserId": user_id, "MediaType": "Audio"}
        client.post("/Playlists", wanted)
        return False


def _is_own(client: JsonClient, playlist_id: str) -> bool:
    """Whether a playlist is the user's who is logged in.

    Only its owner sees with whom it is shared, while administrators may change those of others.
    """
    try:
        client.get(f"/Playlists/{quote(playlist_id, safe='')}/Users")
    except PlayerError:
        return False
    return True


def _log_in(client: JsonClient, login: str, secret: str) -> str | None:
    """Prove who asks from now on; returns the id of the user, None for an API key."""
    client.add_headers({"Authorization": _WHO})
    token: str | None = secret
    user_id = None
    if login:
        entered = client.post("/Users/AuthenticateByName", {"Username": login, "Pw": secret})
        token = text(entered.get("AccessToken")) if isinstance(entered, dict) else None
        of_user = entered.get("User") if isinstance(entered, dict) else None
        user_id = text(of_user.get("Id")) if isinstance(of_user, dict) else None
    if token is None:
        raise PlayerError(f"{client.url} does not answer as Jellyfin does.")
    client.add_headers({"Authorization": f'{_WHO}, Token="{_header(token)}"'})
    return user_id


def _header(token: str) -> str:
    if not token.isascii() or not token.isprintable() or '"' in token:
        raise PlayerError("the API key holds characters that none has.")
    return token


def _items(client: JsonClient, kind: str, user_id: str | None) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    while len(seen) < MOST_SONGS:
        asked = {
            "IncludeItemTypes": kind,
            "Recursive": "true",
            "Fields": "Path,ProviderIds",
            "SortBy": "SortName",
            "StartIndex": len(seen),
            "Limit": PAGE,
            "EnableImages": "false",
            "EnableUserData": "false",
            **({} if user_id is None else {"userId": user_id}),
        }
        content = client.get("/Items", asked)
        items = dicts(content.get("Items")) if isinstance(content, dict) else []
        found = {one["Id"]: one for one in items if text(one.get("Id"))}
        new = [one for remote_id, one in found.items() if remote_id not in seen]
        if not new:
            return
        yield from new
        seen |= found.keys()


def _song(one: dict[str, Any]) -> RemoteSong:
    ids, ticks = one.get("ProviderIds"), number(one.get("RunTimeTicks"))
    artists = one.get("Artists")
    first = text(artists[0]) if isinstance(artists, list) and artists else None
    return RemoteSong(
        id=one["Id"],
        title=text(one.get("Name")),
        artist=first or text(one.get("AlbumArtist")),
        album=text(one.get("Album")),
        path=text(one.get("Path")),
        duration=None if ticks is None else ticks / _TICKS,
        recording_mbid=text(ids.get("MusicBrainzRecording")) if isinstance(ids, dict) else None,
    )


def _names(one: dict[str, Any]) -> Iterator[RemoteName]:
    for artist in (*dicts(one.get("ArtistItems")), *dicts(one.get("AlbumArtists"))):
        remote_id, name = text(artist.get("Id")), text(artist.get("Name"))
        if remote_id and name:
            yield RemoteName(RemoteKind.ARTIST, remote_id, name)
    remote_id, name = text(one.get("AlbumId")), text(one.get("Album"))
    if remote_id and name:
        yield RemoteName(RemoteKind.ALBUM, remote_id, name, text(one.get("AlbumArtist")))

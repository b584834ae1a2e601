"""Reads the songs of a server that speaks Subsonic."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from recommender.catalog.server_records import RemoteKind, RemoteName
from recommender.errors import PlayerError
from recommender.server.linking.remote_library import (
    MOST_SONGS,
    PAGE,
    JsonClient,
    RemoteLibrary,
    dicts,
    distinct,
    song_of,
    text,
)

_CLIENT = {"v": "1.12.0", "c": "recsys", "f": "json"}
"""The version that old servers speak too; all that is needed here."""


def read_subsonic(url: str, login: str, secret: str) -> RemoteLibrary:
    """Every song, artist and album.

    Args:
        url: of the server, without ``/rest``.
        login: name of a user; empty for an API key.
        secret: password of the user, or the API key.

    Raises:
        PlayerError: the server cannot be reached, refuses, or is none of this kind.
        UsageError: what is given is no address.
    """
    with JsonClient(url) as client:
        asker = SubsonicAsker(client, login, secret)
        library = RemoteLibrary()
        songs = list(_songs(asker)) or list(_songs_of_albums(asker))
        library.songs = [song_of(one, "musicBrainzId") for one in songs if text(one.get("id"))]
        library.names = distinct([*_artists(asker), *_albums(songs)])
        return library


class SubsonicAsker:
    """Calls methods, with the proof of who asks that the server understands."""

    def __init__(self, client: JsonClient, login: str, secret: str) -> None:
        """Find out what the server understands. Raises `PlayerError` where it refuses."""
        self._client = client
        salt = secrets.token_hex(8)
        token = hashlib.md5(f"{secret}{salt}".encode(), usedforsecurity=False).hexdigest()
        ways: list[dict[str, str]] = [
            {"u": login, "t": token, "s": salt},
            {"u": login, "p": f"enc:{secret.encode().hex()}"},
        ]
        if not login:
            ways = [{"apiKey": secret}]
        refusals = []
        for way in ways:
            self._way = way
            try:
                self.call("ping")
                return
            except PlayerError as error:  # servers of before 1.13 know no tokens
                refusals.append(error)
        raise refusals[-1]

    def call(self, method: str, **given: Any) -> Mapping[str, Any]:
        """What a method answers. Raises `PlayerError`."""
        parameters = {**_CLIENT, **self._way, **given}
        return self._checked(method, self._client.get(f"/rest/{method}.view", parameters))

    def send(self, method: str, **given: Any) -> Mapping[str, Any]:
        """Likewise, as a form, which may be long. Raises `PlayerError`."""
        form = {**_CLIENT, **self._way, **given}
        return self._checked(method, self._client.post_form(f"/rest/{method}.view", form))

    def _checked(self, method: str, content: Any) -> Mapping[str, Any]:
        answer = content.get("subsonic-response") if isinstance(content, dict) else None
        if not isinstance(answer, dict):
            raise PlayerError(f"{self._client.url} does not speak Subsonic.")
        if answer.get("status") != "ok":
            error = answer.get("error")
            reason = error.get("message") if isinstance(error, dict) else None
            raise PlayerError(f"{self._client.url} refuses {method}: {reason or 'no reason given'}")
        return answer


def _songs(asker: SubsonicAsker) -> Iterator[dict[str, Any]]:
    """By a search without words, which most servers answer with everything."""
    seen: set[object] = set()
    while len(seen) < MOST_SONGS:
        found = asker.call(
            "search3", query="", artistCount=0, albumCount=0, songCount=PAGE, songOffset=len(seen)
        )
        result = found.get("searchResult3")
        songs = dicts(result.get("song")) if isinstance(result, dict) else []
        new = [one for one in songs if one.get("id") not in seen]
        if not new:
            return
        yield from new
        seen |= {one.get("id") for one in songs}


def _songs_of_albums(asker: SubsonicAsker) -> Iterator[dict[str, Any]]:
    """Album by album, of servers that find nothing by a search without words."""
    seen: set[object] = set()
    while len(seen) < MOST_SONGS:
        found = asker.call(
            "getAlbumList2", type="alphabeticalByName", size=PAGE, offset=len(seen)
        ).get("albumList2")
        albums = dicts(found.get("album")) if isinstance(found, dict) else []
        new = [one["id"] for one in albums if one.get("id") not in seen and one.get("id")]
        if not new:
            return
        for album_id in new:
            album = asker.call("getAlbum", id=album_id).get("album")
            yield from dicts(album.get("song")) if isinstance(album, dict) else []
        seen |= {one.get("id") for one in albums}


def _artists(asker: SubsonicAsker) -> Iterator[RemoteName]:
    artists = asker.call("getArtists").get("artists")
    for letter in dicts(artists.get("index")) if isinstance(artists, dict) else []:
        for one in dicts(letter.get("artist")):
            remote_id, name = text(one.get("id")), text(one.get("name"))
            if remote_id and name:
                yield RemoteName(RemoteKind.ARTIST, remote_id, name)


def _albums(songs: list[dict[str, Any]]) -> Iterator[RemoteName]:
    for one in songs:
        remote_id, name = text(one.get("albumId")), text(one.get("album"))
        artist = text(one.get("displayAlbumArtist")) or text(one.get("artist"))
        if remote_id and name:
            yield RemoteName(RemoteKind.ALBUM, remote_id, name, artist)

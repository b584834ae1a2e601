"""Reads the songs of Navidrome by the interface of its own web page, which has their true paths."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from recommender.catalog.server_records import RemoteKind, RemoteName
from recommender.errors import PlayerError
from recommender.server.linking.remote_library import (
    MOST_SONGS,
    PAGE,
    JsonClient,
    RemoteLibrary,
    dicts,
    song_of,
    text,
)


def read_navidrome(url: str, login: str, secret: str) -> RemoteLibrary:
    """Every song, artist and album; arguments and errors as of `read_subsonic`."""
    if not login:
        raise PlayerError("Navidrome wants the name of a user and a password.")
    with JsonClient(url) as client:
        entered = client.post("/auth/login", {"username": login, "password": secret})
        token = text(entered.get("token")) if isinstance(entered, dict) else None
        if token is None:
            raise PlayerError(f"{client.url} does not answer as Navidrome does.")
        client.add_headers({"X-ND-Authorization": f"Bearer {quote(token, safe='')}"})
        library = RemoteLibrary([song_of(one, "mbzRecordingID") for one in _pages(client, "song")])
        for one in _pages(client, "artist"):
            if name := text(one.get("name")):
                library.names.append(RemoteName(RemoteKind.ARTIST, one["id"], name))
        for one in _pages(client, "album"):
            if name := text(one.get("name")):
                artist = text(one.get("albumArtist"))
                library.names.append(RemoteName(RemoteKind.ALBUM, one["id"], name, artist))
        return library


def _pages(client: JsonClient, what: str) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    while len(seen) < MOST_SONGS:
        page = {"_start": len(seen), "_end": len(seen) + PAGE, "_sort": "id", "_order": "ASC"}
        found = {one["id"]: one for one in dicts(client.get(f"/api/{what}", page)) if _id(one)}
        new = [one for remote_id, one in found.items() if remote_id not in seen]
        if not new:
            return
        yield from new
        seen |= found.keys()


def _id(one: dict[str, Any]) -> str | None:
    return text(one.get("id"))

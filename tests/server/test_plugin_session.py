"""What a plugin of Navidrome asks, in order, of a server that was linked with `recsys link`."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from command_line import recsys
from fastapi.testclient import TestClient
from media_servers import server_of
from serving_process import server_process

from recommender.catalog import Catalog
from recommender.catalog.server_records import RemoteTrack
from recommender.server.users import UserStore

MOST_BYTES = 10 << 20
"""Of an answer that Navidrome hands to a plugin."""


@pytest.fixture
def navidrome(database: Path, ids: dict[str, int]) -> Iterator[str]:
    """The address of a Navidrome that has the tracks of the catalogue, by ids of its own."""
    with Catalog.open(database) as catalog:
        tracks = {track.id: track for track in catalog.all_tracks()}
    songs = [
        {
            "id": f"mf{id}",
            "title": track.title,
            "artist": track.artist,
            "path": str(track.path),
            "duration": track.duration,
        }
        for id, track in tracks.items()
    ]
    names = sorted({track.artist for track in tracks.values() if track.artist})
    listed = {
        "/api/song": songs,
        "/api/artist": [{"id": f"ar{at}", "name": name} for at, name in enumerate(names)],
        "/api/album": [{"id": "al1", "name": "Lights", "albumArtist": "Anna"}],
    }

    def answer(path: str, given: dict[str, str], headers: Any, sent: Any) -> Any:
        if path == "/auth/login":
            return {"token": "T"}
        if headers.get("X-ND-Authorization") != "Bearer T":
            return 401
        return listed[path][int(given["_start"]) : int(given["_end"])]

    with server_of(answer) as address:
        yield address


@pytest.mark.slow
def test_a_plugins_calls_in_order(
    navidrome: str, database: Path, ids: dict[str, int], tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("pw")
    words = ("navidrome", navidrome, "--login", "anna", "--secret-file", secret)
    report = recsys("link", *words, "--json", "--db", database).json
    assert report["songs"] == len(ids)
    assert sum(report["matched"].values()) >= len(ids) - 2  # some names are no text
    token = UserStore(database.with_name("catalog.db.users.json")).add("plugin").token
    with server_process("--base-path", "/recsys", database=database) as server:
        address = server.line()

        def asked(path: str, bearer: str = token, **given: object) -> Any:
            request = urllib.request.Request(
                f"{address}{path}?{urlencode(given)}", headers={"Authorization": f"Bearer {bearer}"}
            )
            with urllib.request.urlopen(request, timeout=10) as answer:
                content = answer.read(MOST_BYTES + 1)
            assert len(content) <= MOST_BYTES
            return json.loads(content)

        assert asked("/api/health", bearer="wrong")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            asked("/api/similar_tracks", bearer="wrong", item_id="mf1")
        first, last = f"mf{ids['First Light']}", f"mf{ids['Fourth']}"
        like = {"n": 200, "eliminate_duplicates": "true", "radius_similarity": "false"}
        similar = asked("/api/similar_tracks", item_id=first, **like)
        by_names = asked("/api/similar_tracks", title="First Light", artist="Anna", n=3)
        found = asked("/api/search_tracks", search_query="first light")
        assert found[0]["item_id"] == first
        near = asked("/api/similar_artists", artist="Anna", n=5, include_component_matches="true")
        again = asked("/api/similar_artists", artist=near[0]["artist_id"], n=5)
        path = asked("/api/find_path", start_song_id=first, end_song_id=last, max_steps=10)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            asked("/api/similar_tracks", item_id="nosuch", n=10)
        assert server.stop() == 0
    known = {f"mf{id}" for id in ids.values()}
    for songs in (similar, by_names, path["path"]):
        assert songs
        assert {one["item_id"] for one in songs} <= known
    assert [path["path"][at]["item_id"] for at in (0, -1)] == [first, last]
    assert again
    assert {"Bela"} <= {one["artist"] for one in near if one["artist_id"]}


def test_of_several_ids_of_a_track_the_one_that_was_asked_with_is_answered(
    client: TestClient, database: Path, ids: dict[str, int]
) -> None:
    first, last = ids["First Light"], ids["Fourth"]
    with Catalog.open(database) as catalog:
        server = catalog.save_server("home", "navidrome", "http://navidrome.invalid")
        tracks = [RemoteTrack(f"{copy}{id}", id, "path") for id in ids.values() for copy in "ab"]
        catalog.set_remote_ids(server.id, tracks)
    for ends in ((f"b{first}", f"a{last}"), (f"a{first}", f"b{last}")):
        given = {"start_song_id": ends[0], "end_song_id": ends[1]}
        path = client.get("/api/find_path", params=given).json()["path"]
        assert (path[0]["item_id"], path[-1]["item_id"]) == ends

"""`recsys link`, with servers that answer as the real ones do."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from command_line import recsys
from media_servers import server_of
from serving_process import server_process
from supysonic_server import LOGIN, PASSWORD, supysonic

from recommender.catalog import Catalog
from recommender.catalog.server_records import RemoteKind
from recommender.server.linking.link import link
from recommender.server.users import UserStore

pytestmark = pytest.mark.slow

DEEP = b"[" * 200_000
"""JSON within JSON, deeper than it can be read."""


def linked(database: Path) -> dict[str, str]:
    """Remote id → title, of the only server."""
    with Catalog.open(database) as catalog:
        server = catalog.servers()[0]
        tracks = {track.id: track.title for track in catalog.all_tracks()}
        found = catalog.remote_ids(server.id, list(tracks))
    return {remote_id: tracks[track_id] for track_id, remote_id in found.items()}


def test_navidrome_is_read_by_its_own_interface(database: Path) -> None:
    songs = [
        {"id": "s1", "title": "First Light", "path": "Anna/music/one.flac", "duration": 2.0},
        {"id": "s2", "title": "Third", "artist": "Anna", "duration": 2.4, "path": "x/y.ogg"},
        {"id": "s3", "title": "Nowhere", "artist": "Nobody", "duration": 9.0},
        {"id": "s4", "title": "Another name", "tags": {"isrc": ["GBAYE0600002"], "mood": "x"}},
    ]

    def answer(path: str, given: dict[str, str], headers: Any, sent: Any) -> Any:
        if path == "/auth/login":
            return {"token": "T"} if sent == {"username": "anna", "password": "pw"} else 401
        if headers.get("X-ND-Authorization") != "Bearer T":
            return 401
        start, end = int(given["_start"]), int(given["_end"])
        if path == "/api/song":
            return songs[start:end]
        return [{"id": "a1", "name": "Anna"}][start:end] if path == "/api/artist" else []

    with server_of(answer) as address, Catalog.open(database) as catalog:
        report = link(catalog, "navidrome", address, "anna", "pw", "home")
        assert report.matched == {"path": 1, "mbid": 0, "isrc": 1, "names": 1}
        assert [one.song.id for one in report.unmatched] == ["s3"]
        names = catalog.remote_names(report.server.id, RemoteKind.ARTIST)
        assert [one.name for one in names] == ["Anna"]
        assert catalog.servers()[0].report == {
            "songs": 4,
            "matched": dict(report.matched),
            "unmatched": 1,
            "unlinked": report.unlinked,
        }
    assert linked(database) == {"s1": "First Light", "s2": "Third", "s4": "Second Light"}


def test_jellyfin_is_read_with_an_api_key(database: Path) -> None:
    items = [
        {
            "Id": "j1",
            "Name": "Fourth",
            "Artists": ["Bela"],
            "ArtistItems": [{"Name": "Bela", "Id": "jb"}],
            "RunTimeTicks": 26_000_000,
            "Path": "/media/music/four.ogg",
            "ProviderIds": {},
        },
        {"Id": "j2", "Name": "Another name", "ProviderIds": {"ISRC": "us-rc1-76-00002"}},
    ]

    def answer(path: str, given: dict[str, str], headers: Any, sent: Any) -> Any:
        if 'Token="KEY"' not in headers.get("Authorization", ""):
            return 401
        assert path == "/Items"
        start = int(given["StartIndex"])
        return {"Items": items[start : start + int(given["Limit"])], "TotalRecordCount": 2}

    with server_of(answer) as address, Catalog.open(database) as catalog:
        report = link(catalog, "jellyfin", address, "", "KEY")
    assert (report.matched["path"], report.matched["isrc"]) == (1, 1)
    assert linked(database) == {"j1": "Fourth", "j2": "Second Light"}


def test_the_command_links_a_server_and_says_what_is_missing(
    database: Path, tmp_path: Path, ids: dict[str, int]
) -> None:
    secrets = UserStore(database.with_name("catalog.db.users.json")).add("anna")
    secret = tmp_path / "secret"
    bad = next(id for title, id in ids.items() if title.startswith("bad"))
    with server_process("--show-paths", database=database) as server:
        address = server.line()
        for words in (("--login", "anna"), ()):
            secret.write_text((secrets.password if words else secrets.api_key) + "\n")
            done = recsys(
                "link", "subsonic", address, *words, "--secret-file", secret, "--name", "own",
                "--json", "--db", database,
            )  # fmt: skip
            assert done.status == 0, done.err
            found = json.loads(done.out)
            assert (found["songs"], found["matched"]["path"]) == (len(ids), len(ids) - 1)
            # A path whose bytes are no text comes over no wire.
            assert [one["id"] for one in found["unmatched"]] == [str(bad)]
            assert found["unlinked"] == 1
        secret.write_text("wrong")
        refused = recsys(
            "link", "subsonic", address, "--login", "anna", "--secret-file", secret,
            "--db", database,
        )  # fmt: skip
    assert refused.status == 1
    assert refused.err.count("\n") == 1
    assert linked(database).keys() == {str(id) for id in ids.values()} - {str(bad)}
    assert recsys("unlink", "nosuch", "--db", database).status == 1
    assert recsys("unlink", "own", "--db", database).status == 0
    with Catalog.open(database) as catalog:
        assert catalog.servers() == []


@pytest.mark.parametrize("kind", ["navidrome", "subsonic", "jellyfin"])
@pytest.mark.parametrize(
    "answer", [200, 302, 404, 500, [], {}, {"Items": 7, "token": 7}, "text", DEEP]
)
def test_a_server_that_makes_no_sense_is_one_line_and_changes_nothing(
    database: Path, kind: str, answer: Any
) -> None:
    with Catalog.open(database) as catalog:
        known = catalog.save_server("home", kind, "http://127.0.0.1")
    with server_of(lambda *_: answer) as address, ExitStack() as stack:
        secret = database.with_name("secret")
        secret.write_text("pw")
        stack.callback(secret.unlink)
        done = recsys(
            "link", kind, address, "--login", "anna", "--secret-file", secret, "--name", "home",
            "--db", database,
        )  # fmt: skip
    assert done.status == 1
    assert done.err.startswith("recsys: http")
    assert done.err.count("\n") == 1
    with Catalog.open(database) as catalog:
        assert catalog.servers() == [known]


@pytest.mark.parametrize("url", ["ftp://host", "host:4533", "http://a:b@host", "http://[", ""])
def test_what_is_no_address_is_refused(database: Path, url: str) -> None:
    done = recsys("link", "subsonic", url, "--secret-file", database, "--db", database)
    assert done.status == 1
    assert done.err.count("\n") == 1


@pytest.mark.slow
def test_supysonic_is_read_by_password(music: Any, database: Path, tmp_path: Path) -> None:
    server = supysonic(music.folder, tmp_path / "supysonic")
    with server as address, Catalog.open(database) as catalog:
        report = link(catalog, "subsonic", address, LOGIN, PASSWORD)
    assert report.matched["path"] >= 6
    assert "First Light" in linked(database).values()

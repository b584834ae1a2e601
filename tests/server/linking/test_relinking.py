"""Servers are linked again without anybody at hand, with secrets that are kept on request."""

import stat
from pathlib import Path
from typing import Any

import pytest
import sounds
from command_line import recsys
from media_servers import server_of

from recommender.catalog import Catalog
from recommender.errors import UsageError
from recommender.server.linking.credentials import credentials_file, credentials_of, forget, keep
from recommender.server.linking.relink import relink_servers

SECRET = "the password"
FIRST = {"id": "s1", "title": "First Light", "path": "music/one.flac", "duration": 2.0}


class Navidrome:
    """A server whose songs may change, and which may fail."""

    def __init__(self) -> None:
        self.songs: list[dict[str, Any]] = [FIRST]
        self.status = 200

    def __call__(self, path: str, given: dict[str, str], headers: Any, sent: Any) -> Any:
        if self.status != 200:
            return self.status
        if path == "/auth/login":
            return {"token": "T"} if sent == {"username": "anna", "password": SECRET} else 401
        start, end = int(given["_start"]), int(given["_end"])
        return self.songs[start:end] if path == "/api/song" else []


def link(address: str, database: Path, *words: str) -> None:
    secret = database.with_name("secret")
    secret.write_text(SECRET)
    done = recsys(
        "link", "navidrome", address, "--login", "anna", "--secret-file", secret, "--db", database,
        *words,
    )  # fmt: skip
    assert done.status == 0, done.err


@pytest.mark.slow
def test_an_ingest_links_again_and_a_server_that_fails_costs_a_line(
    database: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    navidrome = Navidrome()
    with server_of(navidrome) as address:
        link(address, database, "--name", "home", "--remember")
        kept = database.with_name("catalog.db.servers.json")
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert SECRET.encode() not in database.read_bytes()
        sounds.write_sound(folder / "new song.flac", sounds.music(5, 22_050, 30), 22_050)
        navidrome.songs.append({"id": "s2", "path": "more/new song.flac", "duration": 5.0})
        done = recsys("ingest", folder, "--workers", 1, "--db", database)
        assert done.status == 0
        assert "home was linked again: 2 of 2 songs" in done.err
        with Catalog.open(database) as catalog:
            [server] = catalog.servers()
            assert len(catalog.tracks_of_remote(server.id, ["s1", "s2"])) == 2
            navidrome.status = 500
            sounds.write_sound(folder / "newer.flac", sounds.music(5, 22_050, 31), 22_050)
            done = recsys("ingest", folder, "--workers", 1, "--db", database)
            assert done.status == 0
            assert done.err.count("home was not linked again: http") == 1
            assert len(catalog.tracks_of_remote(server.id, ["s1", "s2"])) == 2
        again = recsys("ingest", folder, "--workers", 1, "--db", database)
        assert "linked again" not in again.err  # nothing changed


def test_without_a_secret_nothing_is_asked_and_it_is_said(database: Path) -> None:
    with server_of(Navidrome()) as address:
        link(address, database)
    with Catalog.open(database) as catalog:
        assert not credentials_file(catalog).exists()
        [line] = relink_servers(catalog)
        assert "its secret is not kept" in line


def test_a_secret_goes_to_the_address_it_is_for_and_is_forgotten_with_the_server(
    database: Path,
) -> None:
    with server_of(Navidrome()) as address:
        link(address, database, "--name", "home", "--remember")
        with Catalog.open(database) as catalog:
            [server] = catalog.servers()
            assert credentials_of(catalog, server) is not None
            moved = catalog.save_server("home", "navidrome", "http://192.0.2.1:1", "anna")
            assert credentials_of(catalog, moved) is None
        assert recsys("unlink", "home", "--db", database).status == 0
    with Catalog.open(database) as catalog:
        assert SECRET not in credentials_file(catalog).read_text()
        assert not forget(catalog, "home")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"schema_version": 1, "servers": [1]}', "\xff"]
)
def test_damaged_secrets_are_one_line(database: Path, content: str) -> None:
    with Catalog.open(database) as catalog:
        server = catalog.save_server("home", "navidrome", "http://127.0.0.1:1", "anna")
        catalog.set_remote_ids(server.id, [], [], {})
        file = keep(catalog, server, SECRET)
        file.write_text(content)
        with pytest.raises(UsageError, match="secrets"):
            credentials_of(catalog, server)
        [line] = relink_servers(catalog)
        assert line.startswith("home was not linked again")
        assert "\n" not in line
        file.write_text("{}")
        file.chmod(0o666)
        with pytest.raises(UsageError, match="chmod 600"):
            credentials_of(catalog, server)

"""`recsys playlist push` stores a playlist at a server, and replaces it there."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from command_line import recsys
from media_servers import server_of
from serving_process import server_process
from supysonic_server import LOGIN, PASSWORD, supysonic

from recommender.catalog import Catalog
from recommender.catalog.server_records import RemoteTrack
from recommender.errors import PlayerError
from recommender.server.linking.credentials import keep
from recommender.server.linking.link import link
from recommender.server.linking.push import push_playlist
from recommender.server.users import UserStore

pytestmark = pytest.mark.slow


def test_a_playlist_is_made_then_replaced_in_place(
    database: Path, tmp_path: Path, ids: dict[str, int]
) -> None:
    behind = Path(shutil.copy(database, tmp_path / "behind.db"))
    password = UserStore(behind.with_name("behind.db.users.json")).add("anna").password
    secret = tmp_path / "secret"
    secret.write_text(password)
    one, two = ids["First Light"], ids["Fourth"]
    pushed = []
    with server_process("--show-paths", database=behind) as server:
        address = server.line()
        with Catalog.open(database) as catalog:
            link(catalog, "subsonic", address, "anna", password, "home")
        for wanted in ([one, two], [two, one, two] * 400):
            with Catalog.open(database) as catalog:
                catalog.save_playlist("Evening", wanted)
            words = ("Evening", "home", "--secret-file", secret, "--db", database)
            done = recsys("playlist", "push", *words)
            assert done.status == 0, done.err
            with Catalog.open(behind) as catalog:
                pushed.append(catalog.playlist("Evening", "anna"))
            assert pushed[-1].track_ids == tuple(wanted)
        with Catalog.open(database) as catalog:
            keep(catalog, catalog.servers()[0], password)
        assert recsys("playlist", "push", "Evening", "home", "--db", database).status == 0
        assert recsys("playlist", "push", "Nosuch", *words[1:]).status == 1
        assert recsys("playlist", "push", "Evening", "nosuch", *words[2:]).status == 1
    assert pushed[0].id == pushed[1].id


def test_what_a_server_does_not_have_is_not_pushed(database: Path, ids: dict[str, int]) -> None:
    with Catalog.open(database) as catalog:
        playlist = catalog.save_playlist("Evening", [ids["Third"]])
        server = catalog.save_server("home", "subsonic", "http://127.0.0.1:1")
        with pytest.raises(PlayerError, match="has no track"):
            push_playlist(catalog, playlist, server, "anna", "pw")


@pytest.mark.parametrize(
    ("own", "expected"), [([], "/Playlists"), (["p2"], "/Playlists/p2"), (["p9"], "/Playlists")]
)
def test_jellyfin_takes_playlists_of_users(
    database: Path, ids: dict[str, int], own: list[str], expected: str
) -> None:
    sent: list[tuple[str, Any]] = []
    listed = [{"Id": "p1", "Name": "Evening"}, {"Id": "p2", "Name": "Evening"}, {"Id": "p9"}]

    def answer(path: str, given: dict[str, str], headers: Any, content: Any) -> Any:
        if path == "/Users/AuthenticateByName":
            return {"AccessToken": "T", "User": {"Id": "u1"}}
        if 'Token="T"' not in headers.get("Authorization", ""):
            return 401
        if path == "/Items":
            assert (given["IncludeItemTypes"], given["userId"]) == ("Playlist", "u1")
            return {"Items": listed if given["StartIndex"] == "0" else []}
        if path.endswith("/Users"):
            return [] if path.split("/")[2] in own else 403
        sent.append((path, content))
        return {"Id": "new"} if path == "/Playlists" else 204

    with server_of(answer) as address, Catalog.open(database) as catalog:
        playlist = catalog.save_playlist("Evening", [ids["Third"], ids["Fourth"]])
        server = catalog.save_server("home", "jellyfin", address)
        catalog.set_remote_ids(server.id, [RemoteTrack("s", ids["Third"], "path")])
        report = push_playlist(catalog, playlist, server, "anna", "pw")
        with pytest.raises(PlayerError, match="login"):
            push_playlist(catalog, playlist, server, "", "KEY")
    assert (report.songs, report.left_out, report.replaced) == (1, 1, expected != "/Playlists")
    [(path, content)] = sent
    assert (path, content["Ids"]) == (expected, ["s"])
    assert content.keys() <= {"Ids", "Name", "UserId", "MediaType"}


@pytest.mark.parametrize(
    ("login", "key_of", "owners", "replaced"),
    [
        ("anna", "", ["bela", "anna"], "1"),
        ("anna", "", ["bela"], "new"),
        ("anna", "", [None], "refused"),
        ("", "anna", ["bela", "anna"], "1"),
        ("", "anna", ["bela"], "new"),
        ("", "", ["bela"], "refused"),
        ("", "", [], "new"),
    ],
)
def test_only_the_users_own_playlist_is_replaced(
    database: Path,
    ids: dict[str, int],
    login: str,
    key_of: str,
    owners: list[str | None],
    replaced: str,
) -> None:
    sent: list[dict[str, list[str]]] = []

    def answer(path: str, given: dict[str, str], headers: Any, form: Any) -> Any:
        content: dict[str, Any] = {"status": "ok"}
        if "getPlaylists" in path:
            listed = [
                {"id": str(at), "name": "Evening"} | ({"owner": owner} if owner else {})
                for at, owner in enumerate(owners)
            ]
            content["playlists"] = {"playlist": listed}
        elif "tokenInfo" in path:
            content |= {"tokenInfo": {"username": key_of}} if key_of else {"status": "failed"}
        elif "createPlaylist" in path:
            sent.append(form)
        return {"subsonic-response": content}

    with server_of(answer) as address, Catalog.open(database) as catalog:
        playlist = catalog.save_playlist("Evening", [ids["Third"]])
        server = catalog.save_server("home", "subsonic", address, login)
        catalog.set_remote_ids(server.id, [RemoteTrack("s", ids["Third"], "path")])
        if replaced == "refused":
            with pytest.raises(PlayerError, match="does not say whether it is this user's"):
                push_playlist(catalog, playlist, server, login, "secret")
            assert sent == []
            return
        push_playlist(catalog, playlist, server, login, "secret")
    target = {"name": ["Evening"]} if replaced == "new" else {"playlistId": [replaced]}
    assert sent[0].items() >= target.items()


@pytest.mark.slow
def test_supysonic_takes_playlists(
    music: object, database: Path, tmp_path: Path, ids: dict[str, int]
) -> None:
    folder: Path = music.folder  # type: ignore[attr-defined]
    server = supysonic(folder, tmp_path / "supysonic")
    with server as address, Catalog.open(database) as catalog:
        linked = link(catalog, "subsonic", address, LOGIN, PASSWORD).server
        for tracks, replaced in (([ids["Third"]], False), ([ids["Fourth"], ids["Third"]], True)):
            playlist = catalog.save_playlist("Evening", tracks)
            report = push_playlist(catalog, playlist, linked, LOGIN, PASSWORD)
            assert (report.songs, report.left_out, report.replaced) == (len(tracks), 0, replaced)

"""`recsys playlist push` stores a playlist at a server, and replaces it there."""

import shutil
from pathlib import Path

import pytest
from command_line import recsys
from serving_process import server_process
from supysonic_server import LOGIN, PASSWORD, supysonic

from recommender.catalog import Catalog
from recommender.errors import PlayerError
from recommender.server.linking.link import link
from recommender.server.linking.push import push_playlist
from recommender.server.users import UserStore


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
        assert recsys("playlist", "push", "Nosuch", *words[1:]).status == 1
        assert recsys("playlist", "push", "Evening", "nosuch", *words[2:]).status == 1
    assert pushed[0].id == pushed[1].id


def test_what_a_server_does_not_take_is_refused(database: Path, ids: dict[str, int]) -> None:
    with Catalog.open(database) as catalog:
        playlist = catalog.save_playlist("Evening", [ids["Third"]])
        for kind, reason in (("jellyfin", "takes no playlists"), ("subsonic", "has no track")):
            server = catalog.save_server(kind, kind, "http://127.0.0.1:1")
            with pytest.raises(PlayerError, match=reason):
                push_playlist(catalog, playlist, server, "anna", "pw")


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

"""The proxy before a server: what it answers itself, and what it passes on."""

import json
import shutil
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

import pytest
from command_line import recsys
from proxied_server import Proxied, asked, proxied
from serving_process import server_process

from recommender.catalog import Catalog
from recommender.server.linking.link import link
from recommender.server.users import UserStore


@pytest.fixture(scope="module")
def before_own(music: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """Before a server of our own, with the user anna, whose ids are other than the catalogue's."""
    folder = tmp_path_factory.mktemp("behind")
    behind = Path(shutil.copy(music.database, folder / "catalog.db"))
    database = Path(shutil.copy(music.database, folder / "own.db"))
    anna = UserStore(behind.with_name("catalog.db.users.json")).add("anna")
    key = anna.api_key
    with server_process("--show-paths", database=behind) as server:
        address = server.line()
        with Catalog.open(database) as catalog:
            link(catalog, "subsonic", address, "", key)
        with proxied(address, database, {"apiKey": key}) as found:
            yield replace(found, password=anna.password)


def test_similar_songs_are_answered_in_the_words_of_the_server(before_own: Proxied) -> None:
    first, fourth = before_own.ids["First Light"], before_own.ids["Fourth"]
    for method in ("getSimilarSongs", "getSimilarSongs2.view"):
        name = method.removesuffix(".view").replace("get", "").replace("S", "s", 1)
        songs = before_own.call(method, id=first, count=3)[name]["song"]
        assert len(songs) == 3
        own = before_own.call("getSong", id=songs[0]["id"])["song"]
        assert songs[0] == own
    sonic = before_own.call("getSonicSimilarTracks", id=first, count=3)["sonicMatch"]
    path = before_own.call("findSonicPath", startSongId=first, endSongId=fourth, count=4)
    for matches in (sonic, path["sonicMatch"]):
        values = [one["similarity"] for one in matches]
        assert values == sorted(values, reverse=True)
    ends = [path["sonicMatch"][at]["entry"]["id"] for at in (0, -1)]
    assert ends == [first, fourth]


def test_artists_and_albums_have_similar_songs(before_own: Proxied) -> None:
    found = before_own.call("search3", query="anna")["searchResult3"]
    for one in (found["artist"][0], found["album"][0]):
        songs = before_own.call("getSimilarSongs2", id=one["id"], count=2)["similarSongs2"]["song"]
        assert len(songs) == 2


def test_who_may_ask_is_the_servers_to_say(before_own: Proxied) -> None:
    first = before_own.ids["First Light"]
    for method in ("getSonicSimilarTracks", "getSimilarSongs", "getSong", "ping"):
        wrong = before_own.call(method, id=first, apiKey="wrong")
        assert (wrong["status"], wrong["error"]["code"]) == ("failed", 44)
    assert before_own.call("getSimilarSongs", id="nosuch")["error"]["code"] == 70
    assert before_own.call("getSimilarSongs")["error"]["code"] == 10


def test_the_extension_is_added_once(before_own: Proxied) -> None:
    found = before_own.call("getOpenSubsonicExtensions")["openSubsonicExtensions"]
    names = [one["name"] for one in found]
    assert names.count("sonicSimilarity") == 1
    assert "formPost" in names
    assert before_own.call("ping")["openSubsonic"] is True


def test_files_and_all_else_pass_unchanged(before_own: Proxied, music: Any) -> None:
    wanted = (music.folder / "one.flac").read_bytes()
    given = {**before_own.login, "id": before_own.ids["First Light"]}
    status, content, headers = asked(before_own.address, "stream.view", **given)
    assert (status, content) == (200, wanted)
    part = asked(before_own.address, "stream", headers={"Range": "bytes=7-9"}, **given)
    assert (part[0], part[1]) == (206, wanted[7:10])
    assert part[2]["content-range"] == f"bytes 7-9/{len(wanted)}"
    etag = headers["etag"]
    known = asked(before_own.address, "stream", headers={"If-None-Match": etag}, **given)
    assert known[0] == 304
    direct = asked(before_own.behind, "getAlbumList2", type="newest", **before_own.login)
    assert (
        asked(before_own.address, "getAlbumList2", type="newest", **before_own.login)[:2]
        == (direct[:2])
    )
    form = urlencode({**before_own.login, "f": "json", "query": "third"}).encode()
    posted = json.loads(asked(before_own.address, "search3", form=form)[1])["subsonic-response"]
    assert posted["searchResult3"]["song"][0]["title"] == "Third"
    with urllib.request.urlopen(f"{before_own.address}/api/health") as answer:
        assert json.load(answer)["status"] == "ok"


def test_what_players_tell_reaches_both_histories(before_own: Proxied) -> None:
    third = before_own.ids["Third"]

    def anna(method: str, **given: Any) -> None:
        login = {"u": "anna", "p": before_own.password, "f": "json"}
        assert b'"ok"' in asked(before_own.address, method, **login, **given)[1]

    anna("star", id=third)
    anna("scrobble", id=third, time=1_700_000_000_000)
    before_own.call("star", id=third)  # by a key, whose owner the proxy does not know
    assert before_own.call("star", id="nosuch")["status"] == "failed"
    assert before_own.call("getStarred2")["starred2"]["song"][0]["id"] == third
    with Catalog.open(before_own.database) as catalog:
        events = {(one.kind.value, one.source) for one in catalog.history("anna")}
        assert catalog.history_users() == {"anna": 2}
    assert events == {("like", "subsonic"), ("play", "subsonic")}


class Trickle(BaseHTTPRequestHandler):
    """Sends the beginning of a body, and the rest once it may go on."""

    protocol_version = "HTTP/1.1"
    go_on = threading.Event()
    left = threading.Event()
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Send it."""
        self.seen.append(str(self.headers))
        self.send_response(200)
        self.send_header("Content-Length", "20000000")
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.end_headers()
        try:
            self.wfile.write(b"begin")
            self.go_on.wait(30)
            self.wfile.write(b"x" * (20_000_000 - 5))
        except OSError:
            self.left.set()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.slow
def test_streams_are_not_held_back_and_end_when_the_player_leaves(database: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Trickle)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    behind = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        with server_process("--server", behind, database=database, command="proxy") as proxy:
            request = urllib.request.Request(
                f"{proxy.line()}/rest/stream?id=1",
                headers={"Cookie": "mine=1", "Connection": "X-Secret", "X-Secret": "1"},
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert answer.read(5) == b"begin"  # long before the rest is there
                assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]
            Trickle.go_on.set()
            assert Trickle.left.wait(30)
            assert "mine=1" in Trickle.seen[0]
            assert "X-Secret" not in Trickle.seen[0]
            assert proxy.stop() == 0
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
def test_a_server_that_is_not_there_or_not_linked_is_said(database: Path) -> None:
    with server_process(
        "--server", "http://127.0.0.1:1", database=database, command="proxy"
    ) as proxy:
        address = proxy.line()
        status, content, _ = asked(address, "getSimilarSongs", id="1", f="json")
        assert (status, json.loads(content)["subsonic-response"]["error"]["code"]) == (200, 0)
        assert asked(address, "stream", id="1")[0] == 200
        with pytest.raises(urllib.error.HTTPError, match="502"):
            urllib.request.urlopen(f"{address}/index.html", timeout=30)
    refused = recsys("proxy", "--server", "nonsense", "--db", database)
    assert (refused.status, refused.err.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    "target", ["%2F@{elsewhere}/", "@{elsewhere}/", "http://{elsewhere}/", "//{elsewhere}/x", "*"]
)
def test_no_address_leads_to_another_server(before_own: Proxied, target: str) -> None:
    where = urlsplit(before_own.address)
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.3)
        name = f"127.0.0.1:{elsewhere.getsockname()[1]}"
        with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
            line = f"GET {target.format(elsewhere=name)} HTTP/1.1\r\nHost: {where.netloc}\r\n"
            connection.sendall(f"{line}Connection: close\r\n\r\n".encode())
            status = connection.makefile("rb").read(12)
        assert status in (b"HTTP/1.1 400", b"HTTP/1.1 404")
        with pytest.raises(TimeoutError):
            elsewhere.accept()

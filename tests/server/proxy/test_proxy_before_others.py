"""The proxy before servers that are slow, or that believe what it does not read."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from media_servers import server_of

from recommender.catalog import Catalog
from recommender.catalog.server_records import RemoteTrack
from recommender.server.proxy.app import create_proxy
from recommender.server.proxy.settings import ProxySettings

pytestmark = pytest.mark.slow

ANNA = {"u": "anna", "p": "pw", "f": "json"}


class Behind:
    """A server that accepts every change, whoever says to have made it, but knows who anna is."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.songs_are: bytes | None = None
        self.failing: set[str] = set()
        self.songs_wait = threading.Event()
        self.songs_wait.set()
        self.ping_waits = threading.Event()
        self.ping_waits.set()

    def __call__(self, path: str, given: dict[str, str], headers: Any, sent: Any) -> Any:
        if path in self.failing:
            return 500
        method = path.removeprefix("/rest/").removesuffix(".view")
        self.asked.append(method)
        self.headers = dict(headers.items())
        if method == "getSong" and self.songs_are is not None:
            return self.songs_are
        content: dict[str, Any] = {"status": "ok"}
        if method == "ping":
            self.ping_waits.wait(30)
            if (given.get("u"), given.get("p")) != ("anna", "pw"):
                content = {"status": "failed", "error": {"code": 40, "message": "No."}}
        if method == "getSong":
            self.songs_wait.wait(30)
            content["song"] = {"id": given["id"], "title": given["id"], "isDir": False}
        return {"subsonic-response": content}


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def before(behind: Behind, database: Path, ids: dict[str, int]) -> Iterator[TestClient]:
    """A client of the proxy, whose server has two ids of every track."""
    with ExitStack() as stack:
        address = stack.enter_context(server_of(behind))
        with Catalog.open(database) as catalog:
            server = catalog.save_server("behind", "subsonic", address)
            tracks = [RemoteTrack(f"{a}{id}", id, "path") for id in ids.values() for a in "ab"]
            catalog.set_remote_ids(server.id, tracks)
        settings = ProxySettings(address, database=str(database))
        yield stack.enter_context(TestClient(create_proxy(settings), base_url="http://127.0.0.1"))


def asked(client: TestClient, method: str, **given: Any) -> dict[str, Any]:
    answer = client.get(f"/rest/{method}?{urlencode({**ANNA, **given}, doseq=True)}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()["subsonic-response"]
    return found


Post = Callable[[TestClient, str], Any]


def posted(kind: str, body: bytes, **headers: str) -> Post:
    given = {"Content-Type": kind, **headers}
    return lambda client, query: client.post(f"/rest/star?{query}", content=body, headers=given)


WAYS: list[Post] = [
    lambda client, query: client.get(f"/rest/star?{query}"),
    lambda client, query: client.get(f"/rest/star?{query}", headers={"Cookie": "session=1"}),
    lambda client, query: client.get(f"/rest/star?{query}", auth=("otto", "pw")),
    posted("application/x-www-form-urlencoded; charset=utf-16", "u=otto&p=pw".encode("utf-16")),
    posted("application/X-WWW-FORM-urlencoded", b"U=otto&p=pw"),
    posted("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=u"),
    posted("application/json", b'{"u": "otto", "p": "pw"}'),
    posted("application/x-www-form-urlencoded", b"\x1f\x8b", **{"Content-Encoding": "gzip"}),
]


def test_only_who_proves_it_by_the_parameters_alone_gets_a_history(
    before: TestClient, database: Path, ids: dict[str, int]
) -> None:
    song = f"b{ids['Third']}"
    for send in WAYS:
        for user, proof in (("victim", ""), ("victim", "guessed"), ("anna", "pw")):
            query = urlencode({"u": user, "p": proof, "f": "json", "id": song})
            assert send(before, query).json()["subsonic-response"]["status"] == "ok"
        with Catalog.open(database) as catalog:
            assert set(catalog.history_users()) == {"anna"}


def test_a_path_ends_with_the_ids_that_were_asked_with(
    before: TestClient, ids: dict[str, int]
) -> None:
    first, last = ids["First Light"], ids["Fourth"]
    for start, end in ((f"b{first}", f"a{last}"), (f"a{first}", f"b{last}")):
        path = asked(before, "findSonicPath", startSongId=start, endSongId=end, count=5)
        found = [one["entry"]["id"] for one in path["sonicMatch"]]
        assert (found[0], found[-1]) == (start, end)
        assert len(set(found)) == len(found)
    for start, end, expected in (("a", "b", ["a", "b"]), ("b", "b", ["b"])):
        ends = {"startSongId": f"{start}{first}", "endSongId": f"{end}{first}"}
        path = asked(before, "findSonicPath", **ends)["sonicMatch"]
        assert [one["entry"]["id"] for one in path] == [f"{one}{first}" for one in expected]
        assert {one["similarity"] for one in path} == {1.0}


def test_a_long_list_delays_no_login_and_is_given_up(
    before: TestClient, behind: Behind, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.server.proxy.similar._ANSWER_S", 0.5)
    behind.songs_wait.clear()
    song = f"a{ids['Third']}"
    waiting = [threading.Thread(target=asked, args=(before, m), kwargs={"id": song, "count": 999})
               for m in ("getSimilarSongs", "getSonicSimilarTracks")]  # fmt: skip
    for thread in waiting:
        thread.start()
    assert asked(before, "ping")["status"] == "ok"
    failed = asked(before, "getSimilarSongs2", id=song, count=999)
    assert "too long" in failed["error"]["message"]
    behind.songs_wait.set()
    for thread in waiting:
        thread.join(30)


def test_a_server_that_does_not_answer_a_login_is_given_up(
    before: TestClient, behind: Behind, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.server.proxy.upstream._LOGIN_S", 0.3)
    behind.ping_waits.clear()
    for method in ("ping", "getSimilarSongs"):
        failed = asked(before, method, id=f"a{ids['Third']}")
        assert "too long" in failed["error"]["message"]
    behind.ping_waits.set()


def test_lists_are_no_longer_than_the_server_can_be_asked_about(
    before: TestClient, behind: Behind, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.server.proxy.similar._MOST_SONGS", 3)
    found = asked(before, "getSonicSimilarTracks", id=f"a{ids['Third']}", count=1000)
    assert len(found["sonicMatch"]) == 3
    assert behind.asked.count("getSong") == 3


def test_a_server_that_fails_in_between_is_an_error_of_the_protocol(
    before: TestClient, behind: Behind, ids: dict[str, int]
) -> None:
    behind.failing.add("/rest/getSong.view")
    for method in ("getSimilarSongs", "getSonicSimilarTracks"):
        failed = asked(before, method, id=f"a{ids['Third']}")
        assert failed["error"]["code"] == 0


@pytest.mark.parametrize(
    "name", ["Remote-User", "remote_user", "X-Remote-User", "X_Forwarded_User", "X-WebAuth-User"]
)
def test_nobody_says_for_the_server_who_asks(before: TestClient, behind: Behind, name: str) -> None:
    answer = before.get("/rest/getPlaylists", params=ANNA, headers={name: "admin", "X-Other": "x"})
    assert answer.status_code == 200
    sent = {key.lower().replace("_", "-"): value for key, value in behind.headers.items()}
    assert sent["x-other"] == "x"
    assert "admin" not in sent.values()


def test_json_that_is_too_deep_is_an_error_of_the_protocol(
    before: TestClient, behind: Behind, ids: dict[str, int]
) -> None:
    behind.songs_are = b'{"subsonic-response": ' + b"[" * 200_000
    found = asked(before, "getSimilarSongs2", id=f"a{ids['First Light']}")
    assert found["status"] == "failed"
    assert "Subsonic" in found["error"]["message"]

"""Hostile requests: the right status, nothing leaked, and the service still answers."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from fastapi.testclient import TestClient
from serving_process import Server, server_process

from recommender.server.settings import ServerLimits
from recommender.server.users import UserStore

API = "/api/v1"

TRAVERSALS = [
    "/../../../../etc/passwd",
    "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2f..%2fetc%2fpasswd",
    f"{API}/tracks/../../../etc/passwd",
    f"{API}/tracks/..%2F..%2Fetc%2Fpasswd/file",
    f"{API}/tracks/%2e%2e%2f%2e%2e%2fetc%2fpasswd/file",
    f"{API}/tracks//etc/passwd/file",
    f"{API}/tracks/1/file/../../../../etc/passwd",
    f"{API}/tracks/1%00.flac/file",
    f"{API}/playlists/..%5c..%5cwindows",
]

MALFORMED_IDS = [
    "0", "-1", "1.5", "1e3", "0x10", "99999999999999999999", "2147483648", "one", "%00",
    "1%0d%0aX: y",     "%F0%9F%8E%B5", "1;DROP TABLE tracks", "1' OR '1'='1", "NaN",
]  # fmt: skip

HUGE = [
    ("GET", f"{API}/tracks/1/similar?k=1000000000", None),
    ("GET", f"{API}/tracks/1/similar?k={'9' * 400}", None),
    ("GET", f"{API}/tracks?limit=100000", None),
    ("GET", f"{API}/search?q=a&offset=99999999999", None),
    ("GET", f"{API}/search?q={'x' * 2000}", None),
    ("POST", f"{API}/radio", {"seeds": {"like": [1]}, "length": {"tracks": 10**9}}),
    ("POST", f"{API}/radio", {"seeds": {"like": list(range(1, 5000))}}),
    ("POST", f"{API}/path", {"start": 1, "end": 2, "steps": 10**6}),
    ("POST", f"{API}/order", {"track_ids": [1] * 100_000}),
    ("POST", f"{API}/playlists", {"name": "n" * 10**5, "track_ids": []}),
    ("GET", "/api/similar_tracks?item_id=1&n=100000000", None),
    ("GET", f"/api/similar_tracks?item_id={'1' * 3000}", None),
]  # fmt: skip

WRONG_BODIES = [
    b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"seeds": {}}', b'{"seeds": {"like": "1"}}',
    b'{"seeds": {"like": [1]}, "extra": 1}', b'{"seeds": {"like": [1e400]}}',
    b'{"seeds": {"like": [1]}, "rules": {"variety": NaN}}', b'{"seeds":' * 5_000,
    b'{"seeds": {"like": [true]}}', b'{"seeds": {"like": ["/etc/passwd"]}}',
]  # fmt: skip

SECRETS = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer wrong"},
    {"Authorization": "Basic YW5uYTp3cm9uZw=="},
    {"Authorization": "Bearer " + "x" * 5000},
    {"X-API-Key": "wrong"},
    {"X-API-Key": ""},
    {"Cookie": "token=1"},
]


def leaks(text: str, music: Any) -> bool:
    known = ("root:", "Traceback", "sqlite", "SELECT", str(music.folder), str(music.database))
    return any(word in text for word in known)


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_out(reader: TestClient, music: Any, path: str) -> None:
    answer = reader.get(path)
    assert answer.status_code in (404, 422)
    assert not leaks(answer.text, music)


@pytest.mark.parametrize("given", MALFORMED_IDS)
def test_malformed_ids_are_refused(reader: TestClient, music: Any, given: str) -> None:
    for address in (f"{API}/tracks/{given}", f"{API}/tracks/{given}/file"):
        answer = reader.get(address)
        assert answer.status_code in (404, 422), given
        assert answer.headers["content-type"] == "application/problem+json"
        assert not leaks(answer.text, music)
    for address in (f"{API}/artists/{given}", f"{API}/playlists/{given}", f"{API}/ingests/{given}"):
        assert reader.get(address).status_code in (404, 422)
    answer = reader.get(f"/api/similar_tracks?item_id={given}")
    assert answer.status_code in (400, 404)


@pytest.mark.parametrize(("method", "path", "body"), HUGE)
def test_huge_wishes_are_refused(reader: TestClient, method: str, path: str, body: Any) -> None:
    answer = reader.request(method, path, json=body)
    assert answer.status_code in (400, 413, 422), answer.text[:200]


@pytest.mark.parametrize("body", WRONG_BODIES)
def test_bodies_that_make_no_sense_are_refused(reader: TestClient, body: bytes) -> None:
    answer = reader.post(f"{API}/mix", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) >= {"type", "title", "status", "detail"}


def test_large_bodies_are_refused_whether_or_not_they_say_so(
    serve: Callable[..., TestClient],
) -> None:
    client = serve(limits=ServerLimits(body=1000, upload=5000))

    def chunked() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 100

    json_type = {"Content-Type": "application/json"}
    for content in (b" " * 10_000, chunked()):
        answer = client.post(f"{API}/mix", content=content, headers=json_type)
        assert answer.status_code == 413
    upload = client.post(f"{API}/similar/upload", files={"file": ("x", b"x" * 10_000)})
    assert upload.status_code == 413
    many = {f"f{number}": ("x", b"x") for number in range(50)}
    assert client.post(f"{API}/similar/upload", files=many).status_code in (400, 413, 422)
    assert client.get(f"{API}/tracks").status_code == 200


@pytest.mark.parametrize("headers", SECRETS, ids=range(len(SECRETS)))
def test_wrong_and_missing_secrets_open_nothing(
    guarded: Any, music: Any, headers: dict[str, str]
) -> None:
    for method, path in (
        ("GET", f"{API}/tracks"),
        ("GET", f"{API}/tracks/1/file"),
        ("POST", f"{API}/ingests"),
        ("DELETE", f"{API}/playlists/1"),
        ("GET", "/metrics"),
        ("GET", "/api/track?item_id=1"),
    ):
        answer = guarded.client.request(method, path, headers=headers)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert not leaks(answer.text, music)
    # What proves nothing does not say what there is either.
    missing = guarded.client.get(f"{API}/tracks/99999", headers=headers)
    assert missing.status_code == 401


def test_a_large_body_is_not_read_before_it_is_known_who_asks(database: Path) -> None:
    UserStore(database.with_name("catalog.db.users.json")).add("anna")
    with server_process(database=database) as server:
        where = urlsplit(server.line())
        with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
            connection.sendall(
                b"POST /api/v1/similar/upload HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                b"Content-Type: multipart/form-data; boundary=x\r\n"
                b"Content-Length: 100000000\r\n\r\n"
            )
            assert connection.recv(1000).startswith(b"HTTP/1.1 401")


def test_a_secret_in_the_address_opens_nothing(guarded: Any) -> None:
    secret = guarded.secrets.token
    for name in ("token", "access_token", "api_key", "apiKey"):
        assert guarded.client.get(f"{API}/tracks?{name}={secret}").status_code == 401


def test_a_removed_user_is_refused(
    serve: Callable[..., TestClient], database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.server.users._LOOK_S", 0.0)
    store = UserStore(database.with_name("catalog.db.users.json"))
    headers = {"Authorization": f"Bearer {store.add('anna').token}"}
    store.add("bela")
    client = serve()
    assert client.get(f"{API}/tracks", headers=headers).status_code == 200
    store.remove("anna")
    assert client.get(f"{API}/tracks", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "http://127.0.0.1:3000"}, 403),
        ({"Origin": "http://localhost:8710", "Host": "localhost:8710"}, 200),
        ({"Host": "localhost:8710"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"X-Forwarded-For": "192.0.2.1"}, 403),
        ({"Forwarded": "for=192.0.2.1"}, 403),
    ],
)
def test_foreign_pages_and_names_are_refused_where_nobody_proves_who_asks(
    reader: TestClient, headers: dict[str, str], status: int
) -> None:
    answer = reader.get(f"{API}/tracks?limit=1", headers=headers)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers


def test_only_named_pages_may_read_answers(serve: Callable[..., TestClient]) -> None:
    client = serve(origins=("https://player.example",))
    for origin, allowed in (("https://player.example", True), ("https://evil.example", False)):
        answer = client.get(f"{API}/tracks?limit=1", headers={"Origin": origin})
        assert ("access-control-allow-origin" in answer.headers) is allowed
        assert answer.status_code == (200 if allowed else 403)


def test_names_and_tags_cannot_add_headers(reader: TestClient, ids: dict[str, int]) -> None:
    hostile = [track_id for title, track_id in ids.items() if "evil.exe" in title]
    assert hostile
    for track_id in (*hostile, *(ids[name] for name in ids if "break" in name)):
        answer = reader.get(f"{API}/tracks/{track_id}/file")
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        disposition = answer.headers["content-disposition"]
        assert '"' not in disposition
        assert "\n" not in disposition
        shown = reader.get(f"{API}/tracks/{track_id}")
        assert shown.headers["content-type"] == "application/json"
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert json.loads(shown.text)
    page = reader.get("/", headers={"Accept": "text/html", "X-Forwarded-Prefix": "<script>"})
    assert "<script" not in page.text


def test_text_that_utf_8_has_no_bytes_for_is_sent_with_replacements(
    reader: TestClient, ids: dict[str, int]
) -> None:
    bad = next(title for title in ids if title.startswith("bad"))
    answer = reader.get(f"{API}/tracks/{ids[bad]}")
    assert answer.status_code == 200
    assert "\ufffd" in answer.json()["track"]["title"]
    assert reader.get(f"/api/track?item_id={ids[bad]}").status_code == 200
    assert reader.get(f"{API}/search?q={quote(chr(0xFFFD))}%00%ff").status_code == 200


@pytest.fixture(scope="module")
def running(music: Any) -> Iterator[Server]:
    with server_process(database=music.database) as server:
        server.address = server.line()  # type: ignore[attr-defined]
        yield server


RAW = [
    b"\x00" * 100,
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nBad Header: 1\r\n\r\n",
    b"POST /api/v1/mix HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/v1/mix HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n"
    b"Content-Length: 6\r\n\r\n",
    b"POST /api/v1/mix HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /api/v1/mix HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
]


@pytest.mark.parametrize("data", RAW, ids=range(len(RAW)))
def test_bytes_that_are_no_request_harm_nothing(running: Server, data: bytes) -> None:
    where = urlsplit(running.address)  # type: ignore[attr-defined]
    with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65_536)
        except OSError:
            answer = b""
    status = int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0
    assert status < 500
    assert b"Traceback" not in answer
    assert still_answers(running)


def still_answers(running: Server) -> bool:
    import urllib.request

    address = f"{running.address}/api/v1/tracks?limit=1"  # type: ignore[attr-defined]
    with urllib.request.urlopen(address, timeout=20) as answer:
        return bool(json.load(answer)["items"])


def test_a_flood_is_refused_and_then_over(running: Server) -> None:
    import concurrent.futures
    import urllib.error
    import urllib.request

    address = running.address  # type: ignore[attr-defined]

    def ask(number: int) -> int:
        try:
            url = f"{address}/api/v1/tracks/{number % 10 + 1}/similar?k=100"
            with urllib.request.urlopen(url, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        statuses = set(pool.map(ask, range(500)))
    assert statuses <= {200, 404, 503}
    assert 200 in statuses
    assert still_answers(running)


@pytest.mark.slow
def test_slow_bodies_are_given_up(running: Server) -> None:
    where = urlsplit(running.address)  # type: ignore[attr-defined]
    with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
        head = b"POST /api/v1/mix HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        connection.sendall(head + b"Content-Length: 1000\r\n\r\n{")
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")
    assert still_answers(running)

"""Ten floods, ten slow bodies, ten names that would add headers: others are served meanwhile."""

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mutagen
import pytest
import sounds
from fastapi.testclient import TestClient
from serving_process import server_process

from recommender.catalog import Catalog
from recommender.ingestion import IngestSettings, ingest

API = "/api/v1"
HOST = b"Host: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def address(music: Any) -> Iterator[str]:
    """Of a server that runs."""
    with server_process(database=music.database) as server:
        yield server.line()


def connected(address: str, sent: bytes) -> socket.socket:
    where = urlsplit(address)
    connection = socket.create_connection((where.hostname, where.port), timeout=60)
    connection.sendall(sent)
    return connection


def status_of(address: str, sent: bytes) -> int:
    """The status of the answer; 0 for a connection that was closed without one."""
    try:
        with connected(address, sent) as connection:
            answer = connection.recv(65_536)
    except OSError:
        return 0
    return int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0


def still_answers(address: str) -> bool:
    with urllib.request.urlopen(f"{address}{API}/tracks?limit=1", timeout=20) as answer:
        return bool(json.load(answer)["items"])


def get(path: str, headers: bytes = b"") -> bytes:
    return (
        b"GET " + path.encode() + b" HTTP/1.1\r\nConnection: close\r\n" + HOST + headers + b"\r\n"
    )


def post(path: str, body: bytes, kind: bytes = b"application/json") -> bytes:
    head = b"POST " + path.encode() + b" HTTP/1.1\r\nConnection: close\r\n" + HOST
    length = str(len(body)).encode()
    return head + b"Content-Type: " + kind + b"\r\nContent-Length: " + length + b"\r\n\r\n" + body


FORM = b"multipart/form-data; boundary=x"
SOUND = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
FLOODS = {
    "lists": get(f"{API}/tracks/1/similar?k=1000"),
    "radios": post(f"{API}/radio", b'{"seeds": {"like": [1]}, "length": {"tracks": 1000}}'),
    "paths": post(f"{API}/path", b'{"start": 1, "end": 4, "steps": 100}'),
    "uploads": post(f"{API}/similar/upload", SOUND + bytes(100_000) + b"\r\n--x--\r\n", FORM),
    "files": get(f"{API}/tracks/4/file"),
    "players": get("/rest/getSimilarSongs2?id=1&count=500"),
    "searches": get(f"{API}/search?q=" + "e" * 400),
    "wrong routes": get("/" + "a" * 4000),
    "wrong bodies": post(f"{API}/mix", b"{" * 100_000),
    "one after another": get(f"{API}/tracks") * 50,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_is_refused_in_part_and_then_over(address: str, kind: str) -> None:
    with ThreadPoolExecutor(48) as pool:
        statuses = set(pool.map(lambda _: status_of(address, FLOODS[kind]), range(240)))
    assert statuses <= {0, 200, 400, 404, 422, 503}
    assert statuses - {0}
    assert still_answers(address)


@pytest.mark.slow
def test_connections_that_ask_nothing_keep_nobody_out(address: str) -> None:
    silent = [connected(address, b"") for _ in range(600)]
    time.sleep(1.1)
    assert all(still_answers(address) for _ in range(20))
    for one in silent:
        one.close()


def slow(path: str, kind: bytes, begun: bytes, length: bytes = b"Content-Length: 1000") -> bytes:
    head = b"POST " + path.encode() + b" HTTP/1.1\r\n" + HOST
    return head + b"Content-Type: " + kind + b"\r\n" + length + b"\r\n\r\n" + begun


JSON, PAIRS = b"application/json", b"application/x-www-form-urlencoded"
CHUNKED = b"Transfer-Encoding: chunked"
SLOW = [
    slow(f"{API}/mix", JSON, b"{"),
    slow(f"{API}/mix", JSON, b""),
    slow(f"{API}/radio", JSON, b'{"seeds": ', CHUNKED),
    slow(f"{API}/radio", JSON, b"3\r\n{  \r\n", CHUNKED),
    slow(f"{API}/similar/upload", FORM, SOUND),
    slow(f"{API}/similar/upload", FORM, b"--x"),
    slow(f"{API}/playlists", JSON, b'{"name":'),
    slow(f"{API}/order", JSON, b"{"),
    slow("/rest/ping", PAIRS, b"u=a&"),
    slow("/rest/search3", PAIRS, b"", CHUNKED),
    b"POST /api/v1/mix HTTP/1.1\r\nHost: 127",
    b"GET /",
]


@pytest.mark.slow
def test_slow_requests_are_given_up_while_others_are_answered(address: str) -> None:
    waiting = [connected(address, sent) for sent in SLOW]
    answers: list[bytes] = []
    for number, one in enumerate(waiting):
        if number < 4:  # a byte now and then does not buy more time
            for _ in range(3):
                time.sleep(0.3)
                assert still_answers(address)
        answers.append(one.recv(65_536))
    for answer in answers[:10]:
        assert answer.startswith((b"HTTP/1.1 408", b"HTTP/1.1 400"))
    assert answers[10:] == [b"", b""]
    assert still_answers(address)


NAMES = [
    "a\r\nSet-Cookie: x=y", "a\nX-A: b", 'a"; filename="b', "a\tb", "a\x1b[31mb", "a\u202eb",
    "ä\u2028b", "a; x=y", "a%0d%0aX-A: b", "a\\\r\nX-A: b",
]  # fmt: skip


@pytest.mark.slow
def test_names_of_files_and_tags_add_no_header(
    serve: Callable[..., TestClient], tmp_path: Path
) -> None:
    folder = tmp_path / "names"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        file = folder / f"{name}.flac"
        sounds.write_sound(file, sounds.music(2, 22_050, number), 22_050)
        tags = mutagen.File(file, easy=True)
        tags.update(title=name, artist=name, album=name)
        tags.save()
    database = tmp_path / "names.db"
    with Catalog.open(database) as catalog:
        ingest(catalog, folder, IngestSettings(workers=1))
        tracks = list(catalog.all_tracks())
    assert len(tracks) == len(NAMES)
    client = serve(database)
    usual = {
        *("accept-ranges", "cache-control", "content-disposition", "content-length"),
        *("content-security-policy", "content-type", "cross-origin-resource-policy", "etag"),
        *("last-modified", "referrer-policy", "x-content-type-options", "x-frame-options"),
    }
    for track in tracks:
        for path in (
            f"{API}/tracks/{track.id}/file",
            f"/rest/download?id={track.id}",
            f"/rest/getSong?id={track.id}",
            f"{API}/tracks/{track.id}",
        ):
            answer = client.get(path)
            assert answer.status_code == 200
            assert set(answer.headers) <= usual
            assert all(32 <= ord(letter) < 127 for letter in "".join(answer.headers.values()))
    for name in NAMES:
        answer = client.get(f"{API}/search", params={"q": name})
        assert set(answer.headers) <= usual

"""Open connections are limited, and slow clients do not keep others out."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the extra serve is not installed")

import uvicorn

from recommender.server.connections import h11_protocol
from recommender.server.settings import ServerLimits

POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Read the body, then answer; without end where `/long` is asked for."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(1000 if scope["path"] == "/long" else 0):
        await send({"type": "http.response.body", "body": bytes(1 << 16), "more_body": True})
    await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def served(**limits: Any) -> Iterator[int]:
    """A server with these limits in a thread; gives its port."""
    protocol = h11_protocol(ServerLimits(**limits))
    config = uvicorn.Config(
        echo,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0), backlog=100)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        thread.join(20)
        listening.close()


def connected(port: int, sent: bytes = b"", host: str = "127.0.0.1") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), 20, source_address=(host, 0))
    connection.sendall(sent)
    return connection


def answer(connection: socket.socket) -> bytes:
    try:
        return connection.recv(4096)
    except ConnectionError:
        return b""


def test_one_connection_too_many_is_refused() -> None:
    with served(connections=8) as port:
        busy = [connected(port, GET) for _ in range(4)]
        assert all(answer(one).startswith(b"HTTP/1.1 200") for one in busy)
        assert answer(connected(port)).startswith(b"HTTP/1.1 503")  # half are one address's
        other = connected(port, GET, "127.0.0.2")
        assert answer(other).startswith(b"HTTP/1.1 200")
        busy[0].close()
        time.sleep(0.1)
        assert answer(connected(port, GET)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("slow", [b"", b"GET / HT", POST, POST + b"x"])
def test_a_slow_client_makes_room_for_the_next(slow: bytes) -> None:
    with served(connections=8) as port:
        waiting = [connected(port, slow) for _ in range(4)]
        time.sleep(1.2)
        for _ in range(6):
            with connected(port, GET) as connection:
                assert answer(connection).startswith(b"HTTP/1.1 200")
        ended = [one for one in waiting if answer_now(one) == b""]
        assert 1 <= len(ended) <= 2  # no more than there was need of


def test_a_flood_from_one_address_leaves_room_for_others() -> None:
    with served(connections=8) as port:
        flood = [connected(port, POST, "127.0.0.2") for _ in range(40)]
        for _ in range(20):
            with connected(port, GET) as connection:
                assert answer(connection).startswith(b"HTTP/1.1 200")
        assert sum(answer_now(one) is None for one in flood) == 4


def test_who_reads_nothing_is_given_up() -> None:
    with served(connections=8, send_s=0.3) as port:
        deaf = connected(port, b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(1.0)
        received = 0
        while part := answer(deaf):
            received += len(part)
        assert received < 1000 << 16  # of all that it would have got


def answer_now(connection: socket.socket) -> bytes | None:
    """What was sent, empty at the end of the connection; None while nothing is."""
    connection.settimeout(0.05)
    try:
        return connection.recv(4096)
    except TimeoutError:
        return None
    except ConnectionError:
        return b""

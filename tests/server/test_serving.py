"""The server as a process: its first line, its signals, its connections."""

import json
import signal
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from command_line import recsys
from serving_process import server_process

from recommender.server.users import UserStore


def fetched(url: str, **headers: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_line_is_the_address_and_signals_end_it_in_good_order(
    database: Path, number: int
) -> None:
    with server_process(database=database) as server:
        address = server.line()
        assert urlsplit(address).hostname == "127.0.0.1"
        assert fetched(f"{address}/readyz") == (200, b'{"status":"ready"}')
        assert json.loads(fetched(f"{address}/api/v1/tracks?limit=1")[1])["items"]
        assert server.stop(number) == 0


@pytest.mark.slow
def test_requests_at_work_end_before_the_server_does(database: Path) -> None:
    with server_process(database=database) as server:
        where = urlsplit(server.line())
        with socket.create_connection((where.hostname, where.port)) as connection:
            body = b'{"seeds": {"like": [1]}}'
            head = f"POST /api/v1/radio HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n"
            head += "Expect: 100-continue\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode())
            assert b"100 Continue" in connection.recv(100)  # the body is waited for
            connection.sendall(body[:5])
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            connection.sendall(body[5:])
            answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200")
        assert server.process.wait(30) == 0


@pytest.mark.slow
def test_an_empty_catalogue_says_what_to_do_and_is_served_once_there_is_music(
    database: Path, tmp_path: Path
) -> None:
    with server_process("--db", tmp_path / "new.db") as server:
        address = server.line()
        assert "recsys ingest" in server.line()
        assert fetched(f"{address}/healthz")[0] == 200
        assert fetched(f"{address}/readyz") == (503, b'{"status":"empty"}')
        assert fetched(f"{address}/api/v1/tracks")[0] == 503
        database.replace(tmp_path / "new.db")
        for _ in range(40):
            if fetched(f"{address}/readyz")[0] == 200:
                break
            time.sleep(0.25)
        assert fetched(f"{address}/api/v1/tracks")[0] == 200
        assert server.stop() == 0


def test_another_address_needs_users(database: Path) -> None:
    refused = recsys("serve", "--host", "0.0.0.0", "--db", database)
    assert refused.status == 1
    assert "recsys serve user add" in refused.err
    refused = recsys("serve", "--host", "0.0.0.0", "--auth", "off", "--db", database)
    assert refused.status == 1
    token = UserStore(database.with_name("catalog.db.users.json")).add("anna").token
    with server_process("--host", "0.0.0.0", database=database) as server:
        address = f"http://127.0.0.1:{urlsplit(server.line()).port}"
        assert fetched(f"{address}/api/v1/tracks")[0] == 401
        assert fetched(f"{address}/api/v1/tracks", Authorization=f"Bearer {token}")[0] == 200
        assert server.stop() == 0


def test_an_address_that_is_taken_or_none_is_one_line(database: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = recsys("serve", "--port", port, "--db", database)
    assert refused.status == 1
    assert "another port" in refused.err
    assert refused.err.count("\n") == 1
    assert recsys("serve", "--host", "no.such.host.invalid", "--db", database).status == 1


def test_a_unit_file_runs_the_same_command(database: Path) -> None:
    odd = database.with_name('100% "odd" $HOME.db')
    unit = recsys("serve", "--systemd", "--watch", "--db", odd)
    assert unit.status == 0
    command = next(line for line in unit.out.splitlines() if line.startswith("ExecStart="))
    assert '100%% \\"odd\\" $$HOME.db"' in command
    assert " --watch" in command
    assert "--systemd" not in command


@pytest.mark.slow
def test_heads_that_do_not_come_are_not_waited_for(database: Path) -> None:
    with server_process(database=database) as server:
        where = urlsplit(server.line())
        started = time.monotonic()
        with socket.create_connection((where.hostname, where.port)) as silent:
            silent.settimeout(60)
            silent.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127")
            assert silent.recv(100) == b""
        assert time.monotonic() - started > 5
        assert fetched(f"{where.geturl()}/healthz")[0] == 200

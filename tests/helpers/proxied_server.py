"""A proxy that runs before a server, and calls of it."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from serving_process import server_process


@dataclass(frozen=True)
class Proxied:
    """A proxy that runs.

    Attributes:
        login: parameters by which the server behind knows who calls.
        ids: title → id of the server behind.
        password: of anna there.
    """

    address: str
    behind: str
    login: dict[str, str]
    ids: dict[str, str]
    database: Path
    password: str = ""

    def call(self, method: str, **given: Any) -> dict[str, Any]:
        status, content, _ = asked(self.address, method, **{"f": "json", **self.login, **given})
        assert status == 200
        found: dict[str, Any] = json.loads(content)["subsonic-response"]
        return found


def asked(address: str, method: str, **given: Any) -> tuple[int, bytes, dict[str, str]]:
    headers = given.pop("headers", {})
    form = given.pop("form", None)
    url = f"{address}/rest/{method}?{urlencode(given, doseq=True)}"
    request = urllib.request.Request(url, headers=headers, data=form)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


@contextmanager
def proxied(
    behind: str, database: Path, login: dict[str, str], *words: object
) -> Iterator[Proxied]:
    with server_process("--server", behind, *words, database=database, command="proxy") as server:
        address = server.line()
        found = Proxied(address, behind, login, {}, database)
        songs = found.call("search3.view", query="", songCount=100)["searchResult3"]["song"]
        found.ids.update({song["title"]: song["id"] for song in songs})
        yield found
        assert server.stop() == 0

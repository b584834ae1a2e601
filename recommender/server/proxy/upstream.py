"""The server behind the proxy: requests passed on, and methods called."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from recommender.server.subsonic.answers import ROOT, ErrorCode, SubsonicError, Tree

Pairs = list[tuple[str, str]]
"""Names and values of parameters."""

_TIMES = {"connect": 10.0, "read": 300.0, "write": 60.0, "pool": 10.0}
"""Seconds; a server that transcodes takes long until the first byte."""

_LARGEST = 4 << 20
_CALLS_AT_A_TIME = 8
_CALL_S = 30.0
_LOGINS = ("ping", "getOpenSubsonicExtensions")
"""Methods by which players log in: many songs that are asked about do not delay them."""

_LOGINS_AT_A_TIME = 4
_LOGIN_S = 10.0

_OF_A_CONNECTION = frozenset(
    (b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
     b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)  # fmt: skip
"""Headers that say something of one connection (RFC 9110), and are not passed on."""

_BELIEVED = frozenset(
    (b"remote-user", b"x-remote-user", b"x-forwarded-user", b"x-webauth-user",
     b"x-authentik-username", b"remote-email", b"remote-groups")
)  # fmt: skip
"""Headers by which some servers know who asks, as a proxy beside them says it: this one does not,
and whoever calls could."""

_ASCII = "".join(chr(code) for code in range(33, 127))

Headers = list[tuple[bytes, bytes]]


class Upstream:
    """Passes requests on. Keeps no cookies, follows no redirection, reads no environment."""

    def __init__(self, url: str) -> None:
        """Connects to nothing yet."""
        self.url = url
        limits = httpx2.Limits(max_connections=256, max_keepalive_connections=32)
        self._transport = httpx2.AsyncHTTPTransport(trust_env=False, limits=limits)
        self._calls = asyncio.Semaphore(_CALLS_AT_A_TIME)
        self._logins = asyncio.Semaphore(_LOGINS_AT_A_TIME)

    async def close(self) -> None:
        """Close its connections."""
        await self._transport.aclose()

    async def passed_on(self, request: Request, query: str, body: bytes | None) -> httpx2.Response:
        """What the server answers, whose body is still to be read.

        Args:
            query: of the address.
            body: None for the one that is yet to come.

        Raises `SubsonicError` where the server cannot be reached.
        """
        url = self._address(request, query)
        headers = _passed(request.headers.raw, {b"host", *([b"content-length"] if body else [])})
        content: Any = body
        if body is None and _has_body(request):
            content = request.stream()
        client = request.client.host if request.client else "unknown"
        headers += [
            (b"X-Forwarded-For", client.encode("latin-1")),
            (b"X-Forwarded-Host", request.headers.get("host", "").encode("latin-1")),
            (b"X-Forwarded-Proto", request.url.scheme.encode()),
        ]
        sent = httpx2.Request(
            request.method, url, headers=headers, content=content, extensions={"timeout": _TIMES}
        )
        return await self._answer(sent)

    def _address(self, request: Request, query: str) -> httpx2.URL:
        """Of the server, whatever the path of a request looks like.

        Raises `SubsonicError` for a path that is none: after an address, it could lead elsewhere.
        """
        path: bytes = request.scope.get("raw_path") or request.url.path.encode()
        wrong = SubsonicError(ErrorCode.GENERIC, "The address makes no sense.", status=400)
        if not path.startswith(b"/"):
            raise wrong
        base = httpx2.URL(self.url)
        target = base.raw_path.rstrip(b"/") + path + (b"?" if query else b"") + query.encode()
        try:
            url = base.copy_with(raw_path=quote(target, safe=_ASCII).encode())
        except (httpx2.InvalidURL, ValueError) as error:
            raise wrong from error
        if (url.host, url.port, url.userinfo) != (base.host, base.port, base.userinfo):
            raise wrong
        return url

    async def call(self, method: str, parameters: Iterable[tuple[str, str]]) -> Tree:
        """What a method answers beside its status, be it an error.

        Raises `SubsonicError` where the server cannot be reached, takes too long, or does not
        answer as one does.
        """
        is_login = method in _LOGINS
        try:
            async with asyncio.timeout(_LOGIN_S if is_login else _CALL_S):
                async with self._logins if is_login else self._calls:
                    return await self._called(method, parameters)
        except TimeoutError as error:
            message = "The server behind takes too long."
            raise SubsonicError(ErrorCode.GENERIC, message) from error

    async def _called(self, method: str, parameters: Iterable[tuple[str, str]]) -> Tree:
        pairs = [pair for pair in parameters if pair[0] != "f"]
        url = f"{self.url}/rest/{method}.view?{urlencode([*pairs, ('f', 'json')])}"
        request = httpx2.Request("GET", url, extensions={"timeout": _TIMES})
        content = await read_all(await self._answer(request))
        try:
            tree = json.loads(content)[ROOT]
        except (ValueError, LookupError, TypeError, RecursionError):
            tree = None
        if not isinstance(tree, dict):
            raise SubsonicError(ErrorCode.GENERIC, "The server behind does not speak Subsonic.")
        return tree

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await self._transport.handle_async_request(request)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            message = "The server behind cannot be reached."
            raise SubsonicError(ErrorCode.GENERIC, message) from error


class PassedOn(StreamingResponse):
    """An answer of the server, sent as it comes, with its own headers."""

    def __init__(self, answer: httpx2.Response) -> None:
        """Of an answer whose body is still to be read."""
        super().__init__(_parts(answer), answer.status_code)
        self.raw_headers = lowered(answer)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; a player that leaves ends it for the server, too."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._answer.aclose()


async def _parts(answer: httpx2.Response) -> AsyncIterator[bytes]:
    async for part in answer.aiter_raw():
        yield part


def lowered(answer: httpx2.Response) -> Headers:
    """The headers of an answer that are passed on."""
    return [(name.lower(), value) for name, value in _passed(answer.headers.raw, set())]


async def read_all(answer: httpx2.Response) -> bytes:
    """The body of an answer, decoded. Raises `SubsonicError` for one that is far too large."""
    content = bytearray()
    try:
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > _LARGEST:
                raise SubsonicError(ErrorCode.GENERIC, "The server behind answers with too much.")
    except httpx2.HTTPError as error:
        message = "The server behind does not answer to the end."
        raise SubsonicError(ErrorCode.GENERIC, message) from error
    finally:
        await answer.aclose()
    return bytes(content)


def _passed(headers: Iterable[tuple[bytes, bytes]], without: set[bytes]) -> Headers:
    given = list(headers)
    named = {
        name.strip().lower()
        for key, value in given
        if key.lower() == b"connection"
        for name in value.split(b",")
    }
    left_out = _OF_A_CONNECTION | named | without
    # Many servers take "_" and "-" for the same.
    return [
        (name, value)
        for name, value in given
        if name.lower() not in left_out and name.lower().replace(b"_", b"-") not in _BELIEVED
    ]


def _has_body(request: Request) -> bool:
    names: Mapping[str, str] = request.headers
    return "content-length" in names or "transfer-encoding" in names

"""The proxy's application: a few methods are answered here, all else is passed on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from recommender.server.app import end, keep_renewed, open_index
from recommender.server.limits import BodyDeadline
from recommender.server.proxy import history, similar
from recommender.server.proxy.logins import Gate, proofs, understood
from recommender.server.proxy.settings import ProxySettings
from recommender.server.proxy.upstream import Pairs, PassedOn, Upstream, lowered, read_all
from recommender.server.settings import ServerSettings
from recommender.server.state import ServerState
from recommender.server.subsonic.answers import (
    ROOT,
    SubsonicError,
    Tree,
    response_of,
    succeeded,
)
from recommender.server.subsonic.parameters import Parameters, has_form, parameters_of
from recommender.server.subsonic.routes import CAUGHT, error_response
from recommender.server.subsonic.system import SONIC_SIMILARITY
from recommender.version import __version__

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_REST = "/rest/"
_OWN_FORMATS = ("", "xml", "json")
_ITSELF = {"type": "recsys", "serverVersion": __version__}
_ENVELOPE = ("version", "type", "serverVersion")


def create_proxy(settings: ProxySettings) -> Starlette:
    """The application, whose lifespan opens the catalogue and closes it."""
    state = ServerState(ServerSettings(database=settings.database, limits=settings.limits))
    proxy = _Proxy(state, settings)
    app = Starlette(
        routes=[Route("/{path:path}", proxy.handle, methods=_METHODS)],
        lifespan=proxy.lifespan,
    )
    app.add_middleware(BodyDeadline, limits=settings.limits)
    return app


class _Proxy:
    """Answers requests."""

    def __init__(self, state: ServerState, settings: ProxySettings) -> None:
        self._state = state
        self._settings = settings
        self._upstream = Upstream(settings.server)
        self._gate = Gate(self._upstream)
        self._similar = similar.SimilarCalls(state, settings, self._upstream)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Keep the catalogue open and renewed."""
        tasks = [
            asyncio.create_task(open_index(self._state), name="recsys-open"),
            asyncio.create_task(keep_renewed(self._state), name="recsys-renew"),
        ]
        try:
            yield
        finally:
            await end(tasks)
            await self._upstream.close()
            await asyncio.to_thread(self._state.close)

    async def handle(self, request: Request) -> Response:
        """One request."""
        path = request.url.path
        if path.startswith(_REST):
            return await self._method(request, path.removeprefix(_REST).removesuffix(".view"))
        try:
            return PassedOn(await self._upstream.passed_on(request, request.url.query, None))
        except SubsonicError as error:
            return PlainTextResponse(error.message, 502 if error.status == 200 else error.status)

    async def _method(self, request: Request, name: str) -> Response:
        query, form = request.url.query, None
        if has_form(request):
            form = await _body(request, self._settings.limits.body)
            if form is None:
                return PlainTextResponse("The form is too large.", 413)
        given = Parameters({})
        try:
            given = parameters_of(query, form or b"")
            return await self._answer(request, name, given, form)
        except CAUGHT as error:
            return error_response(error, given.get("f"))

    async def _answer(
        self, request: Request, name: str, given: Parameters, form: bytes | None
    ) -> Response:
        pairs = understood(self._settings, given.pairs())
        format = given.get("f")
        if name in similar.METHODS:
            await self._gate.require(pairs)
            return response_of(succeeded(await self._similar.answer(name, given, pairs)), format)
        if name == "ping" and format in _OWN_FORMATS:
            tree = await self._upstream.call("ping", proofs(pairs))
            return response_of({ROOT: {**_ITSELF, **tree, "openSubsonic": True}}, format)
        if name == "getOpenSubsonicExtensions" and format in _OWN_FORMATS:
            return response_of(await self._extensions(pairs), format)
        query = request.url.query
        if pairs != given.pairs():  # a password in place of a token
            changed = urlencode(pairs)
            query, form = (changed, None) if form is None else ("", changed.encode())
        passed = await self._upstream.passed_on(request, query, form)
        if name in history.METHODS:
            return await self._noted(passed, name, given, pairs)
        return PassedOn(passed)

    async def _extensions(self, pairs: Pairs) -> Tree:
        """Those of the server, if it has any, and the one that is answered here."""
        try:
            tree = await self._upstream.call("getOpenSubsonicExtensions", pairs)
        except SubsonicError:  # it does not know the method at all
            tree = {}
        listed = tree.get("openSubsonicExtensions")
        others = [
            one
            for one in (listed if isinstance(listed, list) else [])
            if isinstance(one, dict) and one.get("name") != SONIC_SIMILARITY["name"]
        ]
        envelope = {name: tree[name] for name in _ENVELOPE if name in tree}
        return succeeded({"openSubsonicExtensions": [*others, SONIC_SIMILARITY]}, **envelope)

    async def _noted(
        self, passed: httpx2.Response, name: str, given: Parameters, pairs: Pairs
    ) -> Response:
        """A short answer, and what it says of a user in the history.

        The server may have believed a header, a cookie, or a body that is not read here: whose call
        it was is certain only of a user whom the parameters alone prove.
        """
        content = await read_all(passed)
        is_done = passed.status_code == 200 and history.has_succeeded(content)
        if is_done and history.names_one_user(given) and await self._gate.lets_through(pairs):
            await history.note(self._state, self._settings, name, given)
        answer = Response(content, passed.status_code)
        changed = (b"content-length", b"content-encoding")
        kept = [pair for pair in lowered(passed) if pair[0] not in changed]
        answer.raw_headers = [*kept, (b"content-length", str(len(content)).encode())]
        return answer


async def _body(request: Request, most: int) -> bytes | None:
    """The body of a request; None for one that is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            return None
    return bytes(body)

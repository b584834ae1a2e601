"""Who asks: dependencies that routers declare.

With authentication, a request bears an API key or a token: ``Authorization: Bearer SECRET`` or
``X-API-Key: SECRET``. Without it, which only a loopback address may be, the one who asks is the
catalogue's own user. Then every request is refused that may have its origin elsewhere: one that
came through a proxy, by another name than this machine's own (DNS rebinding), or from a web page
that is not this server's (cross-site request forgery).
"""

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi

from recommender.catalog.list_records import DEFAULT_USER
from recommender.server.errors import Problem
from recommender.server.examples import add_examples
from recommender.server.settings import is_loopback
from recommender.server.state import state_of

_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or a token."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


async def current_user(request: Request) -> str:
    """The name of the user who asks; empty where nobody has to prove that.

    Raises `Problem`: 401 without or with a wrong secret, 403 for a foreign web page.
    """
    state = state_of(request)
    if not state.requires_auth:
        refuse_foreign(request)
        return DEFAULT_USER
    secret = secret_of(request)
    user = state.users.by_secret(secret) if secret else None
    if user is None:
        what = "The key or token is not known." if secret else "An API key or token is needed."
        raise Problem(401, what, headers={"WWW-Authenticate": 'Bearer realm="recsys"'})
    return user.name


def secret_of(request: Request) -> str | None:
    """The API key or token in the headers of a request."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        return secret.strip()
    return request.headers.get("x-api-key") or None


def refuse_foreign(request: Request) -> None:
    """Refuse what may come from elsewhere than this machine: for where nobody proves who asks.

    Browsers say from which page a request comes (``Sec-Fetch-Site``), also where it only shows a
    picture or follows a link, for which there is no ``Origin``; Subsonic's methods change things by
    GET. This server's own pages may ask, those of the origins in the settings, and addresses that
    were typed.

    Raises `Problem` with the status 403.
    """
    headers = request.headers
    host = headers.get("host", "").lower()
    if not is_loopback(_host_of(f"//{host}")):
        raise Problem(403, "This server answers at its loopback address only.")
    if any(name in headers for name in _OF_PROXIES):
        raise Problem(
            403,
            "The request came through a proxy, and nobody has to prove here who asks: add a user, "
            "or have every request prove it.",
        )
    origin = headers.get("origin")
    if origin is not None and origin in state_of(request).settings.origins:
        return
    is_foreign = origin is not None and origin.lower().partition("://")[2] != host
    if is_foreign or headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise Problem(403, "This web page may not use the server.")


_OF_PROXIES = (
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "via",
)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


CurrentUser = Annotated[str, Depends(current_user)]
"""Parameter of a route: the name of the user who asks."""

AUTHENTICATED = [Depends(current_user)]
"""Dependencies of a router all of whose routes need a user."""

OPEN = ("/", "/healthz", "/readyz", "/api/health")
"""Routes that anybody may ask."""


def document_security(app: FastAPI) -> None:
    """Say in the OpenAPI document which routes need a secret, and how it is sent; with examples.

    Dependencies of `fastapi.security` would say so, too, and take their time in each request.
    """

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            found.setdefault("components", {})["securitySchemes"] = _SCHEMES
            add_examples(found)
            for path, methods in found["paths"].items():
                for operation in methods.values():
                    operation["security"] = [] if path in OPEN else [{"bearer": []}, {"key": []}]
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]

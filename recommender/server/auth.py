"""Who asks: dependencies that routers declare.

With authentication, a request bears an API key or a token: ``Authorization: Bearer SECRET`` or
``X-API-Key: SECRET``. Without it, which only a loopback address may be, the one who asks is the
catalogue's own user, and requests that a web page or another name of this machine led here are
refused (DNS rebinding).
"""

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi

from recommender.catalog.list_records import DEFAULT_USER
from recommender.server.errors import Problem
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
    """Refuse what came by a name that is not this machine's own, or from a foreign web page.

    Raises `Problem` with the status 403.
    """
    if not is_loopback(_host_of(f"//{request.headers.get('host', '')}")):
        raise Problem(403, "This server answers at its loopback address only.")
    origin = request.headers.get("origin")
    if origin is None or origin in state_of(request).settings.origins:
        return
    if not is_loopback(_host_of(origin)):
        raise Problem(403, "This web page may not use the server.")


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
    """Say in the OpenAPI document which routes need a secret, and how it is sent.

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
            for path, methods in found["paths"].items():
                for operation in methods.values():
                    operation["security"] = [] if path in OPEN else [{"bearer": []}, {"key": []}]
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]

"""What the routes of the interface share."""

from typing import Any

from fastapi import Request

from recommender.server.api.convert import Converter
from recommender.server.errors import PROBLEM_TYPE
from recommender.server.state import state_of

_PROBLEM = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail"],
}

_MEANINGS = {
    304: "It has not changed.",
    400: "What is asked for contradicts itself, or is no JSON.",
    401: "A key or token is needed.",
    403: "This is not permitted.",
    404: "There is none.",
    408: "The body comes too slowly.",
    409: "It contradicts what is there.",
    413: "The request is too large.",
    415: "The body is of another type.",
    416: "The file has no such range.",
    422: "The request makes no sense.",
    429: "Too many at a time.",
    503: "Nothing can be answered at present.",
}

_EVERYWHERE = (400, 401, 403, 408, 413, 422, 503)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented answers of a route beside its own: these, and what any route may answer."""
    found: dict[int | str, dict[str, Any]] = {}
    for status in sorted({*statuses, *_EVERYWHERE}):
        found[status] = {"description": _MEANINGS[status]}
        if status != 304:
            found[status]["content"] = {PROBLEM_TYPE: {"schema": _PROBLEM}}
    return found


def converter_of(request: Request) -> Converter:
    """Makes models as the server is set up."""
    return Converter(state_of(request).settings.show_paths)


def page_address(request: Request, **changed: int) -> str:
    """The address of this request with other parameters, without host and scheme."""
    url = request.url.include_query_params(**changed)
    return f"{url.path}?{url.query}"


def next_page(request: Request, offset: int, limit: int, total: int) -> str | None:
    """The address of the page after this one; None for the last."""
    following = offset + limit
    return page_address(request, offset=following) if following < total else None

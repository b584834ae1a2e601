"""Errors as answers: RFC 9457 problem details, from the errors of the library and of requests."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from recommender.errors import (
    AmbiguousTrack,
    AudioError,
    CatalogError,
    IndexDamaged,
    NothingAnalysed,
    PlaylistError,
    PlaylistNotFound,
    RecsysError,
    SpaceMismatch,
    TooMuchMemory,
    TrackNotFound,
    UsageError,
    WeightsError,
    WorkerTimedOut,
)
from recommender.server.users import UsersUnreadable
from recommender.utils.names import storable

logger = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"

_MOST_ERRORS = 20
_LONGEST = 500


class Problem(Exception):
    """An answer that is an error.

    Attributes:
        status: of HTTP.
        detail: what is wrong and what to do; shown to the client.
        headers: of the answer.
        extra: further members of the problem.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        """Say what is wrong."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra


_STATUS: tuple[tuple[type[RecsysError], int], ...] = (
    (TrackNotFound, 404),
    (PlaylistNotFound, 404),
    (PlaylistError, 422),
    (AmbiguousTrack, 409),
    (TooMuchMemory, 413),
    (WorkerTimedOut, 422),
    (AudioError, 422),
    (UsersUnreadable, 503),
    (UsageError, 400),
    (NothingAnalysed, 503),
    (SpaceMismatch, 503),
    (WeightsError, 503),
    (IndexDamaged, 503),
    (CatalogError, 503),
    (RecsysError, 503),
)
"""The first that an error is one of counts."""

_UNAVAILABLE = "The catalogue cannot be used at present; the server's log says why."
_NO_USERS = "Nobody can log in at present; the server's log says why."
_EMPTY = "Nothing can be recommended yet: the catalogue holds no analysed track. Ingest music."
_NOT_MADE = (
    "The playlist has no recipe, or it cannot be made anew, or its file cannot be written; the "
    "server's log says why."
)
_UNREADABLE = "The sound cannot be analysed: it is damaged, no audio, or too short."


def problem_of(error: RecsysError) -> Problem:
    """The answer to an error of the library; what could name the disk's paths is only logged."""
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    if isinstance(error, NothingAnalysed):
        return Problem(status, _EMPTY, {"Retry-After": "10"})
    if isinstance(error, UsersUnreadable):  # logged once, when the file was read
        return Problem(status, _NO_USERS, {"Retry-After": "10"})
    if status >= 500:
        logger.warning("a request failed: %s", error)
        return Problem(status, _UNAVAILABLE, {"Retry-After": "10"})
    if isinstance(error, AudioError):
        return Problem(status, _UNREADABLE, kind=error.kind)
    if isinstance(error, PlaylistError) and not isinstance(error, PlaylistNotFound):
        logger.warning("a playlist could not be made: %s", error)
        return Problem(status, _NOT_MADE)
    return Problem(status, str(error)[:_LONGEST])


def response_of(problem: Problem) -> JSONResponse:
    """The problem as RFC 9457 has it."""
    content = {
        "type": "about:blank",
        "title": _title(problem.status),
        "status": problem.status,
        "detail": storable(problem.detail),
        **problem.extra,
    }
    headers = {"Cache-Control": "no-store", **problem.headers}
    return JSONResponse(content, problem.status, headers=headers, media_type=PROBLEM_TYPE)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _invalid(error: RequestValidationError) -> Problem:
    """What is wrong with which part of a request, without what was sent."""
    errors = [
        {"in": ".".join(map(str, one["loc"]))[:_LONGEST], "reason": str(one["msg"])[:_LONGEST]}
        for one in error.errors()[:_MOST_ERRORS]
    ]
    first = errors[0] if errors else {"in": "request", "reason": "it makes no sense"}
    return Problem(422, f"{first['in']}: {first['reason']}", errors=errors)


def install(app: FastAPI) -> None:
    """Answer every error of a route with a problem."""

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return response_of(error)

    async def of_library(request: Request, error: Exception) -> Response:
        assert isinstance(error, RecsysError)
        return response_of(problem_of(error))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return response_of(_invalid(error))

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = {key.title(): value for key, value in (error.headers or {}).items()}
        return response_of(Problem(error.status_code, str(error.detail), headers))

    async def unforeseen(request: Request, error: Exception) -> Response:
        return response_of(Problem(500, "An unexpected error; the server's log has it."))

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(RecsysError, of_library)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, unforeseen)

"""The routes below ``/rest``: every method by GET and by form, with and without ``.view``.

Errors are answers with the status 200 and a code of the protocol, but for methods that there are
not (404) and for requests that are refused before they are looked into, such as too large ones.
"""

from fastapi import FastAPI, Request
from fastapi.responses import Response

from recommender.errors import PlaylistNotFound, RecsysError, TrackNotFound
from recommender.recommendation.service import SimilarityService
from recommender.server.errors import Problem, problem_of
from recommender.server.state import ServerState, state_of
from recommender.server.subsonic import (
    annotation,
    browsing,
    information,
    lists,
    media,
    playlists,
    queues,
    similar,
    system,
)
from recommender.server.subsonic.answers import (
    ErrorCode,
    SubsonicError,
    Tree,
    failed,
    response_of,
    succeeded,
)
from recommender.server.subsonic.calls import Call, FileMethod, Method
from recommender.server.subsonic.login import caller_of
from recommender.server.subsonic.parameters import Parameters, read_parameters

_METHODS: dict[str, Method] = {
    **system.METHODS,
    **browsing.METHODS,
    **lists.METHODS,
    **information.METHODS,
    **queues.METHODS,
    **similar.METHODS,
    **playlists.METHODS,
    **annotation.METHODS,
}
_FILES: dict[str, FileMethod] = media.METHODS
_EXTENSIONS = "getOpenSubsonicExtensions"

_CODES = {401: ErrorCode.WRONG_LOGIN, 403: ErrorCode.NOT_PERMITTED, 404: ErrorCode.NOT_FOUND}


def install(app: FastAPI) -> None:
    """Add the routes, which are not part of the interface for programs and its document."""
    methods = ["GET", "POST", "HEAD"]
    app.add_api_route("/rest/{name}", _call, methods=methods, include_in_schema=False)


CAUGHT = (SubsonicError, Problem, RecsysError)
"""Errors that `error_response` makes answers of."""


async def _call(request: Request, name: str) -> Response:
    """One call of a method."""
    parameters = Parameters({})
    try:
        parameters = await read_parameters(request)
        return await _answer(request, name.removesuffix(".view"), parameters)
    except CAUGHT as error:
        return error_response(error, parameters.get("f"))


def error_response(error: Exception, format: str) -> Response:
    """The answer to an error, in the format that the caller wants."""
    wrong = error
    if isinstance(error, TrackNotFound | PlaylistNotFound):
        wrong = SubsonicError(ErrorCode.NOT_FOUND, str(error))
    elif isinstance(error, Problem | RecsysError):
        problem = error if isinstance(error, Problem) else problem_of(error)
        wrong = SubsonicError(_CODES.get(problem.status, ErrorCode.GENERIC), problem.detail)
    assert isinstance(wrong, SubsonicError)
    return response_of(failed(wrong), format, wrong.status)


async def _answer(request: Request, name: str, parameters: Parameters) -> Response:
    state: ServerState = state_of(request)
    if name == _EXTENSIONS:
        return _success({"openSubsonicExtensions": list(system.EXTENSIONS)}, parameters)
    call = Call(request, parameters, caller_of(request, state, parameters), state)
    if name in system.WITHOUT_CATALOGUE:
        return _success(system.WITHOUT_CATALOGUE[name](call), parameters)
    if name in _FILES:
        return await _FILES[name](call)
    if name not in _METHODS:
        message = "This server has no such method."
        raise SubsonicError(ErrorCode.GENERIC, message, status=404)
    method = _METHODS[name]

    def made(service: SimilarityService) -> Response:
        return _success(method(call, service), parameters)

    return await state.run(made)


def _success(content: Tree, parameters: Parameters) -> Response:
    return response_of(succeeded(content), parameters.get("f"))

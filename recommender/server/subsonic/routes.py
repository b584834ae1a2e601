"""The routes below ``/rest``: every method by GET and by form, with and without ``.view``.

Errors are answers with the status 200 and a code of the protocol, but for methods that there are
not (404) and for requests that are refused before they are looked into, such as too large ones.
"""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import Response

from recommender.errors import PlaylistNotFound, RecsysError, TrackNotFound
from recommender.recommendation.service import SimilarityService
from recommender.server.errors import Problem, problem_of
from recommender.server.state import ServerState, state_of
from recommender.server.subsonic import (
    annotation,
    browsing,
    lists,
    media,
    playlists,
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


async def _call(request: Request, name: str) -> Response:
    """One call of a method."""
    return await answered(request, name, _answer)


Answer = Callable[[Request, str, Parameters], Awaitable[Response]]


async def answered(request: Request, name: str, answer: Answer) -> Response:
    """What `answer` makes of a call, or its error in the format that the caller wants."""
    parameters = Parameters({})
    try:
        parameters = await read_parameters(request)
        return await answer(request, name.removesuffix(".view"), parameters)
    except SubsonicError as error:
        wrong = error
    except (TrackNotFound, PlaylistNotFound) as error:
        wrong = SubsonicError(ErrorCode.NOT_FOUND, str(error))
    except (Problem, RecsysError) as error:
        problem = error if isinstance(error, Problem) else problem_of(error)
        code = _CODES.get(problem.status, ErrorCode.GENERIC)
        wrong = SubsonicError(code, problem.detail)
    return response_of(failed(wrong), parameters.get("f"), wrong.status)


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

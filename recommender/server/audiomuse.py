"""Routes that plugins for AudioMuse-AI call: of Navidrome, Jellyfin, Lyrion and Ampache.

Written from a list of these routes and their answers. Ids are those of the media server that is
linked (`player_ids`). Errors are ``{"error": …}``; parameters that are not known are ignored.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.routing import APIRoute

from recommender.errors import RecsysError
from recommender.server import audiomuse_lists, audiomuse_scores, audiomuse_tracks
from recommender.server.audiomuse_answers import as_json
from recommender.server.audiomuse_models import RESPONSES
from recommender.server.auth import AUTHENTICATED
from recommender.server.errors import Problem, problem_of
from recommender.server.jobs import IngestJob
from recommender.server.state import state_of
from recommender.server.web.page import front_page
from recommender.utils.names import storable
from recommender.version import __version__


class ErrorRoute(APIRoute):
    """A route whose errors are ``{"error": …}``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its errors caught."""
        handler = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handler(request)
            except RecsysError as error:
                problem = problem_of(error)
            except Problem as error:
                problem = error
            except RequestValidationError:
                problem = Problem(400, "A parameter is missing, or makes no sense.")
            content = {"error": storable(problem.detail)}
            return JSONResponse(content, problem.status, headers=problem.headers)

        return handled


def install(app: FastAPI) -> None:
    """Add the routes."""
    router = APIRouter(tags=["AudioMuse-compatible"], route_class=ErrorRoute)
    router.get("/", response_class=HTMLResponse, responses={200: _FRONT})(front)
    router.get("/api/health")(health)
    guarded: list[Any] = AUTHENTICATED
    for path, route in (("/api/active_tasks", active_tasks), ("/api/last_task", last_task)):
        router.get(path, dependencies=guarded, responses=RESPONSES)(route)
    for part in (
        audiomuse_tracks.add_routes,
        audiomuse_lists.add_routes,
        audiomuse_scores.add_routes,
    ):
        part(router, {"dependencies": guarded, "responses": RESPONSES})
    for method, path in _NOT_YET:
        router.api_route(path, methods=[method], dependencies=guarded, include_in_schema=False)(
            not_yet
        )
    app.include_router(router)


_FRONT: dict[str, Any] = {"content": {"application/json": {}, "text/html": {}}}

_NOT_YET = (
    ("GET", "/external/search"),
    ("GET", "/api/clap/{rest:path}"),
    ("POST", "/api/clap/{rest:path}"),
    ("GET", "/chat/{rest:path}"),
    ("POST", "/chat/{rest:path}"),
    ("GET", "/api/lyrics/{rest:path}"),
    ("POST", "/api/lyrics/{rest:path}"),
)
"""What needs moods in words, or lyrics, which nothing computes."""


async def front(request: Request) -> Response:
    """What this server is: JSON where that is accepted, else the web page."""
    accepted = request.headers.get("accept", "")
    if "application/json" in accepted and "text/html" not in accepted:
        return as_json({"status": "ok", "name": "recsys", "version": __version__})
    return front_page(request)


async def health() -> Response:
    """The server answers."""
    return as_json({"status": "ok", "version": __version__})


async def active_tasks(request: Request) -> Response:
    """The ingest that runs or waits, if one does."""
    jobs = state_of(request).jobs.jobs()
    return as_json(_task(next((job for job in jobs if not job.has_ended), None)))


async def last_task(request: Request) -> Response:
    """The last ingest, if there was one."""
    return as_json(_task(next(iter(state_of(request).jobs.jobs()), None)))


def _task(job: IngestJob | None) -> dict[str, str]:
    if job is None:
        return {}
    return {"task_id": str(job.id), "task_type": "analysis", "status": job.state}


async def not_yet() -> Response:
    """Nothing here computes what this asks for."""
    return as_json({"error": "This server does not compute what this asks for."}, 501)

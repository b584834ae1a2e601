"""The application: state, routers, limits."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware

from recommender.catalog.database_url import catalog_url, database_file
from recommender.errors import RecsysError
from recommender.server import audiomuse, errors, health
from recommender.server.api import (
    artists,
    clusters,
    covers,
    credits,
    descriptors,
    duplicates,
    evaluation,
    failures,
    history,
    ingests,
    map,
    mixes,
    playlist_files,
    playlists,
    similar,
    status,
    tracks,
)
from recommender.server.auth import AUTHENTICATED, document_security
from recommender.server.base_path import BasePath
from recommender.server.jobs import IngestJobs
from recommender.server.limits import BodyDeadline, SecurityHeaders
from recommender.server.metrics import Metrics, MetricsMiddleware
from recommender.server.settings import ServerSettings
from recommender.server.state import ServerState
from recommender.server.subsonic import routes as subsonic
from recommender.server.web import media, page
from recommender.version import __version__

logger = logging.getLogger(__name__)

_RENEW_S = 5.0
"""How often it is looked whether the catalogue was replaced, or adapted."""

_DESCRIPTION = """\
Recommends music that sounds alike.

Errors are problem details (RFC 9457). Answers to GET have entity tags: with `If-None-Match` they
are sent only where they have changed. Lists have pages: `next` is the address of the next one.
"""

_NO_TELEMETRY: Any = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def create_app(settings: ServerSettings | None = None) -> FastAPI:
    """The application, whose lifespan opens the catalogue and closes it.

    Args:
        settings: the defaults of `ServerSettings` when None.
    """
    settings = settings or ServerSettings()
    state = ServerState(settings)
    state.metrics = Metrics()
    app = FastAPI(
        title="recsys",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=_lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        max_body_size=settings.limits.body,
        form_limits={"max_files": 1, "max_fields": 16, "max_part_size": 64 << 10},
        generate_unique_id_function=_operation_id,
        telemetry=_NO_TELEMETRY,
    )
    app.state.recsys = state
    errors.install(app)
    app.include_router(health.router)
    app.include_router(api_router(settings))
    audiomuse.install(app)
    app.include_router(page.router)
    app.include_router(media.router)
    subsonic.install(app)
    document_security(app)
    _add_middleware(app, settings, state)
    return app


def api_router(settings: ServerSettings) -> APIRouter:
    """The interface for programs."""
    router = APIRouter(prefix="/api/v1", dependencies=AUTHENTICATED)
    for part in (
        tracks.router,
        similar.similar_router(settings),
        mixes.router,
        artists.router,
        duplicates.router,
        playlists.router,
        history.router,
        ingests.router,
        status.router,
        covers.router,
        credits.router,
        descriptors.router,
        map.router,
        clusters.router,
        evaluation.router,
        failures.router,
        playlist_files.router,
        media.session_router,
    ):
        router.include_router(part)
    return router


def _add_middleware(app: FastAPI, settings: ServerSettings, state: ServerState) -> None:
    """The last that is added is the first that sees a request."""
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "X-API-Key", "Content-Type", "If-None-Match"],
            expose_headers=["ETag"],
        )
    app.add_middleware(BodyDeadline, limits=settings.limits)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(MetricsMiddleware, metrics=state.metrics)
    if settings.base_path:
        app.add_middleware(BasePath, path=settings.base_path)


def _operation_id(route: APIRoute) -> str:
    return f"{route.tags[0] if route.tags else 'root'}-{route.name}".replace(" ", "-")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state: ServerState = app.state.recsys
    settings = state.settings
    state.jobs = IngestJobs(
        settings.database, settings.ingest_workers, settings.file_limits, partial(_follow, state)
    )
    state.jobs.start()
    tasks = [
        asyncio.create_task(open_index(state), name="recsys-open"),
        asyncio.create_task(keep_renewed(state), name="recsys-renew"),
    ]
    if state.settings.watch:
        from recommender.server.watch import watch

        libraries = lambda: state.run(lambda service: service.catalog.libraries())  # noqa: E731
        catalogue = database_file(catalog_url(state.settings.database))
        watching = watch(libraries, catalogue, state.jobs)
        tasks.append(asyncio.create_task(watching, name="recsys-watch"))
    try:
        yield
    finally:
        await end(tasks)
        await state.jobs.stop()
        await asyncio.to_thread(state.close)


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task


async def _follow(state: ServerState) -> None:
    """Have the index be that of the catalogue as it is now."""
    try:
        await asyncio.to_thread(state.follow)
    except RecsysError as error:
        logger.warning("the catalogue is served as before: %s", error)


async def open_index(state: ServerState) -> None:
    """Open the catalogue and its index before the first request needs them."""
    with suppress(RecsysError, errors.Problem):
        await state.run(lambda service: service.state())


async def keep_renewed(state: ServerState) -> None:
    """Notice another file, model or projection of the catalogue, for ever."""
    while True:
        await asyncio.sleep(_RENEW_S)
        try:
            if await asyncio.to_thread(state.holder.renew):
                await open_index(state)
        except Exception:
            logger.exception("the catalogue could not be looked at")

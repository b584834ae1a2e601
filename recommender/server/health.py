"""Whether the server works: for supervisors, load balancers and Prometheus."""

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from recommender.errors import NothingAnalysed, RecsysError
from recommender.server.answers import json_response
from recommender.server.auth import AUTHENTICATED
from recommender.server.errors import Problem
from recommender.server.metrics import CONTENT_TYPE
from recommender.server.state import state_of

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether lists can be asked for."""

    status: Literal["ready", "empty", "unavailable"]


@router.get("/healthz", response_model=Health)
async def healthz() -> Response:
    """Whether the process answers."""
    return json_response(Health().model_dump_json())


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Not yet, or not any more."}},
)
async def readyz(request: Request) -> Response:
    """Whether lists can be asked for: the catalogue is open, and its index is there."""
    status: Literal["ready", "empty", "unavailable"] = "ready"
    try:
        await state_of(request).run(lambda service: service.state())
    except NothingAnalysed:
        status = "empty"
    except (RecsysError, Problem):
        status = "unavailable"
    answer = Readiness(status=status).model_dump_json()
    return json_response(answer, 200 if status == "ready" else 503)


@router.get(
    "/metrics",
    dependencies=AUTHENTICATED,
    response_class=Response,
    responses={200: {"description": "Figures.", "content": {"application/openmetrics-text": {}}}},
)
async def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    state = state_of(request)
    figures = state.metrics
    for name, pool in {
        "query": state.queries,
        "upload": state.uploads,
        "file": state.files,
    }.items():
        figures.waiting.labels(name).set(pool.pending)
    for kind in ("queued", "running"):
        count = sum(job.state == kind for job in state.jobs.jobs())
        figures.ingests.labels(kind).set(count)
    try:
        figures.tracks.set(await state.run(lambda service: service.catalog.counts().analysed))
    except (RecsysError, Problem):
        figures.tracks.set(0)
    return Response(figures.text(), headers={"Content-Type": CONTENT_TYPE})

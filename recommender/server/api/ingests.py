"""Ingests: started, followed by server-sent events, ended."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from recommender.recommendation.service import SimilarityService
from recommender.server.answers import json_response
from recommender.server.api.common import responses
from recommender.server.api.models import LARGEST_ID, Answer, Given, Id
from recommender.server.errors import Problem
from recommender.server.jobs import IngestJob
from recommender.server.state import state_of

router = APIRouter(prefix="/ingests", tags=["ingest"])

JobId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Id of an ingest.")]


class NewIngest(Given):
    """The libraries to ingest, by their ids in the status; none for all."""

    libraries: list[Id] = Field(default_factory=list, max_length=1000, examples=[[]])


class IngestModel(BaseModel):
    """An ingest. `progress` has the phase and numbers of files, `counts` what came of it."""

    id: int
    state: Literal["queued", "running", "done", "failed", "interrupted"]
    libraries: list[int]
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    progress: dict[str, Any]
    counts: dict[str, Any] | None
    error: str | None


class IngestAnswer(Answer):
    """One ingest."""

    ingest: IngestModel


class IngestList(Answer):
    """The ingests of this process, the latest first."""

    items: list[IngestModel]


@router.post("", response_model=IngestAnswer, status_code=202, responses=responses(404, 429))
async def start_ingest(request: Request, wanted: NewIngest) -> Response:
    """Bring the catalogue up to date with folders that it knows."""
    state = state_of(request)

    def folders(service: SimilarityService) -> list[FilePath]:
        known = {library.id: library.root for library in service.catalog.libraries()}
        unknown = [one for one in wanted.libraries if one not in known]
        if unknown:
            raise Problem(404, f"There is no library with the id {unknown[0]}.")
        return [known[one] for one in dict.fromkeys(wanted.libraries)]

    job = state.jobs.add(await state.run(folders), wanted.libraries)
    return _answered(job, 202)


@router.get("", response_model=IngestList, responses=responses())
async def list_ingests(request: Request) -> Response:
    """The ingests."""
    found = IngestList(items=[model_of(job) for job in state_of(request).jobs.jobs()])
    return json_response(found.model_dump_json())


@router.get("/{job_id}", response_model=IngestAnswer, responses=responses(404))
async def show_ingest(request: Request, job_id: JobId) -> Response:
    """One ingest."""
    return _answered(state_of(request).jobs.job(job_id))


@router.delete("/{job_id}", response_model=IngestAnswer, status_code=202, responses=responses(404))
async def end_ingest(request: Request, job_id: JobId) -> Response:
    """End an ingest in good order; what was analysed is kept, and the next one goes on."""
    jobs = state_of(request).jobs
    job = jobs.job(job_id)
    await jobs.cancel(job)
    return _answered(job, 202)


@router.get(
    "/{job_id}/events",
    response_class=EventSourceResponse,
    responses={
        **responses(404),
        200: {"description": "Events.", "content": {"text/event-stream": {}}},
    },
)
async def follow_ingest(request: Request, job_id: JobId) -> Response:
    """The ingest as server-sent events: `progress` whenever it changes, `end` at its end.

    The data of each is the ingest as JSON, whole.
    """
    jobs = state_of(request).jobs
    job = jobs.job(job_id)

    async def events() -> AsyncIterator[ServerSentEvent]:
        async for changed in jobs.changes(job):
            name = "end" if changed.has_ended else "progress"
            yield ServerSentEvent(model_of(changed).model_dump_json(), event=name)

    return EventSourceResponse(events(), ping=15, send_timeout=30)


def model_of(job: IngestJob) -> IngestModel:
    """An ingest as it is now."""
    return IngestModel(
        id=job.id,
        state=job.state,
        libraries=list(job.library_ids),
        queued_at=job.queued_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        progress=job.progress,
        counts=job.counts,
        error=job.error,
    )


def _answered(job: IngestJob, status: int = 200) -> Response:
    return json_response(IngestAnswer(ingest=model_of(job)).model_dump_json(), status)

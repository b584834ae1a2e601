"""Files that could not be analysed, with the reason and what to do."""

from datetime import datetime
from pathlib import PurePosixPath

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from recommender.catalog.records import Failure
from recommender.recommendation.service import SimilarityService
from recommender.server.answers import made
from recommender.server.api.common import converter_of, next_page, responses
from recommender.server.api.models import Answer, Limit, Offset
from recommender.utils.names import storable

router = APIRouter(tags=["failures"])

_ADVICE = {
    "empty": "The file has no bytes: copy it again from where it came from.",
    "no-sound": "It is a video or a picture without sound; it can stay or go.",
    "too-short": "Less than a second of sound says nothing about it; nothing need be done.",
    "silent": "It is silence; nothing need be done.",
    "not-finite": "Its samples are no numbers: encode it again from the original.",
    "past-end": "Its cue sheet names a part behind the end of the file: correct the sheet.",
    "vanished": "It was gone before it could be read: ingest again.",
    "no-permission": "Let the user who runs the server read it, and ingest again.",
    "crashed": "Ingest again; it may have been no fault of the file.",
    "crashed-alone": "No decoder survives it: replace the file.",
    "timed-out": "It takes too long to read: ingest it with a higher limit of time.",
    "too-much-memory": "It takes too much memory to read: ingest it with a higher limit of memory.",
}
_UNREADABLE = "It is damaged or no sound at all: replace it, or take it out of the folder."


class FailureModel(BaseModel):
    """A file that could not be analysed.

    `file` is its name alone unless the server is set up to show paths; so is `reason` left out
    where it could name them.
    """

    file: str
    library: int
    kind: str
    advice: str
    failed_at: datetime
    reason: str | None = None


class FailurePage(Answer):
    """Files that could not be analysed, the latest first."""

    items: list[FailureModel]
    total: int
    next: str | None = None


@router.get("/failures", response_model=FailurePage, responses=responses())
async def failures(request: Request, limit: Limit = 100, offset: Offset = 0) -> Response:
    """What could not be analysed, and what to do about it."""
    shown = converter_of(request).show_paths

    def page(service: SimilarityService) -> FailurePage:
        found = sorted(service.catalog.failures(), key=lambda one: one.failed_at, reverse=True)
        return FailurePage(
            items=[_model(one, shown) for one in found[offset : offset + limit]],
            total=len(found),
            next=next_page(request, offset, limit, len(found)),
        )

    return await made(request, page)


def _model(failure: Failure, show_paths: bool) -> FailureModel:
    path = PurePosixPath(failure.path)
    return FailureModel(
        file=storable(str(path) if show_paths else path.name),
        library=failure.library.id,
        kind=failure.kind,
        advice=_ADVICE.get(failure.kind, _UNREADABLE),
        failed_at=failure.failed_at,
        reason=storable(failure.reason) if show_paths else None,
    )

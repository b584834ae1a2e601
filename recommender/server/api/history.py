"""What users did with tracks, and what is never in mixes."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from recommender.catalog.list_records import Event, EventKind
from recommender.recommendation.service import SimilarityService
from recommender.server.answers import answer, made
from recommender.server.api.common import converter_of, next_page, responses
from recommender.server.api.convert import event_of
from recommender.server.api.models import LARGEST_ID, Limit, Offset
from recommender.server.api.stored_models import (
    EventAnswer,
    EventPage,
    ExclusionAnswer,
    ExclusionList,
    NewEvent,
    NewExclusion,
)
from recommender.server.auth import CurrentUser
from recommender.server.errors import Problem
from recommender.server.state import state_of

router = APIRouter()

SOURCE = "server"
_FIRST_YEAR, _LAST_YEAR = 1971, 2200


@router.get("/history", response_model=EventPage, tags=["history"], responses=responses())
async def history(
    request: Request,
    user: CurrentUser,
    kind: Annotated[list[Literal["like", "unlike", "skip", "play"]] | None, Query()] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """What the user did, the latest first."""

    def page(service: SimilarityService) -> EventPage:
        events = service.catalog.history(user, kinds=kind)[::-1]
        return EventPage(
            items=[event_of(one) for one in events[offset : offset + limit]],
            total=len(events),
            next=next_page(request, offset, limit, len(events)),
        )

    return await made(request, page)


@router.post(
    "/history",
    response_model=EventAnswer,
    status_code=201,
    tags=["history"],
    responses=responses(404),
)
async def record(request: Request, user: CurrentUser, wanted: NewEvent) -> Response:
    """Store what the user did with a track."""
    at = datetime.now(UTC) if wanted.at is None else wanted.at
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise Problem(422, "body.at: the time is out of range.")
    event = Event(user, EventKind(wanted.kind), wanted.track_id, at, SOURCE)

    def stored(service: SimilarityService) -> EventAnswer:
        is_new = bool(service.catalog.record_events([event]))
        return EventAnswer(event=event_of(event), is_new=is_new)

    return await made(request, stored, 201)


@router.get(
    "/exclusions", response_model=ExclusionList, tags=["exclusions"], responses=responses(304)
)
async def list_exclusions(request: Request) -> Response:
    """What is never in mixes, in the order in which it was added."""
    convert = converter_of(request)
    return await answer(
        request,
        lambda service: ExclusionList(
            items=[convert.exclusion(one) for one in service.catalog.exclusions()]
        ),
    )


@router.post(
    "/exclusions",
    response_model=ExclusionAnswer,
    status_code=201,
    tags=["exclusions"],
    responses=responses(400, 404),
)
async def add_exclusion(request: Request, wanted: NewExclusion) -> Response:
    """Leave a track, an artist or a genre out of mixes."""
    convert = converter_of(request)

    def added(service: SimilarityService) -> ExclusionAnswer:
        exclusion = service.catalog.add_exclusion(wanted.kind, wanted.value)
        return ExclusionAnswer(exclusion=convert.exclusion(exclusion))

    return await made(request, added, 201)


@router.delete(
    "/exclusions/{exclusion_id}", status_code=204, tags=["exclusions"], responses=responses(404)
)
async def remove_exclusion(
    request: Request, exclusion_id: Annotated[int, Path(ge=1, le=LARGEST_ID)]
) -> Response:
    """Lift an exclusion."""

    def removed(service: SimilarityService) -> bool:
        return service.catalog.remove_exclusion(exclusion_id)

    if not await state_of(request).run(removed):
        raise Problem(404, "There is no exclusion with this id.")
    return Response(status_code=204)

"""Lists by seeds and rules: mixes, radios, paths, orders, lists to grow."""

from collections.abc import Callable
from itertools import chain

from fastapi import APIRouter, Request
from fastapi.responses import Response

from recommender.catalog.list_records import DEFAULT_USER
from recommender.playlists.repeats import Repeats, not_repeating
from recommender.recommendation.mix_request import MixRequest, SeedSet
from recommender.recommendation.service import SimilarityService
from recommender.server.answers import made
from recommender.server.api.common import converter_of, responses
from recommender.server.api.models import MixAnswer
from recommender.server.api.playlists import own
from recommender.server.api.requests import (
    GrowRequest,
    ListRequest,
    OrderRequest,
    PathRequest,
    RulesModel,
)
from recommender.server.auth import CurrentUser

router = APIRouter(tags=["lists"])

_ANSWERS = responses(400, 404)


async def _made(
    request: Request,
    wanted: Callable[[], MixRequest],
    rules: RulesModel | None = None,
    user: str = DEFAULT_USER,
) -> Response:
    """A list; `rules`: what is not to be repeated is looked up, of the user."""
    convert = converter_of(request)

    def mix(service: SimilarityService) -> MixAnswer:
        asked = wanted()
        if rules is not None:
            ids = Repeats(rules.not_played, user=user).track_ids(service.catalog)
            lists = [own(service, user, one).track_ids for one in rules.previous_playlists]
            asked = not_repeating(asked, chain(ids, *lists))
        return convert.mix(service.mix(asked))

    return await made(request, mix)


@router.post("/mix", response_model=MixAnswer, responses=_ANSWERS)
async def mix(request: Request, user: CurrentUser, wanted: ListRequest) -> Response:
    """Tracks like the seeds."""
    return await _made(request, lambda: wanted.request("mix"), wanted.rules, user)


@router.post("/radio", response_model=MixAnswer, responses=_ANSWERS)
async def radio(request: Request, user: CurrentUser, wanted: ListRequest) -> Response:
    """A list that goes on from its seeds; `rules.previous` continues one."""
    return await _made(request, lambda: wanted.request("radio"), wanted.rules, user)


@router.post("/grow", response_model=MixAnswer, responses=_ANSWERS)
async def grow(request: Request, user: CurrentUser, wanted: GrowRequest) -> Response:
    """Tracks to add to a playlist, which are the seeds."""

    def grown() -> MixRequest:
        if wanted.threshold is None:
            return wanted.request("grow")
        return wanted.request("grow", threshold=wanted.threshold)

    return await _made(request, grown, wanted.rules, user)


@router.post("/path", response_model=MixAnswer, responses=_ANSWERS)
async def path(request: Request, user: CurrentUser, wanted: PathRequest) -> Response:
    """From one track to another in small steps; both are in the list."""

    def of_path() -> MixRequest:
        seeds = SeedSet((wanted.start, wanted.end))
        return MixRequest("path", seeds, wanted.rules.rules(), steps=wanted.steps)

    return await _made(request, of_path, wanted.rules, user)


@router.post("/order", response_model=MixAnswer, responses=_ANSWERS)
async def order(request: Request, wanted: OrderRequest) -> Response:
    """Tracks in their smoothest order."""

    def ordered() -> MixRequest:
        seeds = SeedSet(tuple(wanted.track_ids))
        return MixRequest("order", seeds, first=wanted.first, by=wanted.by)

    return await _made(request, ordered)

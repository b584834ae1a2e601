"""Lists by seeds and rules: mixes, radios, paths, orders, lists to grow."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from recommender.recommendation.mix_request import MixRequest, SeedSet
from recommender.server.answers import made
from recommender.server.api.common import converter_of, responses
from recommender.server.api.models import MixAnswer
from recommender.server.api.requests import GrowRequest, ListRequest, OrderRequest, PathRequest

router = APIRouter(tags=["lists"])

_ANSWERS = responses(400, 404)


async def _made(request: Request, wanted: Callable[[], MixRequest]) -> Response:
    convert = converter_of(request)
    return await made(request, lambda service: convert.mix(service.mix(wanted())))


@router.post("/mix", response_model=MixAnswer, responses=_ANSWERS)
async def mix(request: Request, wanted: ListRequest) -> Response:
    """Tracks like the seeds."""
    return await _made(request, lambda: wanted.request("mix"))


@router.post("/radio", response_model=MixAnswer, responses=_ANSWERS)
async def radio(request: Request, wanted: ListRequest) -> Response:
    """A list that goes on from its seeds; `rules.previous` continues one."""
    return await _made(request, lambda: wanted.request("radio"))


@router.post("/grow", response_model=MixAnswer, responses=_ANSWERS)
async def grow(request: Request, wanted: GrowRequest) -> Response:
    """Tracks to add to a playlist, which are the seeds."""

    def grown() -> MixRequest:
        if wanted.threshold is None:
            return wanted.request("grow")
        return wanted.request("grow", threshold=wanted.threshold)

    return await _made(request, grown)


@router.post("/path", response_model=MixAnswer, responses=_ANSWERS)
async def path(request: Request, wanted: PathRequest) -> Response:
    """From one track to another in small steps; both are in the list."""

    def of_path() -> MixRequest:
        seeds = SeedSet((wanted.start, wanted.end))
        return MixRequest("path", seeds, wanted.rules.rules(), steps=wanted.steps)

    return await _made(request, of_path)


@router.post("/order", response_model=MixAnswer, responses=_ANSWERS)
async def order(request: Request, wanted: OrderRequest) -> Response:
    """Tracks in their smoothest order."""

    def ordered() -> MixRequest:
        return MixRequest("order", SeedSet(tuple(wanted.track_ids)), first=wanted.first)

    return await _made(request, ordered)

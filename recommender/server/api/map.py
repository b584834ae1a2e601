"""The library as a map."""

import gzip
import hashlib
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from recommender.recommendation.service import SimilarityService
from recommender.server.answers import is_known, made
from recommender.server.api.common import responses
from recommender.server.api.models import Answer, Given, Id
from recommender.server.map_points import LibraryMap, map_points, map_stamp
from recommender.server.settings import MOST_TRACKS
from recommender.server.state import ServerState, state_of
from recommender.version import __version__

router = APIRouter(prefix="/map", tags=["map"])

MOST_POINTS = 200_000
_POINTS = 60_000
_EFFORT = 5


class WantedPlaces(Given):
    """Tracks whose places are asked for."""

    track_ids: list[Id] = Field(max_length=MOST_TRACKS, examples=[[17, 42]])


class PlaceModel(BaseModel):
    """Where a track is on the map: x to the right, y upwards, from 0 to 65,535."""

    id: int
    x: int
    y: int


class Places(Answer):
    """The places of those tracks that are on the map, in the order in which they were named."""

    items: list[PlaceModel]


@dataclass(frozen=True)
class _Packed:
    tag: str
    plain: bytes
    zipped: bytes


@router.get(
    "",
    response_class=Response,
    responses={
        **responses(304),
        200: {"description": "The map.", "content": {"application/octet-stream": {}}},
    },
)
async def show_map(
    request: Request,
    limit: Annotated[
        int, Query(ge=1, le=MOST_POINTS, description="Tracks; of more, a sample is drawn.")
    ] = _POINTS,
) -> Response:
    """A point for every track, with its predicted genre and year, and names of regions.

    The bytes `RMAP`; the length of the head, as uint32; the head, JSON padded with blanks to a
    multiple of four; then for each pair of name and type in the head's `columns` as many values as
    its `shown` says, little-endian, padded likewise. Genre 255: none is predicted; year 0: none;
    cluster 65,535: none; energy, from 0 to 254, 255: not known.
    """
    state = state_of(request)

    def packed(service: SimilarityService) -> _Packed:
        key = (map_stamp(service), limit)
        return state.kept("packed map", key, lambda: _packed(_map_of(state, service), limit))

    found = await state.run(packed)
    headers = {"ETag": found.tag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    if is_known(found.tag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(found.zipped, headers=headers, media_type="application/octet-stream")
    return Response(found.plain, headers=headers, media_type="application/octet-stream")


@router.post("/places", response_model=Places, responses=responses())
async def places(request: Request, wanted: WantedPlaces) -> Response:
    """Where tracks are on the map, whether or not they are in its sample."""
    state = state_of(request)

    def found(service: SimilarityService) -> Places:
        whole = _map_of(state, service)
        rows = whole.rows(wanted.track_ids)
        spots = zip(whole.ids[rows].tolist(), whole.places[rows].tolist(), strict=True)
        return Places(items=[PlaceModel(id=id, x=x, y=y) for id, (x, y) in spots])

    return await made(request, found)


def _map_of(state: ServerState, service: SimilarityService) -> LibraryMap:
    return state.kept("map", map_stamp(service), lambda: map_points(service))


def _packed(found: LibraryMap, limit: int) -> _Packed:
    plain = found.packed(limit)
    digest = hashlib.blake2b(plain + __version__.encode(), digest_size=12).hexdigest()
    return _Packed(f'W/"{digest}"', plain, gzip.compress(plain, _EFFORT, mtime=0))

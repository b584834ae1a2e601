"""Clusters of the library, as they are stored; they are computed elsewhere."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel

from recommender.library_map import Clusters, clusters, members
from recommender.recommendation.service import SimilarityService
from recommender.server.answers import made
from recommender.server.api.common import converter_of, next_page, responses
from recommender.server.api.models import Answer, Limit, Offset, TrackModel
from recommender.server.errors import Problem

router = APIRouter(prefix="/clusters", tags=["clusters"])

_MOST = 1_000_000

Number = Annotated[
    int, Path(ge=1, le=_MOST, description="Number of a cluster, from 1.", examples=[1])
]


class ClusterModel(BaseModel):
    """A cluster, named by the genres that its tracks have more often than others."""

    number: int
    name: str
    tracks: int


class ClusterList(Answer):
    """The clusters, the largest first.

    `noise` tracks are in none; `unplaced` came after the clusters were computed. `stability` is the
    mean adjusted Rand index of pairs of resamples.
    """

    items: list[ClusterModel]
    method: str
    computed_at: datetime
    noise: int
    unplaced: int
    stability: float | None


class ClusterTracks(Answer):
    """A cluster, and its tracks: those nearest to its mean first."""

    cluster: ClusterModel
    items: list[TrackModel]
    total: int
    next: str | None = None


@router.get("", response_model=ClusterList, responses=responses(404))
async def show_clusters(request: Request) -> Response:
    """The clusters that are stored."""

    def listed(service: SimilarityService) -> ClusterList:
        found = _stored(service)
        return ClusterList(
            items=[_cluster(found, number) for number in range(len(found.names))],
            method=found.method,
            computed_at=found.computed_at,
            noise=found.noise,
            unplaced=found.unplaced,
            stability=found.stability,
        )

    return await made(request, listed)


@router.get("/{number}", response_model=ClusterTracks, responses=responses(404))
async def cluster_tracks(
    request: Request, number: Number, limit: Limit = 100, offset: Offset = 0
) -> Response:
    """The tracks of a cluster."""
    convert = converter_of(request)

    def page(service: SimilarityService) -> ClusterTracks:
        found = _stored(service)
        if number > len(found.names):
            raise Problem(404, "There is no cluster of this number.")
        ids = members(service, found, number - 1).tolist()
        wanted = ids[offset : offset + limit]
        present = service.catalog.present(wanted)
        return ClusterTracks(
            cluster=_cluster(found, number - 1),
            items=convert.tracks([present[id] for id in wanted if id in present]),
            total=len(ids),
            next=next_page(request, offset, limit, len(ids)),
        )

    return await made(request, page)


def _stored(service: SimilarityService) -> Clusters:
    found = clusters(service)
    if found is None:
        raise Problem(404, "No clusters are stored: they are computed by 'recsys clusters'.")
    return found


def _cluster(found: Clusters, number: int) -> ClusterModel:
    return ClusterModel(number=number + 1, name=found.names[number], tracks=found.sizes[number])

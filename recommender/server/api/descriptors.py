"""Musical descriptors of many tracks at once, as lists show them."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from recommender.recommendation.service import SimilarityService
from recommender.server.answers import made
from recommender.server.api.common import responses
from recommender.server.api.models import Answer, Given, Id
from recommender.server.settings import MOST_TRACKS

router = APIRouter(tags=["tracks"])


class WantedTracks(Given):
    """Tracks whose descriptors are asked for."""

    track_ids: list[Id] = Field(max_length=MOST_TRACKS, examples=[[17, 42]])


class TrackDescriptors(BaseModel):
    """What is heard in a track; null for what cannot be told.

    `tempo` is in beats a minute; `camelot` is the key as DJs number it; all else from 0 to 1.
    """

    id: int
    tempo: float | None
    key_name: str | None
    camelot: str | None
    energy: float | None
    danceability: float | None
    acousticness: float | None
    vocals: float | None


class DescriptorList(Answer):
    """Of those of the tracks that have descriptors, by id."""

    items: list[TrackDescriptors]


_NAMES = [name for name in TrackDescriptors.model_fields if name != "id"]


@router.post("/descriptors", response_model=DescriptorList, responses=responses())
async def descriptors(request: Request, wanted: WantedTracks) -> Response:
    """Tempo, key and character of some tracks."""

    def found(service: SimilarityService) -> DescriptorList:
        known = service.catalog.musical_descriptors(wanted.track_ids)
        return DescriptorList(
            items=[
                TrackDescriptors(id=id, **{name: getattr(one, name) for name in _NAMES})
                for id, one in sorted(known.items())
            ]
        )

    return await made(request, found)

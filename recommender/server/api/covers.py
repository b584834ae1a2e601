"""The pictures in the tags of tracks."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from recommender.audio.cover import Cover, read_cover
from recommender.recommendation.service import SimilarityService
from recommender.server.api.common import responses
from recommender.server.api.models import TrackId
from recommender.server.errors import Problem
from recommender.server.open_file import open_file
from recommender.server.state import state_of

router = APIRouter(tags=["tracks"])

_KEPT = {"Cache-Control": "private, max-age=86400"}


@router.get(
    "/tracks/{track_id}/cover",
    response_class=Response,
    responses={
        **responses(404),
        200: {"description": "The picture.", "content": {"image/*": {}}},
    },
)
async def track_cover(request: Request, track_id: TrackId) -> Response:
    """The front cover in the tags of a track's file."""
    return await cover_response(request, track_id)


async def cover_response(request: Request, track_id: int) -> Response:
    """The picture of a track.

    Raises:
        TrackNotFound: there is no track with this id.
        Problem: 404 where its file is missing, or has no picture.
    """

    def found(service: SimilarityService) -> Cover | None:
        file = open_file(service.catalog.track(track_id), service.catalog.libraries())
        try:
            with file.path.open("rb") as opened:
                return read_cover(opened)
        except OSError:
            return None
        finally:
            file.close()

    cover = await state_of(request).run_file(found)
    if cover is None:
        raise Problem(404, "There is no picture in the tags.", {"Cache-Control": "max-age=3600"})
    return Response(cover.data, headers=_KEPT, media_type=cover.media_type)

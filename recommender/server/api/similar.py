"""Tracks that sound like a track, several tracks, or a sound that is sent."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from recommender.recommendation.service import SimilarityService
from recommender.server.answers import answer, json_response, made
from recommender.server.api.common import converter_of, responses
from recommender.server.api.models import MixAnswer, SimilarList, TrackId
from recommender.server.api.requests import FilterQuery, ListRequest
from recommender.server.errors import Problem
from recommender.server.settings import ServerSettings
from recommender.server.state import state_of

FilterParameters = Annotated[FilterQuery, Query()]


def similar_router(settings: ServerSettings) -> APIRouter:
    """The routes; the largest upload is a setting."""
    router = APIRouter(tags=["similar"])
    router.get(
        "/tracks/{track_id}/similar",
        response_model=SimilarList,
        responses=responses(304, 400, 404),
    )(similar_to_track)
    router.post("/similar", response_model=MixAnswer, responses=responses(400, 404))(
        similar_to_several
    )
    router.post(
        "/similar/upload",
        response_model=SimilarList,
        responses=responses(),
        max_body_size=settings.limits.upload,
        openapi_extra=_FORM,
    )(similar_to_upload)
    return router


async def similar_to_track(
    request: Request, track_id: TrackId, wanted: FilterParameters
) -> Response:
    """The tracks most like one track."""
    convert = converter_of(request)

    def similar(service: SimilarityService) -> SimilarList:
        return convert.similar(
            service.recommend(
                track_id,
                wanted.k,
                wanted.filters(),
                weights=wanted.weights(),
                why=wanted.why,
            )
        )

    return await answer(request, similar, uses_index=True)


async def similar_to_several(request: Request, wanted: ListRequest) -> Response:
    """The tracks most like some tracks and unlike others, by rules."""
    convert = converter_of(request)
    return await made(request, lambda service: convert.mix(service.mix(wanted.request("mix"))))


async def similar_to_upload(request: Request, wanted: FilterParameters) -> Response:
    """The tracks most like a sound, which is analysed by another process and not kept."""
    convert, state = converter_of(request), state_of(request)
    filters = wanted.filters()
    # The form is no parameter of the route: those are read before it is known who asks.
    async with state.receiving(), request.form(max_files=1, max_fields=8) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Problem(422, "body.file: a sound file is needed, as a part of a form.")
        sound = file.file

        def similar(service: SimilarityService) -> str:
            found = service.recommend(
                sound, wanted.k, filters, weights=wanted.weights(), why=wanted.why
            )
            return convert.similar(found).model_dump_json()

        return json_response(await state.run_upload(similar))


_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}

"""Copies of one recording."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from recommender.recommendation.service import SimilarityService
from recommender.server.answers import answer
from recommender.server.api.common import converter_of, next_page, responses
from recommender.server.api.models import (
    DuplicateGroupModel,
    DuplicatePage,
    DuplicatePair,
    Limit,
    Offset,
)
from recommender.server.state import state_of

router = APIRouter(tags=["duplicates"])


@router.get("/duplicates", response_model=DuplicatePage, responses=responses(304, 400))
async def duplicates(
    request: Request,
    minimum: Annotated[
        float | None, Query(ge=-1, le=1, allow_inf_nan=False, description="Least similarity.")
    ] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """Groups of tracks that are copies of one recording, with the evidence."""
    state, convert = state_of(request), converter_of(request)

    def page(service: SimilarityService) -> DuplicatePage:
        key = (service.state(), minimum)
        groups = state.kept("duplicates", key, lambda: service.duplicates(minimum))
        return DuplicatePage(
            items=[
                DuplicateGroupModel(
                    tracks=convert.tracks(group.tracks),
                    evidence=[DuplicatePair(**asdict(pair)) for pair in group.evidence],
                )
                for group in groups[offset : offset + limit]
            ],
            total=len(groups),
            next=next_page(request, offset, limit, len(groups)),
        )

    return await answer(request, page, uses_index=True)

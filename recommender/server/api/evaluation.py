"""How good the recommendations are in this catalogue."""

import math
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from recommender.evaluation.report import FilterScores, GenreScores, RetrievalReport
from recommender.recommendation.service import SimilarityService
from recommender.server.answers import made
from recommender.server.api.common import responses
from recommender.server.api.models import Answer
from recommender.server.state import state_of

router = APIRouter(tags=["evaluation"])


class GenrePrecision(BaseModel):
    """Precision of the lists for the tracks of a genre, with its 95 % interval."""

    genre: str
    queries: int
    precision: float
    low: float
    high: float
    chance: float


class EvaluationFigures(BaseModel):
    """Share of recommended tracks that have the genre tag of the track they are recommended for.

    `artist_filter`: whether tracks by the same artist were left out of the lists. `queries` lists
    were judged, of `k` tracks each; `tracks_in_no_list` is a share of all tracks.
    """

    k: int
    tracks: int
    unlabelled: int
    queries: int
    ranking: str
    artist_filter: bool
    overall: GenrePrecision
    genres: list[GenrePrecision]
    tracks_in_no_list: float


class EvaluationAnswer(Answer):
    """The figures, once they are computed: ask again until then. `reason`: why there are none."""

    state: Literal["computing", "done", "impossible"]
    figures: EvaluationFigures | None = None
    reason: str | None = None


@router.get("/evaluation", response_model=EvaluationAnswer, responses=responses())
async def evaluation(request: Request) -> Response:
    """How good the recommendations are here, by the genres in the tags."""
    evaluations = state_of(request).evaluations

    def found(service: SimilarityService) -> EvaluationAnswer:
        known = evaluations.of(service)
        figures = None
        if known.report is not None:
            figures = _figures(known.report, known.ranking or "")
        return EvaluationAnswer(state=known.state, figures=figures, reason=known.reason)

    return await made(request, found)


def _figures(report: RetrievalReport, ranking: str) -> EvaluationFigures:
    filtered = report.with_filter
    is_filtered = filtered is not None and filtered.overall.queries > 0
    scores: FilterScores = filtered if filtered and is_filtered else report.without_filter
    return EvaluationFigures(
        k=report.k,
        tracks=report.tracks,
        unlabelled=report.unlabelled,
        queries=scores.overall.queries,
        ranking=ranking,
        artist_filter=is_filtered,
        overall=_precision(scores.overall),
        genres=[_precision(one) for one in scores.genres if one.queries],
        tracks_in_no_list=_number(report.hubness.anti_hub_rate),
    )


def _precision(scores: GenreScores) -> GenrePrecision:
    rate = scores.precision
    return GenrePrecision(
        genre=scores.genre,
        queries=scores.queries,
        precision=_number(rate.value),
        low=_number(rate.low),
        high=_number(rate.high),
        chance=_number(rate.chance),
    )


def _number(value: float) -> float:
    return 0.0 if math.isnan(value) else value

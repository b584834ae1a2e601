"""AudioMuse-compatible routes on musical descriptors, which programs that tag files read."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response

from recommender.catalog.records import Track
from recommender.musical_descriptors import MusicalDescriptors
from recommender.recommendation.service import SimilarityService
from recommender.search.score_space import ScoreSpace
from recommender.server import audiomuse_models as models
from recommender.server.audiomuse_answers import as_json, entry, flag_of, number_of, text_of
from recommender.server.errors import Problem
from recommender.server.player_ids import PlayerIds
from recommender.server.state import state_of

_MOST = 500
_OTHER = ("danceability", "acousticness", "vocals", "speech", "percussive")
_NOTHING = MusicalDescriptors()


async def get_score(request: Request) -> Response:
    """The descriptors of one track, by ``id``."""
    state = state_of(request)
    item_id = text_of(request, "id") or text_of(request, "item_id")
    if item_id is None:
        raise Problem(400, "id is needed.")

    def score(service: SimilarityService) -> dict[str, Any]:
        ids = PlayerIds(state, service.catalog, item_id)
        track = service.catalog.track(ids.track_id(item_id))
        found = service.catalog.musical_descriptors([track.id])
        return _score(track, item_id, found)

    return as_json(await state.run(score))


async def sync(request: Request) -> Response:
    """The descriptors of all tracks, ``limit`` on a ``page``; or of those in ``ids``."""
    state = state_of(request)
    page = number_of(request, "page", 1, most=1_000_000)
    limit = number_of(request, "limit", 100, most=_MOST)
    wanted = [one for one in request.query_params.get("ids", "").split(",") if one][:_MOST]
    with_embeddings = flag_of(request, "include_embeddings", False)

    def synced(service: SimilarityService) -> dict[str, Any]:
        catalog = service.catalog
        ids = PlayerIds(state, catalog, wanted[0] if wanted else None)
        if wanted:
            numbers = sorted(set(ids.track_ids(wanted).values()))
        else:
            numbers = catalog.analysed_ids().tolist()
        shown = numbers[(page - 1) * limit : page * limit]
        tracks = list(catalog.present(shown).values())
        found = catalog.musical_descriptors(shown)
        scores = [
            {"id": item_id, **_score(track, item_id, found)} for track, item_id in ids.known(tracks)
        ]
        if with_embeddings:
            vectors = _embeddings(service, [track.id for track, _ in ids.known(tracks)])
            for (track, _), score in zip(ids.known(tracks), scores, strict=True):
                score["embedding"] = vectors.get(track.id)
        return {"has_more": page * limit < len(numbers), "page": page, "tracks": scores}

    return as_json(await state.run(synced))


def _score(
    track: Track, item_id: str, described: Mapping[int, MusicalDescriptors]
) -> dict[str, Any]:
    found = described.get(track.id, _NOTHING)
    probable = sorted(track.genre_probabilities.items(), key=lambda pair: -pair[1])
    others = ((name, getattr(found, name)) for name in _OTHER)
    return {
        **entry(track, item_id),
        "tempo": found.tempo,
        "key": None if found.key_name is None else found.key_name.partition(" ")[0],
        "scale": found.mode,
        "energy": found.energy,
        "mood_vector": ",".join(f"{label}:{share:.3f}" for label, share in probable),
        "other_features": ",".join(f"{n}:{value:.3f}" for n, value in others if value is not None),
    }


def _embeddings(service: SimilarityService, track_ids: list[int]) -> dict[int, list[float]]:
    index = service.index()
    rows = {id: row for id in track_ids if (row := index.row(id)) is not None}
    units = ScoreSpace(index).units(np.array(list(rows.values()), dtype=np.int64))
    return {id: np.round(unit, 6).tolist() for id, unit in zip(rows, units, strict=True)}


def add_routes(router: APIRouter, common: dict[str, Any]) -> None:
    """Add these routes, with what all routes have in common."""
    pages = ("page#", "limit#", "include_embeddings?", "ids")
    for path, route, model, names in (
        ("/external/get_score", get_score, models.Score, ("id",)),
        ("/api/sync", sync, models.SyncPage, pages),
    ):
        extra = models.parameters(*names)
        router.get(path, response_model=model, openapi_extra=extra, **common)(route)

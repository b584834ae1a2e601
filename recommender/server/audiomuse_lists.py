"""AudioMuse-compatible routes that make and store lists."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import AliasChoices, BaseModel, Field

from recommender.history.seeds import todays_request
from recommender.playlists.recipes import save_by_hand
from recommender.recommendation.mix_request import Length, MixRequest, Rules, SeedSet
from recommender.recommendation.mix_result import Mix
from recommender.recommendation.service import SimilarityService
from recommender.server import audiomuse_models as models
from recommender.server.api.playlists import visible
from recommender.server.audiomuse_answers import as_json, entries, number_of
from recommender.server.auth import CurrentUser
from recommender.server.errors import Problem
from recommender.server.player_ids import PlayerIds
from recommender.server.settings import MOST_TRACKS
from recommender.server.similarities import falling
from recommender.server.state import state_of

_Id = Annotated[str, Field(min_length=1, max_length=200)]


class PlaylistBody(BaseModel):
    """A playlist by the ids of a media server."""

    playlist_name: str = Field(min_length=1, max_length=500)
    track_ids: list[_Id] = Field(min_length=1, max_length=10_000)


class AlchemyItem(BaseModel):
    """A track to add to, or to subtract from, what is wanted."""

    id: _Id = Field(validation_alias=AliasChoices("id", "item_id"))
    op: Literal["ADD", "SUBTRACT"] = "ADD"


class AlchemyBody(BaseModel):
    """Tracks that a list shall be like, and unlike; `temperature` is its variety."""

    items: list[AlchemyItem] = Field(min_length=1, max_length=200)
    n: int = Field(default=25, ge=1, le=MOST_TRACKS)
    temperature: float = Field(default=0.0, ge=0, le=1e6, allow_inf_nan=False)


async def create_playlist(request: Request, user: CurrentUser, body: PlaylistBody) -> Response:
    """Store a playlist in the catalogue; the user's one of its name is replaced, if by hand."""
    state = state_of(request)

    def stored(service: SimilarityService) -> dict[str, Any]:
        ids = PlayerIds(state, service.catalog, body.track_ids[0])
        known = ids.track_ids(body.track_ids)
        tracks = [known[one] for one in body.track_ids if one in known]
        if not tracks:
            raise Problem(404, "None of these ids is that of an analysed track.")
        playlist = save_by_hand(service.catalog, body.playlist_name, tracks, user)
        return {
            "message": "The playlist is stored.",
            "playlist_id": str(playlist.id),
            "tracks": len(tracks),
            "unknown": [one for one in body.track_ids if one not in known],
        }

    return as_json(await state.run(stored), 201)


async def alchemy(request: Request, body: AlchemyBody) -> Response:
    """Tracks like those that are added, and unlike those that are subtracted."""
    state = state_of(request)
    added = [one.id for one in body.items if one.op == "ADD"]
    if not added:
        raise Problem(400, "At least one item must be added.")

    def made(service: SimilarityService) -> dict[str, Any]:
        ids = PlayerIds(state, service.catalog, added[0])
        known = ids.track_ids([one.id for one in body.items])
        of_op = {
            op: tuple(
                dict.fromkeys(
                    known[one.id] for one in body.items if one.op == op and one.id in known
                )
            )
            for op in ("ADD", "SUBTRACT")
        }
        if not of_op["ADD"]:
            raise Problem(404, "None of the items that are added is an analysed track.")
        rules = Rules(variety=min(body.temperature, 1.0))
        seeds = SeedSet(of_op["ADD"], of_op["SUBTRACT"])
        wanted = MixRequest("mix", seeds, rules, Length(_spare(ids, body.n)))
        return {"results": _listed(ids, service.mix(wanted), body.n)}

    return as_json(await state.run(made))


async def sonic_fingerprint(request: Request, user: CurrentUser) -> Response:
    """A list for today of what the user liked and played: ``n`` tracks."""
    state = state_of(request)
    count = number_of(request, "n", 25)

    def made(service: SimilarityService) -> list[dict[str, Any]]:
        ids = PlayerIds(state, service.catalog)
        length = Length(_spare(ids, count))
        wanted, _ = todays_request(service, user, length=length)
        return _listed(ids, service.mix(wanted), count)

    return as_json(await state.run(made))


async def radios(request: Request, user: CurrentUser) -> Response:
    """The stored playlists that are made anew from a recipe of a radio."""
    state = state_of(request)

    def stored(service: SimilarityService) -> list[dict[str, Any]]:
        return [
            {"id": str(one.id), "name": one.name, "tracks": len(one.track_ids)}
            for one in visible(service, user)
            if one.recipe is not None and one.recipe.get("kind") == "radio"
        ]

    return as_json(await state.run(stored))


def _spare(ids: PlayerIds, count: int) -> int:
    return min(ids.spare(count), 2 * MOST_TRACKS)


def _listed(ids: PlayerIds, mix: Mix, most: int) -> list[dict[str, Any]]:
    distances = [1 - value for value in falling([one.similarity for one in mix.entries])]
    return entries(ids, [one.track for one in mix.entries], distances, most)


def add_routes(router: APIRouter, common: dict[str, Any]) -> None:
    """Add these routes, with what all routes have in common."""
    stored = router.post(
        "/api/create_playlist", response_model=models.StoredPlaylist, status_code=201, **common
    )
    stored(create_playlist)
    router.post("/api/alchemy", response_model=models.Results, **common)(alchemy)
    router.get(
        "/api/sonic_fingerprint/generate",
        response_model=list[models.DistantEntry],
        openapi_extra=models.parameters("n#"),
        **common,
    )(sonic_fingerprint)
    router.get("/api/radios", response_model=list[models.StoredRadio], **common)(radios)

"""Playlists that the catalogue stores: the user's own, and those that all share."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import Field

from recommender.catalog import StoredPlaylist
from recommender.catalog.list_records import DEFAULT_USER
from recommender.errors import PlaylistNotFound
from recommender.playlists.recipes import replace_tracks, run_recipe, save_by_hand
from recommender.recommendation.service import SimilarityService
from recommender.server.answers import answer, made
from recommender.server.api.common import converter_of, next_page, responses
from recommender.server.api.convert import playlist_of
from recommender.server.api.models import LARGEST_ID, Given, Id, Limit, MixAnswer, Name, Offset
from recommender.server.api.stored_models import PlaylistAnswer, PlaylistPage
from recommender.server.auth import CurrentUser
from recommender.server.state import state_of

router = APIRouter(tags=["playlists"])

PlaylistId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Id of a playlist.")]
Tracks = Annotated[list[Id], Field(max_length=10_000, examples=[[17, 42]])]


class NewPlaylist(Given):
    """A playlist; the user's one of the same name is replaced, unless a recipe makes it.

    An empty comment leaves the one that it has.
    """

    name: Name = Field(examples=["Evening"])
    track_ids: Tracks
    comment: str = Field(default="", max_length=2000)


class PlaylistTracks(Given):
    """What the tracks of a playlist shall be."""

    track_ids: Tracks


@router.get("/playlists", response_model=PlaylistPage, responses=responses(304))
async def list_playlists(
    request: Request, user: CurrentUser, limit: Limit = 100, offset: Offset = 0
) -> Response:
    """The user's playlists and the shared ones."""

    def page(service: SimilarityService) -> PlaylistPage:
        found = visible(service, user)
        return PlaylistPage(
            items=[playlist_of(one) for one in found[offset : offset + limit]],
            total=len(found),
            next=next_page(request, offset, limit, len(found)),
        )

    return await answer(request, page, user=user)


@router.post(
    "/playlists", response_model=PlaylistAnswer, status_code=201, responses=responses(400, 404)
)
async def save_playlist(request: Request, user: CurrentUser, wanted: NewPlaylist) -> Response:
    """Store a playlist."""

    def saved(service: SimilarityService) -> PlaylistAnswer:
        playlist = save_by_hand(
            service.catalog, wanted.name, wanted.track_ids, user, wanted.comment
        )
        return _shown(request, service, playlist)

    return await made(request, saved, 201)


@router.get(
    "/playlists/{playlist_id}", response_model=PlaylistAnswer, responses=responses(304, 404)
)
async def show_playlist(request: Request, user: CurrentUser, playlist_id: PlaylistId) -> Response:
    """A playlist, with its tracks."""
    return await answer(
        request,
        lambda service: _shown(request, service, own(service, user, playlist_id)),
        user=user,
    )


@router.put(
    "/playlists/{playlist_id}/tracks", response_model=PlaylistAnswer, responses=responses(400, 404)
)
async def set_playlist_tracks(
    request: Request, user: CurrentUser, playlist_id: PlaylistId, wanted: PlaylistTracks
) -> Response:
    """Replace the tracks of a playlist."""

    def changed(service: SimilarityService) -> PlaylistAnswer:
        playlist = own(service, user, playlist_id)
        service.catalog.tracks(sorted({*wanted.track_ids}))  # each of them must be there
        replace_tracks(service.catalog, playlist, wanted.track_ids)
        return _shown(request, service, service.catalog.playlist(playlist_id))

    return await made(request, changed)


@router.post(
    "/playlists/{playlist_id}/run", response_model=MixAnswer, responses=responses(400, 404)
)
async def run_playlist(request: Request, user: CurrentUser, playlist_id: PlaylistId) -> Response:
    """Make a playlist anew from its recipe; it stays as it was where that fails."""
    convert = converter_of(request)

    def run(service: SimilarityService) -> MixAnswer:
        return convert.mix(run_recipe(service, own(service, user, playlist_id)))

    return await made(request, run)


@router.delete("/playlists/{playlist_id}", status_code=204, responses=responses(404))
async def remove_playlist(request: Request, user: CurrentUser, playlist_id: PlaylistId) -> Response:
    """Drop a playlist, not its file."""

    def removed(service: SimilarityService) -> None:
        own(service, user, playlist_id)
        service.catalog.remove_playlist(playlist_id)

    await state_of(request).run(removed)
    return Response(status_code=204)


def visible(service: SimilarityService, user: str) -> list[StoredPlaylist]:
    """The playlists that a user sees: the user's own, then those of nobody in particular."""
    found = service.catalog.playlists(user)
    return found if user == DEFAULT_USER else found + service.catalog.playlists(DEFAULT_USER)


def own(service: SimilarityService, user: str, playlist_id: int) -> StoredPlaylist:
    """A playlist that a user sees. Raises `PlaylistNotFound`."""
    playlist = service.catalog.playlist(playlist_id)
    if playlist.user not in (user, DEFAULT_USER):
        raise PlaylistNotFound(f"there is no playlist with the id {playlist_id}.")
    return playlist


def _shown(
    request: Request, service: SimilarityService, playlist: StoredPlaylist
) -> PlaylistAnswer:
    tracks = {track.id: track for track in service.catalog.tracks(sorted({*playlist.track_ids}))}
    convert = converter_of(request)
    return PlaylistAnswer(
        playlist=playlist_of(playlist),
        tracks=[convert.track(tracks[id]) for id in playlist.track_ids],
    )

"""The artists and the album of a track, by the ids under which they are shown."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from recommender.recommendation.service import SimilarityService
from recommender.server.answers import answer
from recommender.server.api import convert as conversion
from recommender.server.api.common import responses
from recommender.server.api.models import AlbumModel, Answer, ArtistModel, TrackId
from recommender.server.music_library import artist_id_of
from recommender.server.state import state_of

router = APIRouter(tags=["tracks"])


class Credits(Answer):
    """Whom a track credits, and its album; what its tags do not name is left out."""

    artists: list[ArtistModel]
    album: AlbumModel | None


@router.get("/tracks/{track_id}/credits", response_model=Credits, responses=responses(304, 404))
async def track_credits(request: Request, track_id: TrackId) -> Response:
    """The artists and the album of a track."""
    state = state_of(request)

    def found(service: SimilarityService) -> Credits:
        track = service.catalog.track(track_id)
        library = state.music_library(service.catalog)
        artists = [library.artists.get(artist_id_of(name)) for name in track.artists]
        album = library.albums.get(library.album_of.get(track_id, ""))
        return Credits(
            artists=[conversion.artist_of(one) for one in artists if one is not None],
            album=None if album is None else conversion.album_of(album),
        )

    return await answer(request, found)

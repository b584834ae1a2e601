"""Artists and albums: listed, one by one, and those that sound alike."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from recommender.recommendation.service import SimilarityService
from recommender.server.answers import answer
from recommender.server.api import convert as conversion
from recommender.server.api.common import converter_of, next_page, responses
from recommender.server.api.models import (
    AlbumAnswer,
    AlbumPage,
    ArtistAnswer,
    ArtistPage,
    Key,
    Limit,
    Number,
    Offset,
    SimilarAlbums,
    SimilarArtists,
    TrackId,
)
from recommender.server.errors import Problem
from recommender.server.music_library import ListedAlbum, ListedArtist, MusicLibrary
from recommender.server.state import state_of

router = APIRouter(tags=["artists and albums"])


@router.get("/artists", response_model=ArtistPage, responses=responses(304))
async def list_artists(request: Request, limit: Limit = 100, offset: Offset = 0) -> Response:
    """The artists, by name."""
    state = state_of(request)

    def page(service: SimilarityService) -> ArtistPage:
        artists = list(state.music_library(service.catalog).artists.values())
        return ArtistPage(
            items=[conversion.artist_of(one) for one in artists[offset : offset + limit]],
            total=len(artists),
            next=next_page(request, offset, limit, len(artists)),
        )

    return await answer(request, page, uses_library=True)


@router.get("/artists/{artist_id}", response_model=ArtistAnswer, responses=responses(304, 404))
async def show_artist(request: Request, artist_id: Key) -> Response:
    """An artist, with albums and tracks."""
    state, convert = state_of(request), converter_of(request)

    def shown(service: SimilarityService) -> ArtistAnswer:
        library = state.music_library(service.catalog)
        artist = artist_of(library, artist_id)
        tracks = service.catalog.present(artist.track_ids)
        return ArtistAnswer(
            artist=conversion.artist_of(artist),
            albums=[conversion.album_of(library.albums[one]) for one in artist.album_ids],
            tracks=[convert.track(tracks[id]) for id in artist.track_ids if id in tracks],
        )

    return await answer(request, shown, uses_library=True)


@router.get(
    "/artists/{artist_id}/similar",
    response_model=SimilarArtists,
    responses=responses(304, 400, 404),
)
async def similar_artists(request: Request, artist_id: Key, k: Number = 10) -> Response:
    """The artists that sound most like an artist, with the tracks to begin with."""
    state, convert = state_of(request), converter_of(request)

    def similar(service: SimilarityService) -> SimilarArtists:
        artist = artist_of(state.music_library(service.catalog), artist_id)
        found = service.similar_artists(artist.name, k)
        return SimilarArtists(items=[convert.similar_artist(one) for one in found])

    return await answer(request, similar, uses_index=True, uses_library=True)


@router.get("/albums", response_model=AlbumPage, responses=responses(304))
async def list_albums(request: Request, limit: Limit = 100, offset: Offset = 0) -> Response:
    """The albums, by name."""
    state = state_of(request)

    def page(service: SimilarityService) -> AlbumPage:
        albums = list(state.music_library(service.catalog).albums.values())
        return AlbumPage(
            items=[conversion.album_of(one) for one in albums[offset : offset + limit]],
            total=len(albums),
            next=next_page(request, offset, limit, len(albums)),
        )

    return await answer(request, page, uses_library=True)


@router.get("/albums/{album_id}", response_model=AlbumAnswer, responses=responses(304, 404))
async def show_album(request: Request, album_id: Key) -> Response:
    """An album, with its tracks."""
    state, convert = state_of(request), converter_of(request)

    def shown(service: SimilarityService) -> AlbumAnswer:
        album = album_of(state.music_library(service.catalog), album_id)
        tracks = service.catalog.present(album.track_ids)
        return AlbumAnswer(
            album=conversion.album_of(album),
            tracks=[convert.track(tracks[id]) for id in album.track_ids if id in tracks],
        )

    return await answer(request, shown, uses_library=True)


@router.get(
    "/albums/{album_id}/similar",
    response_model=SimilarAlbums,
    responses=responses(304, 400, 404),
)
async def similar_albums(request: Request, album_id: Key, k: Number = 10) -> Response:
    """The albums that sound most like an album."""
    state, convert = state_of(request), converter_of(request)

    def similar(service: SimilarityService) -> SimilarAlbums:
        album = album_of(state.music_library(service.catalog), album_id)
        found = service.similar_albums(album.track_ids[0], k)
        return SimilarAlbums(items=[convert.similar_album(one) for one in found])

    return await answer(request, similar, uses_index=True, uses_library=True)


@router.get(
    "/tracks/{track_id}/similar-albums",
    response_model=SimilarAlbums,
    responses=responses(304, 400, 404),
)
async def albums_like_track(request: Request, track_id: TrackId, k: Number = 10) -> Response:
    """The albums that sound most like a track, or like its album."""
    convert = converter_of(request)

    def similar(service: SimilarityService) -> SimilarAlbums:
        found = service.similar_albums(track_id, k)
        return SimilarAlbums(items=[convert.similar_album(one) for one in found])

    return await answer(request, similar, uses_index=True)


def artist_of(library: MusicLibrary, artist_id: str) -> ListedArtist:
    """The artist with this id. Raises `Problem`."""
    artist = library.artists.get(artist_id)
    if artist is None:
        raise Problem(404, "There is no artist with this id.")
    return artist


def album_of(library: MusicLibrary, album_id: str) -> ListedAlbum:
    """The album with this id. Raises `Problem`."""
    album = library.albums.get(album_id)
    if album is None:
        raise Problem(404, "There is no album with this id.")
    return album

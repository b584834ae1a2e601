"""AudioMuse-compatible routes on tracks and artists."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from recommender.errors import TrackNotFound, UsageError
from recommender.recommendation.filters import Filters
from recommender.recommendation.mix_request import MOST_STEPS, MixRequest, Rules, SeedSet
from recommender.recommendation.service import SimilarityService
from recommender.server import audiomuse_models as models
from recommender.server.audiomuse_answers import (
    as_json,
    entries,
    entry,
    flag_of,
    number_of,
    text_of,
    wanted_track,
)
from recommender.server.errors import Problem
from recommender.server.music_library import MusicLibrary
from recommender.server.player_ids import PlayerIds
from recommender.server.similarities import falling
from recommender.server.state import ServerState, state_of
from recommender.utils.names import storable

_REPRESENTATIVE = 3


async def similar_tracks(request: Request) -> Response:
    """Tracks like ``item_id``, or ``title`` and ``artist``; ``n``, ``eliminate_duplicates``."""
    state = state_of(request)
    count = number_of(request, "n", 10)
    capped = flag_of(request, "eliminate_duplicates", True)

    def similar(service: SimilarityService) -> list[dict[str, Any]]:
        ids = PlayerIds(state, service.catalog, text_of(request, "item_id"))
        track = wanted_track(request, ids, service.catalog)
        filters = Filters() if capped else Filters(per_artist=None)
        found = service.similar(track.id, ids.spare(count), filters)
        distances = [1 - value for value in falling([one.similarity for one in found])]
        return entries(ids, [one.track for one in found], distances, count)

    return as_json(await state.run(similar))


async def find_path(request: Request) -> Response:
    """From ``start_song_id`` to ``end_song_id`` in at most ``max_steps`` tracks."""
    state = state_of(request)
    start, end = text_of(request, "start_song_id"), text_of(request, "end_song_id")
    if start is None or end is None:
        raise Problem(400, "start_song_id and end_song_id are needed.")
    if start == end:
        raise Problem(400, "start_song_id and end_song_id are the same.")
    tracks = min(number_of(request, "max_steps", 25, least=2), MOST_STEPS + 1)

    def path(service: SimilarityService) -> dict[str, Any]:
        ids = PlayerIds(state, service.catalog, start)
        ends = ids.track_id(start), ids.track_id(end)
        if ends[0] == ends[1]:
            raise Problem(400, "Both ids mean one track.")
        wanted = MixRequest("path", SeedSet(ends), Rules(max_duration=None), steps=tracks - 1)
        try:
            entries_of_path = service.mix(wanted).entries
        except UsageError as error:
            raise TrackNotFound(f"There is no path: {error}") from error
        known = ids.known([one.track for one in entries_of_path])
        total = sum(1 - max(one.similarity, 0.0) for one in entries_of_path[1:])
        return {
            "path": [entry(track, item_id) for track, item_id in known],
            "total_distance": round(total, 6),
        }

    return as_json(await state.run(path))


async def similar_artists(request: Request) -> Response:
    """Artists like ``artist``, which may be a name or an id, or ``artist_id``; ``n``."""
    state = state_of(request)
    artist_id, name = text_of(request, "artist_id"), text_of(request, "artist")
    count = number_of(request, "n", 10)
    if artist_id is None and name is None:
        raise Problem(400, "artist or artist_id is needed.")
    with_matches = flag_of(request, "include_component_matches", False)

    def similar(service: SimilarityService) -> list[dict[str, Any]]:
        ids = PlayerIds(state, service.catalog)
        asked = _artist_name(ids, artist_id, name)
        found = service.similar_artists(asked, count)
        matches = _Representative(state, service, ids, asked) if with_matches else None
        return [
            {
                "artist": one.artist,
                "artist_id": ids.artist_id(one.artist),
                "divergence": round(1 - min(max(one.similarity, 0.0), 1.0), 6),
                "component_matches": [] if matches is None else matches.of(one),
            }
            for one in found
        ]

    return as_json(await state.run(similar))


def _artist_name(ids: PlayerIds, artist_id: str | None, name: str | None) -> str:
    """The plugin of Navidrome gives an id as the name."""
    for remote_id in (artist_id, name):
        found = None if remote_id is None else ids.artist_name(remote_id)
        if found is not None:
            return found
    if name is None:
        raise TrackNotFound("No artist has this id.")
    return name


class _Representative:
    """Songs that stand for two artists."""

    def __init__(
        self, state: ServerState, service: SimilarityService, ids: PlayerIds, asked: str
    ) -> None:
        self._ids = ids
        library: MusicLibrary = state.music_library(service.catalog)
        artist = library.artist_named(asked)
        first = [] if artist is None else artist.track_ids[: 2 * _REPRESENTATIVE]
        present = service.catalog.present(first)
        self._own = self._songs([present[id] for id in first if id in present])

    def of(self, found: Any) -> list[dict[str, Any]]:
        """The songs of the artist that was asked for, and those to begin with of another."""
        songs = self._songs([one.track for one in found.entry_points])
        return [{"artist1_representative_songs": self._own, "artist2_representative_songs": songs}]

    def _songs(self, tracks: list[Any]) -> list[dict[str, Any]]:
        known = self._ids.known(tracks)[:_REPRESENTATIVE]
        return [{"item_id": item_id, "title": storable(track.title)} for track, item_id in known]


async def search_tracks(request: Request) -> Response:
    """Tracks by ``search_query``, or ``title`` and ``artist``; from ``start`` up to ``end``."""
    state = state_of(request)
    start = number_of(request, "start", 0, least=0, most=1_000_000)
    end = number_of(request, "end", start + 20, least=0, most=1_001_000)
    words = (
        text_of(request, "search_query"),
        text_of(request, "title"),
        text_of(request, "artist"),
    )
    if not any(words):
        raise Problem(400, "search_query, title or artist is needed.")
    count = min(max(end - start, 0), 1000)

    def search(service: SimilarityService) -> list[dict[str, Any]]:
        ids = PlayerIds(state, service.catalog)
        found = service.catalog.search(" ".join(filter(None, words)), count, start)
        return [
            {**entry(track, item_id), "album_artist": track.tags.album_artist or ""}
            for track, item_id in ids.known(found)
        ]

    return as_json(await state.run(search))


async def max_distance(request: Request) -> Response:
    """The track that is least like ``item_id``, and how far it is."""
    state = state_of(request)

    def farthest(service: SimilarityService) -> dict[str, Any]:
        ids = PlayerIds(state, service.catalog, text_of(request, "item_id"))
        found = service.farthest(wanted_track(request, ids, service.catalog).id)
        return {
            "max_distance": round(1 - max(found.similarity, 0.0), 6),
            "farthest_item_id": ids.remote_ids([found.track.id]).get(found.track.id),
        }

    return as_json(await state.run(farthest))


async def show_track(request: Request) -> Response:
    """One track, by ``item_id``."""
    state = state_of(request)

    def shown(service: SimilarityService) -> dict[str, Any]:
        item_id = text_of(request, "item_id")
        ids = PlayerIds(state, service.catalog, item_id)
        track = wanted_track(request, ids, service.catalog)
        own_id = item_id or ids.remote_ids([track.id]).get(track.id, "")
        return {**entry(track, own_id), "album_artist": track.tags.album_artist or ""}

    return as_json(await state.run(shown))


def add_routes(router: APIRouter, common: dict[str, Any]) -> None:
    """Add these routes, with what all routes have in common."""
    named = ("item_id", "title", "artist")
    numbers = ("n#", "eliminate_duplicates?", "radius_similarity?", "mood_similarity?")
    ends = ("start_song_id", "end_song_id", "max_steps#", "path_fix_size?")
    of_artist = ("artist", "artist_id", "n#", "include_component_matches?")
    words = ("search_query", "title", "artist", "start#", "end#")
    for path, route, model, names in (
        ("/api/similar_tracks", similar_tracks, list[models.DistantEntry], (*named, *numbers)),
        ("/api/find_path", find_path, models.PathAnswer, ends),
        ("/api/similar_artists", similar_artists, list[models.ArtistEntry], of_artist),
        ("/api/search_tracks", search_tracks, list[models.FoundEntry], words),
        ("/api/max_distance", max_distance, models.Farthest, named),
        ("/api/track", show_track, models.FoundEntry, named),
    ):
        extra = models.parameters(*names)
        router.get(path, response_model=model, openapi_extra=extra, **common)(route)

"""What the AudioMuse-compatible routes share: parameters and answers."""

import json
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from recommender.catalog import Catalog, TrackState
from recommender.catalog.records import Track
from recommender.errors import TrackNotFound
from recommender.server.errors import Problem
from recommender.server.player_ids import PlayerIds
from recommender.server.settings import MOST_TRACKS
from recommender.utils.artists import artist_key
from recommender.utils.names import name_key, storable

_LONGEST = 500
_COMPARED = 200


def as_json(content: Any, status: int = 200) -> Response:
    """Plain JSON that no cache keeps."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    headers = {"Cache-Control": "no-store"}
    return Response(
        text.encode("utf-8", "replace"), status, headers=headers, media_type="application/json"
    )


def text_of(request: Request, name: str) -> str | None:
    """A parameter, if it is there and not empty. Raises `Problem` (400) for a very long one."""
    value = request.query_params.get(name, "").strip()
    if len(value) > _LONGEST:
        raise Problem(400, f"{name} is too long.")
    return value or None


def number_of(
    request: Request, name: str, default: int, least: int = 1, most: int = MOST_TRACKS
) -> int:
    """A whole number among the parameters. Raises `Problem` (400) for another or out of range."""
    value = text_of(request, name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Problem(400, f"{name} must be a whole number.")
    if not least <= int(value) <= most:
        raise Problem(400, f"{name} must be from {least} to {most}.")
    return int(value)


def flag_of(request: Request, name: str, default: bool) -> bool:
    """A truth value among the parameters."""
    value = text_of(request, name)
    return default if value is None else value.lower() in ("true", "1", "yes", "on")


def entry(track: Track, item_id: str, distance: float | None = None) -> dict[str, Any]:
    """A track in a list."""
    found: dict[str, Any] = {
        "item_id": item_id,
        "title": storable(track.title),
        "author": track.artist or "",
        "album": track.tags.album or "",
    }
    return found if distance is None else {**found, "distance": round(distance, 6)}


def wanted_track(request: Request, ids: PlayerIds, catalog: Catalog) -> Track:
    """The track that a request names: by ``item_id``, or by ``title`` and ``artist``.

    Raises `Problem` (400) where neither is there, and `TrackNotFound`.
    """
    item_id = text_of(request, "item_id")
    if item_id is not None:
        return catalog.track(ids.track_id(item_id))
    title, artist = text_of(request, "title"), text_of(request, "artist")
    if title is None or artist is None:
        raise Problem(400, "item_id, or title and artist, are needed.")
    return track_named(catalog, title, artist)


def track_named(catalog: Catalog, title: str, artist: str) -> Track:
    """The analysed track with this title and artist. Raises `TrackNotFound`."""
    key = artist_key(artist)
    for track in catalog.search(title, _COMPARED):
        names = {artist_key(name) for name in (*track.artists, track.artist or "")}
        is_there = track.state is TrackState.ANALYSED
        if is_there and name_key(track.title) == name_key(title) and key in names:
            return track
    raise TrackNotFound("No analysed track has this title and artist.")


def entries(
    ids: PlayerIds, tracks: Sequence[Track], distances: Sequence[float], most: int
) -> list[dict[str, Any]]:
    """The first `most` tracks that the player's server has, with their distances."""
    by_id = {track.id: distance for track, distance in zip(tracks, distances, strict=True)}
    return [entry(track, item_id, by_id[track.id]) for track, item_id in ids.known(tracks)[:most]]

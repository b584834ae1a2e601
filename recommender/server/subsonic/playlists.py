"""Methods on playlists, which are those that the catalogue stores."""

from recommender.catalog import StoredPlaylist
from recommender.catalog.list_records import DEFAULT_USER
from recommender.playlists.recipes import replace_tracks, save_by_hand
from recommender.recommendation.service import SimilarityService
from recommender.server.api.playlists import own, visible
from recommender.server.subsonic.answers import ErrorCode, SubsonicError, Tree
from recommender.server.subsonic.calls import Call, Method, Music, not_found, time_text

_MOST_SONGS = 10_000
_LONGEST_DIGITS = 10


def get_playlists(call: Call, service: SimilarityService) -> Tree:
    """The user's playlists and the shared ones."""
    found = visible(service, call.user)
    ids = {id for playlist in found for id in playlist.track_ids}
    lengths = {track.id: track.duration for track in service.catalog.tracks(sorted(ids))}
    return {
        "playlists": {
            "playlist": [_playlist(one, sum(lengths[id] for id in one.track_ids)) for one in found]
        }
    }


def get_playlist(call: Call, service: SimilarityService) -> Tree:
    """A playlist and its songs."""
    return _shown(call, service, _wanted(call, service, call.parameters.required("id")))


def create_playlist(call: Call, service: SimilarityService) -> Tree:
    """A playlist by its name, or other songs in the one with an id."""
    given = call.parameters
    track_ids = [track.id for track in Music(call, service).tracks(given.all("songId"))]
    _require_room(len(track_ids))
    if given.has("playlistId"):
        playlist = _wanted(call, service, given.get("playlistId"))
        return _shown(call, service, replace_tracks(service.catalog, playlist, track_ids))
    name = given.required("name")
    return _shown(call, service, save_by_hand(service.catalog, name, track_ids, call.user))


def update_playlist(call: Call, service: SimilarityService) -> Tree:
    """Drop songs by their positions, add songs, change name and comment."""
    given = call.parameters
    playlist = _wanted(call, service, given.required("playlistId"))
    gone = set(given.numbers("songIndexToRemove"))
    added = [track.id for track in Music(call, service).tracks(given.all("songIdToAdd"))]
    if given.has("name") or given.has("comment"):
        service.catalog.describe_playlist(
            playlist.id,
            given.get("name") if given.has("name") else None,
            given.get("comment") if given.has("comment") else None,
        )
    if gone or added:
        kept = [id for at, id in enumerate(playlist.track_ids) if at not in gone]
        _require_room(len(kept) + len(added))
        replace_tracks(service.catalog, playlist, kept + added)
    return {}


def delete_playlist(call: Call, service: SimilarityService) -> Tree:
    """Drop a playlist."""
    service.catalog.remove_playlist(_wanted(call, service, call.parameters.required("id")).id)
    return {}


def _wanted(call: Call, service: SimilarityService, given: str) -> StoredPlaylist:
    if not (given.isascii() and given.isdigit() and len(given) <= _LONGEST_DIGITS):
        raise not_found("playlist", given)
    return own(service, call.user, int(given))


def _require_room(count: int) -> None:
    if count > _MOST_SONGS:
        raise SubsonicError(ErrorCode.GENERIC, f"A playlist has at most {_MOST_SONGS} songs.")


def _shown(call: Call, service: SimilarityService, playlist: StoredPlaylist) -> Tree:
    music = Music(call, service)
    found = service.catalog.tracks(sorted({*playlist.track_ids}))
    songs = {track.id: music.song(track) for track in found}
    duration = sum(songs[id]["duration"] for id in playlist.track_ids)
    entries = [songs[id] for id in playlist.track_ids]
    return {"playlist": {**_playlist(playlist, duration), "entry": entries}}


def _playlist(playlist: StoredPlaylist, duration: float) -> Tree:
    return {
        "id": str(playlist.id),
        "name": playlist.name,
        "comment": playlist.comment,
        "owner": playlist.user,
        "public": playlist.user == DEFAULT_USER,
        "songCount": len(playlist.track_ids),
        "duration": round(duration),
        "created": time_text(playlist.created_at),
        "changed": time_text(playlist.changed_at),
    }


METHODS: dict[str, Method] = {
    "getPlaylists": get_playlists,
    "getPlaylist": get_playlist,
    "createPlaylist": create_playlist,
    "updatePlaylist": update_playlist,
    "deletePlaylist": delete_playlist,
}

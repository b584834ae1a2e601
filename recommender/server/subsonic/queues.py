"""Methods by which players go on where another one, or the same one, left off."""

import time
from datetime import UTC, datetime

from recommender.recommendation.service import SimilarityService
from recommender.server.player_notes import MOST_ENTRIES, PlayQueue
from recommender.server.subsonic.answers import ErrorCode, SubsonicError, Tree
from recommender.server.subsonic.calls import Call, Method, Music, time_text

_LATEST_MS = 2**53 - 1
_LONGEST_NAME = 100
_LONGEST_COMMENT = 1000
_GRACE_S = 60.0
"""After its end, a song may still be the one that is playing: somebody paused."""


def save_play_queue(call: Call, service: SimilarityService) -> Tree:
    """Keep the queue of the user; none where no song is named."""
    given, notes = call.parameters, call.state.player_notes
    if not given.has("id"):
        notes.save_queue(call.user, None)
        return {}
    if len(given.all("id")) > MOST_ENTRIES:
        raise SubsonicError(ErrorCode.GENERIC, f"A queue has at most {MOST_ENTRIES} songs.")
    music = Music(call, service)
    ids = tuple(track.id for track in music.tracks(given.all("id")))
    current = music.track(given.get("current")).id if given.get("current") else None
    if current is not None and current not in ids:
        raise SubsonicError(ErrorCode.GENERIC, "current must be one of the songs.")
    position = given.number("position", 0, most=_LATEST_MS)
    player = given.get("c")[:_LONGEST_NAME]
    notes.save_queue(call.user, PlayQueue(ids, current, position, time.time(), player))
    return {}


def get_play_queue(call: Call, service: SimilarityService) -> Tree:
    """The queue of the user, less songs that are gone; nothing where none was kept."""
    music, queue = Music(call, service), call.state.player_notes.queue(call.user)
    if queue is None:
        return {}
    tracks = music.tracks_by_id(queue.track_ids)
    is_there = any(track.id == queue.current for track in tracks)
    return {
        "playQueue": {
            "current": str(queue.current) if is_there else None,
            "position": queue.position if is_there else 0,
            "username": call.user,
            "changed": _time(queue.changed_at),
            "changedBy": queue.changed_by,
            "entry": music.songs(tracks),
        }
    }


def create_bookmark(call: Call, service: SimilarityService) -> Tree:
    """Keep a place in a song."""
    given = call.parameters
    track = Music(call, service).track(given.required("id"))
    given.required("position")
    position = given.number("position", 0, most=_LATEST_MS)
    comment = given.get("comment")[:_LONGEST_COMMENT]
    call.state.player_notes.save_bookmark(call.user, track.id, position, comment)
    return {}


def delete_bookmark(call: Call, service: SimilarityService) -> Tree:
    """Forget the place in a song."""
    track = Music(call, service).track(call.parameters.required("id"))
    call.state.player_notes.drop_bookmark(call.user, track.id)
    return {}


def get_bookmarks(call: Call, service: SimilarityService) -> Tree:
    """The places that the user keeps in songs that are there."""
    music, kept = Music(call, service), call.state.player_notes.bookmarks(call.user)
    tracks = {track.id: track for track in music.tracks_by_id([one.track_id for one in kept])}
    found = [
        {
            "position": one.position,
            "username": call.user,
            "comment": one.comment,
            "created": _time(one.created_at),
            "changed": _time(one.changed_at),
            "entry": music.song(tracks[one.track_id]),
        }
        for one in kept
        if one.track_id in tracks
    ]
    return {"bookmarks": {"bookmark": found}}


def get_now_playing(call: Call, service: SimilarityService) -> Tree:
    """What users began to play, as their players say, and have not ended yet."""
    music, playing = Music(call, service), call.state.player_notes.playing()
    tracks = {one.id: one for one in music.tracks_by_id([it.track_id for it in playing.values()])}
    now, found = time.monotonic(), []
    for number, (user, one) in enumerate(playing.items(), start=1):
        track = tracks.get(one.track_id)
        if track is None or now - one.since > track.duration + _GRACE_S:
            continue
        found.append(
            {
                **music.song(track),
                "username": user,
                "minutesAgo": int((now - one.since) // 60),
                "playerId": number,
                "playerName": one.player,
            }
        )
    return {"nowPlaying": {"entry": found}}


def _time(seconds: float) -> str | None:
    return time_text(datetime.fromtimestamp(seconds, UTC))


METHODS: dict[str, Method] = {
    "savePlayQueue": save_play_queue,
    "getPlayQueue": get_play_queue,
    "createBookmark": create_bookmark,
    "deleteBookmark": delete_bookmark,
    "getBookmarks": get_bookmarks,
    "getNowPlaying": get_now_playing,
}

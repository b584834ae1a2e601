"""Methods by which players tell what a user did: they reach the history.

A star is a like. A rating of 4 or 5 is one, too; one of 1 or 2, and none, take it back. An album's
star is that of each of its songs, an artist's is refused: it would be a like of all there is.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from recommender.catalog.list_records import Event, EventKind
from recommender.recommendation.service import SimilarityService
from recommender.server.subsonic.answers import ErrorCode, SubsonicError, Tree
from recommender.server.subsonic.calls import Call, Method, Music

SOURCE = "subsonic"
_LIKED, _DISLIKED = 4, 2
_LONGEST_NAME = 100
_FIRST_MS, _LAST_MS = 31_536_000_000, 7_258_118_400_000
"""From 1971 to 2200: times beyond are no times of plays."""


def scrobble(call: Call, service: SimilarityService) -> Tree:
    """Songs that were played; one that only begins to play is not part of the history."""
    given = call.parameters
    given.required("id")
    tracks = Music(call, service).tracks(given.all("id"))
    if not given.flag("submission", True):
        call.state.player_notes.begin(call.user, tracks[-1].id, given.get("c")[:_LONGEST_NAME])
        return {}
    times = given.numbers("time")
    if times and len(times) != len(tracks):
        raise SubsonicError(ErrorCode.GENERIC, "There must be one time for each id.")
    record(call.user, service, EventKind.PLAY, [track.id for track in tracks], times)
    return {}


def star(call: Call, service: SimilarityService) -> Tree:
    """Songs that the user likes."""
    record(call.user, service, EventKind.LIKE, _starred(call, service))
    return {}


def unstar(call: Call, service: SimilarityService) -> Tree:
    """Songs that the user does not like any more."""
    record(call.user, service, EventKind.UNLIKE, _starred(call, service))
    return {}


def set_rating(call: Call, service: SimilarityService) -> Tree:
    """How a user rates a song, from 1 to 5; 0 takes it back."""
    tracks = Music(call, service).track_ids_of(call.parameters.required("id"))
    call.parameters.required("rating")
    kind = kind_of_rating(call.parameters.number("rating", 0, most=5))
    if kind is not None:
        record(call.user, service, kind, tracks)
    return {}


def kind_of_rating(rating: int) -> EventKind | None:
    """What a rating says of a song; None for neither."""
    if rating >= _LIKED:
        return EventKind.LIKE
    return EventKind.UNLIKE if rating <= _DISLIKED else None


def record(
    user: str,
    service: SimilarityService,
    kind: EventKind,
    track_ids: Sequence[int],
    times: Sequence[int] = (),
) -> None:
    """Store what a user did with tracks.

    Args:
        times: milliseconds since 1970, of each; none for now.

    Raises `SubsonicError` for a time out of range.
    """
    if any(not _FIRST_MS <= one <= _LAST_MS for one in times):
        raise SubsonicError(ErrorCode.GENERIC, "time must be milliseconds since 1970.")
    at = [datetime.fromtimestamp(one / 1000, UTC) for one in times]
    at = at or [datetime.now(UTC)] * len(track_ids)
    events = [Event(user, kind, id, when, SOURCE) for id, when in zip(track_ids, at, strict=True)]
    service.catalog.record_events(events)


def _starred(call: Call, service: SimilarityService) -> list[int]:
    given, music = call.parameters, Music(call, service)
    if given.has("artistId") or any(one in music.library.artists for one in given.all("id")):
        raise SubsonicError(ErrorCode.GENERIC, "Songs and albums can be starred, artists cannot.")
    wanted = [*given.all("id"), *given.all("albumId")]
    if not wanted:
        raise SubsonicError(ErrorCode.MISSING_PARAMETER, "The parameter id is missing.")
    return [track_id for one in wanted for track_id in music.track_ids_of(one)]


METHODS: dict[str, Method] = {
    "scrobble": scrobble,
    "star": star,
    "unstar": unstar,
    "setRating": set_rating,
}

"""Methods that recommend: similar songs, and the extension ``sonicSimilarity``."""

from dataclasses import dataclass

from recommender.catalog.records import Track
from recommender.errors import UsageError
from recommender.recommendation.filters import Filters
from recommender.recommendation.mix_request import MOST_STEPS, Length, MixRequest, Rules, SeedSet
from recommender.recommendation.service import SimilarityService
from recommender.server.settings import MOST_TRACKS
from recommender.server.similarities import falling
from recommender.server.subsonic.answers import ErrorCode, SubsonicError, Tree
from recommender.server.subsonic.calls import Call, Method, Music

_MOST_SEEDS = 50


@dataclass(frozen=True)
class Match:
    """A track and how similar it is, from 0 to 1."""

    track: Track
    similarity: float


def songs_like(service: SimilarityService, track_ids: list[int], count: int) -> list[Track]:
    """A mix of at most `count` tracks like some tracks, by the rules of mixes."""
    if not count:
        return []
    seeds = tuple(dict.fromkeys(track_ids))[:_MOST_SEEDS]
    found = service.mix(MixRequest("mix", SeedSet(seeds), Rules(), Length(count)))
    return [entry.track for entry in found.entries]


def sonic_matches(service: SimilarityService, track_id: int, count: int) -> list[Match]:
    """The tracks most like a track; similarities fall along the list."""
    if not count:
        return []
    found = service.similar(track_id, count, Filters())
    values = falling([one.similarity for one in found])
    return [Match(one.track, value) for one, value in zip(found, values, strict=True)]


def sonic_path(service: SimilarityService, start: int, end: int, count: int) -> list[Match]:
    """From a track to another in at most `count` tracks, but with both; similarities to the first.

    At most `MOST_STEPS` steps. Similarities fall along the list. Raises `SubsonicError` where there
    is no path.
    """
    if start == end:
        return [Match(service.catalog.track(start), 1.0)]
    rules = Rules(max_duration=None)
    wanted = MixRequest(
        "path", SeedSet((start, end)), rules, steps=min(max(count, 2) - 1, MOST_STEPS)
    )
    try:
        tracks = [entry.track for entry in service.mix(wanted).entries]
    except UsageError as error:
        raise SubsonicError(ErrorCode.NOT_FOUND, f"There is no path: {error}") from error
    cosines = service.similarities(start, [track.id for track in tracks])
    values = falling([cosines.get(track.id, 0.0) for track in tracks])
    return [Match(track, value) for track, value in zip(tracks, values, strict=True)]


def count_of(call: Call, default: int, least: int = 0) -> int:
    """How many songs are asked for."""
    return call.parameters.number("count", default, least, MOST_TRACKS)


def matches_of(matches: list[Match], entries: list[Tree]) -> Tree:
    """What the extension answers, given the songs of the matches."""
    return {
        "sonicMatch": [
            {"entry": entry, "similarity": round(match.similarity, 6)}
            for match, entry in zip(matches, entries, strict=True)
        ]
    }


def get_similar_songs(call: Call, service: SimilarityService) -> Tree:
    """Songs like a song, an album or an artist."""
    return {"similarSongs": _similar_songs(call, service)}


def get_similar_songs2(call: Call, service: SimilarityService) -> Tree:
    """Likewise."""
    return {"similarSongs2": _similar_songs(call, service)}


def _similar_songs(call: Call, service: SimilarityService) -> Tree:
    music = Music(call, service)
    seeds = music.track_ids_of(call.parameters.required("id"))
    return {"song": music.songs(songs_like(service, seeds, count_of(call, 50)))}


def get_sonic_similar_tracks(call: Call, service: SimilarityService) -> Tree:
    """Songs like a song, each with its similarity."""
    music = Music(call, service)
    track = music.track(call.parameters.required("id"))
    matches = sonic_matches(service, track.id, count_of(call, 10))
    return matches_of(matches, music.songs([match.track for match in matches]))


def find_sonic_path(call: Call, service: SimilarityService) -> Tree:
    """Songs from one to another, each with its similarity to the first."""
    music = Music(call, service)
    start = music.track(call.parameters.required("startSongId"))
    end = music.track(call.parameters.required("endSongId"))
    matches = sonic_path(service, start.id, end.id, count_of(call, 25, least=1))
    return matches_of(matches, music.songs([match.track for match in matches]))


METHODS: dict[str, Method] = {
    "getSimilarSongs": get_similar_songs,
    "getSimilarSongs2": get_similar_songs2,
    "getSonicSimilarTracks": get_sonic_similar_tracks,
    "findSonicPath": find_sonic_path,
}

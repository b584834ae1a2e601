"""What the proxy answers itself: similar songs, with the songs as the server behind has them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from recommender.recommendation.service import SimilarityService
from recommender.server.linking.remote_library import dicts, text
from recommender.server.proxy.logins import proofs
from recommender.server.proxy.remote_music import RemoteMusic, unknown
from recommender.server.proxy.settings import ProxySettings
from recommender.server.proxy.upstream import Pairs, Upstream
from recommender.server.state import ServerState
from recommender.server.subsonic.answers import ErrorCode, SubsonicError, Tree
from recommender.server.subsonic.parameters import Parameters
from recommender.server.subsonic.similar import Match, songs_like, sonic_matches, sonic_path

_PATH = "findSonicPath"
_MOST_SONGS = 200
"""Longest list: the server is asked about each song of it."""

_ANSWER_S = 30.0


@dataclass(frozen=True)
class SimilarCalls:
    """Answers one kind of calls; `METHODS` names them."""

    state: ServerState
    settings: ProxySettings
    upstream: Upstream

    async def answer(self, method: str, given: Parameters, pairs: Pairs) -> Tree:
        """What a method answers beside its envelope. Raises `SubsonicError`, `RecsysError`."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                matches = await self._matches(method, given, pairs)
                songs = await self._songs([remote_id for remote_id, _ in matches], pairs)
        except TimeoutError as error:
            message = "The server behind takes too long: ask for fewer songs."
            raise SubsonicError(ErrorCode.GENERIC, message) from error
        listed = [(songs[id], similarity) for id, similarity in matches if id in songs]
        if method not in _SONIC:
            name = method.removeprefix("get")
            return {f"{name[0].lower()}{name[1:]}": {"song": [song for song, _ in listed]}}
        if method == _PATH and any(matches[at][0] not in songs for at in (0, -1)):
            raise SubsonicError(ErrorCode.NOT_FOUND, "The server behind has not both of the songs.")
        return {
            "sonicMatch": [
                {"entry": song, "similarity": round(similarity, 6)} for song, similarity in listed
            ]
        }

    async def _matches(
        self, method: str, given: Parameters, pairs: Pairs
    ) -> list[tuple[str, float]]:
        """Ids of songs of the server with their similarities."""
        count = given.number("count", 10 if method in _SONIC else 50, 0, _MOST_SONGS)
        if method == _PATH:
            count = given.number("count", 25, 1, _MOST_SONGS)
        if method in _SONIC:
            find = _SONIC[method](given, count)
        else:
            find = _songs_like(await self._seeds(given.required("id"), pairs), count)

        def found(service: SimilarityService) -> list[tuple[str, float]]:
            music = RemoteMusic(self.state, self.settings, service)
            matches = find(service, music)
            tracks = [match.track for match in matches]
            known = music.known(tracks, max(count, 2) if method == _PATH else count)
            return [(remote_id, matches[at].similarity) for at, remote_id in known]

        matches = await self.state.run(found)
        return _between(given, matches) if method == _PATH else matches

    async def _seeds(self, wanted: str, pairs: Pairs) -> list[int]:
        """The tracks of a song, an artist or an album of the server. Raises `SubsonicError`."""

        def known(service: SimilarityService) -> list[int]:
            return RemoteMusic(self.state, self.settings, service).seeds(wanted)

        found = await self.state.run(known)
        if found:
            return found
        songs = await self._songs_of(wanted, proofs(pairs))

        def mapped(service: SimilarityService) -> list[int]:
            return RemoteMusic(self.state, self.settings, service).track_ids(songs)

        found = await self.state.run(mapped)
        if not found:
            raise unknown(wanted)
        return found

    async def _songs_of(self, wanted: str, proof: Pairs) -> list[str]:
        """The ids of the songs of an album or of an artist's albums, as the server has them."""
        album = (await self.upstream.call("getAlbum", [*proof, ("id", wanted)])).get("album")
        albums = [album] if isinstance(album, dict) else []
        if not albums:
            artist = (await self.upstream.call("getArtist", [*proof, ("id", wanted)])).get("artist")
            of_artist = dicts(artist.get("album")) if isinstance(artist, dict) else []
            ids = [str(one.get("id")) for one in of_artist[:_MOST_ALBUMS]]
            answers = await self._calls("getAlbum", ids, proof)
            albums = [one["album"] for one in answers if isinstance(one.get("album"), dict)]
        found = [text(song.get("id")) for one in albums for song in dicts(one.get("song"))]
        return [remote_id for remote_id in found if remote_id]

    async def _songs(self, remote_ids: list[str], pairs: Pairs) -> dict[str, Tree]:
        """The songs as the server has them for the one who calls; without what it refuses."""
        answers = await self._calls("getSong", remote_ids, proofs(pairs))
        return {
            remote_id: answer["song"]
            for remote_id, answer in zip(remote_ids, answers, strict=True)
            if isinstance(answer.get("song"), dict)
        }

    async def _calls(self, method: str, ids: list[str], proof: Pairs) -> list[Tree]:
        """What a method answers of each id; the first that fails ends the others."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self.upstream.call(method, [*proof, ("id", one)]))
                    for one in ids
                ]
        except* SubsonicError as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]


_Find = Callable[[SimilarityService, RemoteMusic], list[Match]]


def _songs_like(seeds: list[int], count: int) -> _Find:
    def find(service: SimilarityService, music: RemoteMusic) -> list[Match]:
        return [Match(track, 0.0) for track in songs_like(service, seeds, _spare(count))]

    return find


def _sonic_similar_tracks(given: Parameters, count: int) -> _Find:
    wanted = given.required("id")
    return lambda service, music: sonic_matches(service, music.track_id(wanted), _spare(count))


def _sonic_path(given: Parameters, count: int) -> _Find:
    start, end = given.required("startSongId"), given.required("endSongId")
    return lambda service, music: sonic_path(
        service, music.track_id(start), music.track_id(end), count
    )


def _spare(count: int) -> int:
    """How many to ask for, so that the server has `count` of them."""
    return count + count // 2 + 10 if count else 0


def _between(given: Parameters, matches: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """A path that ends with the very ids that were asked with: a track may have several."""
    start, end = given.get("startSongId"), given.get("endSongId")
    (_, first), (_, last) = matches[0], matches[-1]
    path = [(start, first), *matches[1:-1]]
    return path if len(matches) == 1 and start == end else [*path, (end, last)]


_SONIC: dict[str, Callable[[Parameters, int], _Find]] = {
    "getSonicSimilarTracks": _sonic_similar_tracks,
    _PATH: _sonic_path,
}
METHODS = frozenset(("getSimilarSongs", "getSimilarSongs2", *_SONIC))
"""What is answered here."""

_MOST_ALBUMS = 10

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
from recommender.server.settings import MOST_TRACKS
from recommender.server.state import ServerState
from recommender.server.subsonic.answers import Tree
from recommender.server.subsonic.parameters import Parameters
from recommender.server.subsonic.similar import Match, songs_like, sonic_matches, sonic_path


@dataclass(frozen=True)
class SimilarCalls:
    """Answers one kind of calls; `METHODS` names them."""

    state: ServerState
    settings: ProxySettings
    upstream: Upstream

    async def answer(self, method: str, given: Parameters, pairs: Pairs) -> Tree:
        """What a method answers beside its envelope. Raises `SubsonicError`, `RecsysError`."""
        count = given.number("count", 10 if method in _SONIC else 50, 0, MOST_TRACKS)
        if method == "findSonicPath":
            count = given.number("count", 25, 1, MOST_TRACKS)
        if method in _SONIC:
            find = _SONIC[method](given, count)
        else:
            find = _songs_like(await self._seeds(given.required("id"), pairs), count)

        def found(service: SimilarityService) -> list[tuple[str, float]]:
            music = RemoteMusic(self.state, self.settings, service)
            matches = find(service, music)
            known = music.known([match.track for match in matches], max(count, _least(method)))
            return [(remote_id, matches[at].similarity) for at, remote_id in known]

        matches = await self.state.run(found)
        songs = await self._songs([remote_id for remote_id, _ in matches], pairs)
        if method not in _SONIC:
            name = method.removeprefix("get")
            listed = [songs[remote_id] for remote_id, _ in matches if remote_id in songs]
            return {f"{name[0].lower()}{name[1:]}": {"song": listed}}
        return {
            "sonicMatch": [
                {"entry": songs[remote_id], "similarity": round(similarity, 6)}
                for remote_id, similarity in matches
                if remote_id in songs
            ]
        }

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
            answers = await asyncio.gather(
                *(
                    self.upstream.call("getAlbum", [*proof, ("id", str(one.get("id")))])
                    for one in of_artist[:_MOST_ALBUMS]
                )
            )
            albums = [one["album"] for one in answers if isinstance(one.get("album"), dict)]
        found = [text(song.get("id")) for one in albums for song in dicts(one.get("song"))]
        return [remote_id for remote_id in found if remote_id]

    async def _songs(self, remote_ids: list[str], pairs: Pairs) -> dict[str, Tree]:
        """The songs as the server has them for the one who calls; without what it refuses."""
        proof = proofs(pairs)
        answers = await asyncio.gather(
            *(self.upstream.call("getSong", [*proof, ("id", one)]) for one in remote_ids)
        )
        return {
            remote_id: answer["song"]
            for remote_id, answer in zip(remote_ids, answers, strict=True)
            if isinstance(answer.get("song"), dict)
        }


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
    return min(count + count // 2 + 10, 2 * MOST_TRACKS) if count else 0


def _least(method: str) -> int:
    """A path has both of its ends."""
    return 2 if method == "findSonicPath" else 0


_SONIC: dict[str, Callable[[Parameters, int], _Find]] = {
    "getSonicSimilarTracks": _sonic_similar_tracks,
    "findSonicPath": _sonic_path,
}
METHODS = frozenset(("getSimilarSongs", "getSimilarSongs2", *_SONIC))
"""What is answered here."""

_MOST_ALBUMS = 10

"""Methods that list albums and songs by chance, age, year, genre and what the user did."""

import random
from collections.abc import Callable, Sequence

from recommender.catalog.list_records import EventKind
from recommender.recommendation.service import SimilarityService
from recommender.server.music_library import ListedAlbum
from recommender.server.subsonic.answers import ErrorCode, SubsonicError, Tree
from recommender.server.subsonic.calls import Call, Method, Music
from recommender.utils.names import genre_key, name_key

_LONGEST_PAGE = 500


def get_album_list2(call: Call, service: SimilarityService) -> Tree:
    """Albums in one of the orders of the protocol."""
    music, given = Music(call, service), call.parameters
    kind = given.required("type")
    if kind not in _ORDERS:
        raise SubsonicError(ErrorCode.GENERIC, f"There is no list of the type {kind[:40]!r}.")
    albums = _ORDERS[kind](call, music)
    start, count = given.number("offset", 0), given.number("size", 10, most=_LONGEST_PAGE)
    return {"albumList2": {"album": music.albums(albums[start : start + count])}}


def _all(music: Music) -> list[ListedAlbum]:
    return list(music.library.albums.values())


def _random(call: Call, music: Music) -> list[ListedAlbum]:
    return random.sample(_all(music), len(music.library.albums))


def _newest(call: Call, music: Music) -> list[ListedAlbum]:
    return sorted(_all(music), key=lambda album: -max(album.track_ids))


def _by_name(call: Call, music: Music) -> list[ListedAlbum]:
    return _all(music)


def _by_artist(call: Call, music: Music) -> list[ListedAlbum]:
    return sorted(_all(music), key=lambda album: name_key(album.artist))


def _by_year(call: Call, music: Music) -> list[ListedAlbum]:
    first, last = call.parameters.number("fromYear", 0), call.parameters.number("toYear", 9999)
    low, high = min(first, last), max(first, last)
    found = [album for album in _all(music) if album.year and low <= album.year <= high]
    return sorted(found, key=lambda album: album.year or 0, reverse=first > last)


def _by_genre(call: Call, music: Music) -> list[ListedAlbum]:
    wanted = genre_key(call.parameters.required("genre"))
    firsts = music.catalog.present({album.track_ids[0] for album in _all(music)})
    has = {id for id, track in firsts.items() if genre_key(track.tags.genre) == wanted}
    return [album for album in _all(music) if album.track_ids[0] in has]


def _starred(call: Call, music: Music) -> list[ListedAlbum]:
    return [album for album in _all(music) if music.liked.keys() >= {*album.track_ids}]


def _recent(call: Call, music: Music) -> list[ListedAlbum]:
    return _of_tracks(music, reversed_plays(call, music))


def _frequent(call: Call, music: Music) -> list[ListedAlbum]:
    plays: dict[str, int] = {}
    for track_id in reversed_plays(call, music):
        album_id = music.library.album_of.get(track_id)
        if album_id is not None:
            plays[album_id] = plays.get(album_id, 0) + 1
    in_order = sorted(plays, key=lambda album_id: -plays[album_id])
    return [music.library.albums[album_id] for album_id in in_order]


def reversed_plays(call: Call, music: Music) -> list[int]:
    """What the user played, the latest first."""
    events = music.catalog.history(call.user, kinds=(EventKind.PLAY,))
    return [event.track_id for event in reversed(events)]


def _of_tracks(music: Music, track_ids: Sequence[int]) -> list[ListedAlbum]:
    of_track = music.library.album_of
    found = dict.fromkeys(of_track[id] for id in track_ids if id in of_track)
    return [music.library.albums[album_id] for album_id in found]


_ORDERS: dict[str, Callable[[Call, Music], list[ListedAlbum]]] = {
    "random": _random,
    "newest": _newest,
    "alphabeticalByName": _by_name,
    "alphabeticalByArtist": _by_artist,
    "byYear": _by_year,
    "byGenre": _by_genre,
    "starred": _starred,
    "highest": _starred,
    "recent": _recent,
    "frequent": _frequent,
}


def get_random_songs(call: Call, service: SimilarityService) -> Tree:
    """Songs by chance."""
    music = Music(call, service)
    count = call.parameters.number("size", 10, most=_LONGEST_PAGE)
    ids = music.catalog.analysed_ids().tolist()
    drawn = random.sample(ids, min(count, len(ids)))
    return {"randomSongs": {"song": music.songs(music.tracks_by_id(drawn))}}


def get_starred2(call: Call, service: SimilarityService) -> Tree:
    """What the user likes, the latest first; an album whose every song is liked is so, too."""
    music = Music(call, service)
    songs = music.songs(music.tracks_by_id(list(music.liked)[::-1]))
    albums = music.albums(_starred(call, music))
    return {"starred2": {"artist": [], "album": albums, "song": songs}}


METHODS: dict[str, Method] = {
    "getAlbumList2": get_album_list2,
    "getRandomSongs": get_random_songs,
    "getStarred2": get_starred2,
}

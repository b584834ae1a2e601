"""Methods that list albums and songs by chance, age, year, genre and what the user did."""

import random
from collections import Counter
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
    music = Music(call, service)
    return {"albumList2": {"album": music.albums(_listed(call, music))}}


def get_album_list(call: Call, service: SimilarityService) -> Tree:
    """Likewise, for players that browse by folders."""
    music = Music(call, service)
    return {"albumList": {"album": music.folders(_listed(call, music))}}


def _listed(call: Call, music: Music) -> list[ListedAlbum]:
    given = call.parameters
    kind = given.required("type")
    if kind not in _ORDERS:
        raise SubsonicError(ErrorCode.GENERIC, f"There is no list of the type {kind[:40]!r}.")
    albums = _ORDERS[kind](call, music)
    there = {album.id for album in music.folder_albums()} if given.get("musicFolderId") else None
    found = [album for album in albums if there is None or album.id in there]
    start, count = given.number("offset", 0), given.number("size", 10, most=_LONGEST_PAGE)
    return found[start : start + count]


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
    wanted = music.library.genres.get(genre_key(call.parameters.required("genre")))
    return [album for album in _all(music) if wanted and album.id in wanted.album_ids]


def _starred(call: Call, music: Music) -> list[ListedAlbum]:
    return [album for album in _all(music) if music.liked.keys() >= {*album.track_ids}]


def _recent(call: Call, music: Music) -> list[ListedAlbum]:
    return _of_tracks(music, reversed_plays(call, music))


def _frequent(call: Call, music: Music) -> list[ListedAlbum]:
    of_track = music.library.album_of
    plays = Counter(of_track[id] for id in reversed_plays(call, music) if id in of_track)
    return [music.library.albums[album_id] for album_id, _ in plays.most_common()]


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
    """Songs by chance, of a genre or of some years where those are named."""
    music, given = Music(call, service), call.parameters
    ids = music.in_folder(_ids_of_genre(call, music))
    if given.has("fromYear") or given.has("toYear"):
        first, last = given.number("fromYear", 0), given.number("toYear", 9999)
        years = music.library.year_of
        ids = [id for id in ids if first <= years.get(id, -1) <= last]
    count = given.number("size", 10, most=_LONGEST_PAGE)
    drawn = random.sample(ids, min(count, len(ids)))
    return {"randomSongs": {"song": music.songs(music.tracks_by_id(drawn))}}


def get_songs_by_genre(call: Call, service: SimilarityService) -> Tree:
    """The songs of a genre."""
    music, given = Music(call, service), call.parameters
    given.required("genre")
    ids = music.in_folder(_ids_of_genre(call, music))
    start, count = given.number("offset", 0), given.number("count", 10, most=_LONGEST_PAGE)
    return {"songsByGenre": {"song": music.songs(music.tracks_by_id(ids[start : start + count]))}}


def _ids_of_genre(call: Call, music: Music) -> list[int]:
    """The songs of the genre that is named; every song where none is."""
    if not (wanted := call.parameters.get("genre")):
        return music.catalog.analysed_ids().tolist()
    genre = music.library.genres.get(genre_key(wanted))
    return [] if genre is None else genre.track_ids


def get_starred2(call: Call, service: SimilarityService) -> Tree:
    """What the user likes, the latest first; an album whose every song is liked is so, too."""
    music = Music(call, service)
    albums = music.albums(_starred(call, music))
    return {"starred2": {"artist": [], "album": albums, "song": _starred_songs(music)}}


def get_starred(call: Call, service: SimilarityService) -> Tree:
    """Likewise, for players that browse by folders."""
    music = Music(call, service)
    folders = music.folders(_starred(call, music))
    return {"starred": {"artist": [], "album": folders, "song": _starred_songs(music)}}


def _starred_songs(music: Music) -> list[Tree]:
    return music.songs(music.tracks_by_id(music.in_folder(list(music.liked)[::-1])))


def get_top_songs(call: Call, service: SimilarityService) -> Tree:
    """The songs of an artist that the user played most often: nothing tells what others play."""
    music, given = Music(call, service), call.parameters
    if given.has("id"):
        artist = music.library.artists.get(given.get("id"))
    else:
        artist = music.library.artist_named(given.required("artist"))
    of_artist = set() if artist is None else set(music.track_ids_of(artist.id))
    plays = Counter(id for id in reversed_plays(call, music) if id in of_artist)
    count = given.number("count", 50, most=_LONGEST_PAGE)
    most = [id for id, _ in plays.most_common(count)]
    return {"topSongs": {"song": music.songs(music.tracks_by_id(most))}}


METHODS: dict[str, Method] = {
    "getAlbumList": get_album_list,
    "getAlbumList2": get_album_list2,
    "getRandomSongs": get_random_songs,
    "getSongsByGenre": get_songs_by_genre,
    "getStarred": get_starred,
    "getStarred2": get_starred2,
    "getTopSongs": get_top_songs,
}

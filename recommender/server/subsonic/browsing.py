"""Methods that list folders, artists, albums, songs and genres."""

import time
from dataclasses import dataclass
from itertools import groupby

from recommender.catalog.records import Track, TrackState
from recommender.recommendation.service import SimilarityService
from recommender.server.music_library import ListedAlbum, ListedArtist
from recommender.server.subsonic.answers import Tree
from recommender.server.subsonic.calls import Call, Method, Music, not_found
from recommender.utils.names import fold, name_key

_ALL = frozenset({"", '""', "*"})
_LONGEST_PAGE = 10_000
_LONGEST_QUERY = 500


def get_music_folders(call: Call, service: SimilarityService) -> Tree:
    """The libraries."""
    libraries = service.catalog.libraries()
    folders = [{"id": one.id, "name": one.root.name or "music"} for one in libraries]
    return {"musicFolders": {"musicFolder": folders}}


def get_artists(call: Call, service: SimilarityService) -> Tree:
    """Every artist, by initials."""
    music = Music(call, service)
    index = [
        {"name": initial, "artist": music.artists(artists)}
        for initial, artists in _by_initial(music)
    ]
    return {"artists": {"ignoredArticles": "", "index": index}}


def get_indexes(call: Call, service: SimilarityService) -> Tree:
    """Likewise, for players that browse by folders: an artist is a folder of albums."""
    music = Music(call, service)
    seen = call.state.kept("music library seen", music.library.state, time.time)
    modified = round(seen * 1000)
    is_known = modified <= call.parameters.number("ifModifiedSince", -1, least=-1, most=2**62)
    index = [
        {"name": initial, "artist": [{"id": one.id, "name": one.name} for one in artists]}
        for initial, artists in ([] if is_known else _by_initial(music))
    ]
    return {"indexes": {"ignoredArticles": "", "lastModified": modified, "index": index}}


def _by_initial(music: Music) -> list[tuple[str, list[ListedArtist]]]:
    def initial(artist: ListedArtist) -> str:
        first = name_key(artist.name)[:1].upper()
        return first if first.isalpha() else "#"

    in_order = sorted(music.library.artists.values(), key=initial)
    return [(letter, list(artists)) for letter, artists in groupby(in_order, initial)]


def get_artist(call: Call, service: SimilarityService) -> Tree:
    """An artist and its albums."""
    music = Music(call, service)
    artist = music.artist(call.parameters.required("id"))
    albums = music.albums([music.album(one) for one in artist.album_ids])
    return {"artist": {**music.artists([artist])[0], "album": albums}}


def get_album(call: Call, service: SimilarityService) -> Tree:
    """An album and its songs."""
    music = Music(call, service)
    album = music.album(call.parameters.required("id"))
    songs = music.songs(music.tracks_by_id(album.track_ids))
    return {"album": {**music.albums([album])[0], "song": songs}}


def get_song(call: Call, service: SimilarityService) -> Tree:
    """A song."""
    music = Music(call, service)
    return {"song": music.song(music.track(call.parameters.required("id")))}


def get_music_directory(call: Call, service: SimilarityService) -> Tree:
    """The albums of an artist, or the songs of an album, as folders have them."""
    music, wanted = Music(call, service), call.parameters.required("id")
    artist, album = music.library.artists.get(wanted), music.library.albums.get(wanted)
    if artist is not None:
        folders = music.folders([music.album(one) for one in artist.album_ids])
        return {"directory": {"id": artist.id, "name": artist.name, "child": folders}}
    if album is None:
        raise not_found("folder", wanted)
    songs = music.songs(music.tracks_by_id(album.track_ids))
    return {
        "directory": {
            "id": album.id,
            "parent": album.artist_id,
            "name": album.name,
            "child": songs,
        }
    }


def get_genres(call: Call, service: SimilarityService) -> Tree:
    """The genres that songs are tagged with, the most frequent first."""
    genres = Music(call, service).library.genres.values()
    found = [
        {"songCount": len(one.track_ids), "albumCount": len(one.album_ids), "value": one.name}
        for one in genres
    ]
    return {"genres": {"genre": found}}


def search3(call: Call, service: SimilarityService) -> Tree:
    """Artists, albums and songs in whose names every word occurs; all of them for no word."""
    found = _search(call, service)
    music = found.music
    return {
        "searchResult3": {
            "artist": music.artists(found.artists),
            "album": music.albums(found.albums),
            "song": music.songs(found.songs),
        }
    }


def search2(call: Call, service: SimilarityService) -> Tree:
    """Likewise, for players that browse by folders."""
    found = _search(call, service)
    return {
        "searchResult2": {
            "artist": [{"id": one.id, "name": one.name} for one in found.artists],
            "album": found.music.folders(found.albums),
            "song": found.music.songs(found.songs),
        }
    }


@dataclass(frozen=True)
class _Found:
    """A page of what a search finds."""

    music: Music
    artists: list[ListedArtist]
    albums: list[ListedAlbum]
    songs: list[Track]


def _search(call: Call, service: SimilarityService) -> _Found:
    music, query = Music(call, service), call.parameters.get("query").strip()[:_LONGEST_QUERY]
    words = [] if query in _ALL else fold(query.replace("*", " ").replace('"', " ")).split()
    artists = [one for one in music.library.artists.values() if _has(words, one.name)]
    albums = [one for one in music.folder_albums() if _has(words, f"{one.name} {one.artist or ''}")]
    start, end = _page(call, "artist")
    album_start, album_end = _page(call, "album")
    songs = _songs(call, music, words)
    return _Found(music, artists[start:end], albums[album_start:album_end], songs)


def _songs(call: Call, music: Music, words: list[str]) -> list[Track]:
    start, end = _page(call, "song")
    if start == end:
        return []
    if not words:
        ids = music.in_folder(music.catalog.analysed_ids().tolist())
        return music.tracks_by_id(ids[start:end])
    found = music.catalog.search(" ".join(words), end - start, start)
    analysed = [track for track in found if track.state is TrackState.ANALYSED]
    there = set(music.in_folder([track.id for track in analysed]))
    return [track for track in analysed if track.id in there]


def _page(call: Call, what: str) -> tuple[int, int]:
    start = call.parameters.number(f"{what}Offset", 0)
    return start, start + call.parameters.number(f"{what}Count", 20, most=_LONGEST_PAGE)


def _has(words: list[str], name: str) -> bool:
    if not words:
        return True
    folded = fold(name)
    return all(word in folded for word in words)


METHODS: dict[str, Method] = {
    "getMusicFolders": get_music_folders,
    "getArtists": get_artists,
    "getIndexes": get_indexes,
    "getArtist": get_artist,
    "getAlbum": get_album,
    "getSong": get_song,
    "getMusicDirectory": get_music_directory,
    "getGenres": get_genres,
    "search2": search2,
    "search3": search3,
}

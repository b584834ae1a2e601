"""Methods that tell of artists and albums: what sounds like them. Nothing else is known of them."""

from recommender.errors import TrackNotFound, UsageError
from recommender.recommendation.service import SimilarityService
from recommender.server.music_library import ListedArtist
from recommender.server.subsonic.answers import Tree
from recommender.server.subsonic.calls import Call, Method, Music, not_found

_MOST_ARTISTS = 100


def get_artist_info2(call: Call, service: SimilarityService) -> Tree:
    """The artists that sound most like one."""
    music = Music(call, service)
    return {"artistInfo2": {"similarArtist": music.artists(_similar(call, music, service))}}


def get_artist_info(call: Call, service: SimilarityService) -> Tree:
    """Likewise, for players that browse by folders; also of the artist of an album or a song."""
    music = Music(call, service)
    similar = [{"id": one.id, "name": one.name} for one in _similar(call, music, service)]
    return {"artistInfo": {"similarArtist": similar}}


def _similar(call: Call, music: Music, service: SimilarityService) -> list[ListedArtist]:
    artist = _artist_of(music, call.parameters.required("id"))
    count = call.parameters.number("count", 20, most=_MOST_ARTISTS)
    if artist is None or not count:
        return []
    try:
        found = service.similar_artists(artist.name, count)
    except (TrackNotFound, UsageError):  # one of albums alone, or the only one
        return []
    named = [music.library.artist_named(one.artist) for one in found]
    return [one for one in named if one is not None]


def _artist_of(music: Music, item_id: str) -> ListedArtist | None:
    """The artist with an id, or of the album or the song with it. Raises `SubsonicError`."""
    library = music.library
    if item_id in library.artists:
        return library.artists[item_id]
    if item_id in library.albums:
        of_album = library.albums[item_id].artist_id
        return None if of_album is None else library.artists.get(of_album)
    names = music.track(item_id).artists
    return library.artist_named(names[0]) if names else None


def get_album_info(call: Call, service: SimilarityService) -> Tree:
    """Nothing but that there is such an album, or a song of one."""
    music, wanted = Music(call, service), call.parameters.required("id")
    if wanted not in music.library.albums and music.track(wanted).id not in music.library.album_of:
        raise not_found("album", wanted)
    return {"albumInfo": {}}


METHODS: dict[str, Method] = {
    "getArtistInfo": get_artist_info,
    "getArtistInfo2": get_artist_info2,
    "getAlbumInfo": get_album_info,
    "getAlbumInfo2": get_album_info,
}

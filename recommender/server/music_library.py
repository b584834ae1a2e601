"""The catalogue as artists and albums, which have ids of their own: digests of their names."""

import hashlib
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from recommender.catalog import Catalog
from recommender.catalog.listed_tracks import ListedTrack
from recommender.catalog.records import CatalogState
from recommender.utils.artists import names_nobody
from recommender.utils.names import first_genre, label_key, most_frequent, name_key

_REST = 10
"""A library that took so many seconds to read is not read again for ten times as long, while an
ingest changes the catalogue every few seconds."""


@dataclass
class ListedAlbum:
    """An album: tracks of one album title and one album artist.

    Attributes:
        id: stable while neither name changes.
        name, artist: as tagged; the artist is None where there is none.
        track_ids: by disc order, as far as tags tell: number, then title.
        year: the first that is tagged.
        duration: seconds.
    """

    id: str
    name: str
    artist: str | None
    artist_id: str | None
    track_ids: tuple[int, ...] = ()
    year: int | None = None
    duration: float = 0.0


@dataclass
class ListedArtist:
    """An artist whom some track or album names.

    Attributes:
        id: stable while the name's spelling changes in case and accents only.
        name: in its most frequent spelling.
        track_ids: of all that credit the artist, by id.
        album_ids: of the albums whose album artist it is, by year and name.
    """

    id: str
    name: str
    track_ids: list[int] = field(default_factory=list)
    album_ids: list[str] = field(default_factory=list)


@dataclass
class ListedGenre:
    """A genre that tracks are tagged with.

    Attributes:
        name: in its most frequent spelling.
        track_ids: of the tracks whose first genre it is, by id.
        album_ids: of the albums that have one of them.
    """

    name: str
    track_ids: list[int] = field(default_factory=list)
    album_ids: set[str] = field(default_factory=set)


class MusicLibrary:
    """Artists, albums and genres at one state of the catalogue.

    Attributes:
        state: of the catalogue.
        artists: by id, in the order of their names.
        albums: by id, in the order of their names.
        album_of: track id → id of its album, of those that have one.
        genres: by `label_key` of the name, the most frequent first.
        year_of: track id → year, of those that have one.
        root_of: track id → id of its library.
    """

    def __init__(self, state: CatalogState, tracks: Iterable[ListedTrack]) -> None:
        """Group the tracks."""
        self.state = state
        self.album_of: dict[int, str] = {}
        self.year_of: dict[int, int] = {}
        self.root_of: dict[int, int] = {}
        self._spellings: dict[str, dict[str, int]] = {}
        self._artist_tracks: dict[str, list[int]] = {}
        albums: dict[str, list[ListedTrack]] = {}
        genres: dict[str, dict[str, list[int]]] = {}
        for track in tracks:
            self.root_of[track.id] = track.library_id
            if track.year:
                self.year_of[track.id] = track.year
            if genre := first_genre(track.genre):
                spellings = genres.setdefault(label_key(genre), {})
                spellings.setdefault(" ".join(genre.split()), []).append(track.id)
            for artist in track.artists:
                if key := self._credit(artist):
                    self._artist_tracks.setdefault(key, []).append(track.id)
            if track.album:
                album_id = album_id_of(track.album, track.album_artist)
                albums.setdefault(album_id, []).append(track)
                self.album_of[track.id] = album_id
        made = [self._album(album_id, of_album) for album_id, of_album in albums.items()]
        made.sort(key=lambda album: (name_key(album.name), name_key(album.artist), album.id))
        self.albums = {album.id: album for album in made}
        self.artists = self._made_artists()
        self.genres = self._made_genres(genres)

    def artist_named(self, name: str) -> ListedArtist | None:
        """The artist of this name, compared without case and accents."""
        return self.artists.get(artist_id_of(name))

    def _credit(self, artist: str) -> str:
        key = name_key(artist)
        if not key or names_nobody(artist):
            return ""
        spellings = self._spellings.setdefault(key, {})
        spellings[artist] = spellings.get(artist, 0) + 1
        return key

    def _album(self, album_id: str, tracks: Sequence[ListedTrack]) -> ListedAlbum:
        ordered = sorted(tracks, key=_album_order)
        first = ordered[0]
        artist = first.album_artist
        key = self._credit(artist) if artist else ""
        return ListedAlbum(
            album_id,
            first.album or "",
            artist,
            artist_id_of(artist) if artist and key else None,
            tuple(track.id for track in ordered),
            next((track.year for track in ordered if track.year), None),
            sum(track.duration for track in ordered),
        )

    def _made_artists(self) -> dict[str, ListedArtist]:
        of_artist: dict[str, list[str]] = {}
        in_order = sorted(self.albums.values(), key=lambda album: album.year or 0)
        for album in in_order:
            if album.artist_id is not None:
                of_artist.setdefault(album.artist_id, []).append(album.id)
        found = []
        for key, spellings in self._spellings.items():
            artist_id = artist_id_of(key)
            tracks = self._artist_tracks.get(key, [])
            name = most_frequent(spellings)
            found.append(ListedArtist(artist_id, name, tracks, of_artist.get(artist_id, [])))
        found.sort(key=lambda artist: (name_key(artist.name), artist.id))
        return {artist.id: artist for artist in found}

    def _made_genres(self, genres: dict[str, dict[str, list[int]]]) -> dict[str, ListedGenre]:
        found = {}
        for key, spellings in genres.items():
            name = most_frequent({name: len(ids) for name, ids in spellings.items()})
            ids = sorted(id for of_spelling in spellings.values() for id in of_spelling)
            albums = {self.album_of[id] for id in ids if id in self.album_of}
            found[key] = ListedGenre(name, ids, albums)
        in_order = sorted(found, key=lambda key: (-len(found[key].track_ids), key))
        return {key: found[key] for key in in_order if key}


class MusicLibraryCache:
    """Keeps the library of one state of the catalogue. Thread-safe."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._library: MusicLibrary | None = None
        self._rest_until = 0.0
        self._reading = threading.Lock()

    def of(self, catalog: Catalog) -> MusicLibrary:
        """The library as the catalogue is now, or was shortly before."""
        with self._reading:
            library, state = self._library, catalog.state()
            if library is not None and library.state == state:
                return library
            is_other = library is None or library.state.catalog != state.catalog
            if library is not None and not is_other and time.monotonic() < self._rest_until:
                return library
            started = time.monotonic()
            library = MusicLibrary(state, catalog.listed_tracks())
            ended = time.monotonic()
            self._library = library
            self._rest_until = ended + _REST * (ended - started)
            return library


def artist_id_of(name: str) -> str:
    """The id of an artist of this name."""
    return _digest("artist", name_key(name))


def album_id_of(name: str, artist: str | None) -> str:
    """The id of an album of this name and album artist."""
    return _digest("album", name_key(name), name_key(artist))


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=10).hexdigest()


def _album_order(track: ListedTrack) -> tuple[str, int, int, str, int]:
    folder = track.path.rpartition("/")[0]
    number = track.segment or track.track_number or 0
    return folder, number, track.segment, name_key(track.title), track.id

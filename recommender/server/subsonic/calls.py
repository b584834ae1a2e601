"""What the methods share: who calls what, and the songs, albums and artists of an answer."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from recommender.catalog.list_records import EventKind
from recommender.catalog.records import Track
from recommender.recommendation.service import SimilarityService
from recommender.server.music_library import (
    ListedAlbum,
    ListedArtist,
    MusicLibrary,
    artist_id_of,
)
from recommender.server.state import ServerState
from recommender.server.streaming import file_name_of, media_type_of
from recommender.server.subsonic.answers import ErrorCode, SubsonicError, Tree
from recommender.server.subsonic.parameters import Parameters

_LONGEST_DIGITS = 10


@dataclass(frozen=True)
class Call:
    """One call of a method.

    Attributes:
        user: who calls; empty for the only one.
    """

    request: Request
    parameters: Parameters
    user: str
    state: ServerState


Method = Callable[[Call, SimilarityService], Tree]
"""What a method answers beside the envelope; runs in a thread."""

FileMethod = Callable[[Call], Coroutine[Any, Any, Response]]
"""A method that answers with the content of a file."""


class Music:
    """Songs, albums and artists as one user sees them; for one call, in a thread."""

    def __init__(self, call: Call, service: SimilarityService) -> None:
        """Of the catalogue that is served."""
        self.catalog = service.catalog
        self._call = call

    @cached_property
    def library(self) -> MusicLibrary:
        """Artists and albums."""
        return self._call.state.music_library(self.catalog)

    @cached_property
    def liked(self) -> Mapping[int, datetime]:
        """Track → since when the user likes it, the latest last."""
        found: dict[int, datetime] = {}
        kinds = (EventKind.LIKE, EventKind.UNLIKE)
        for event in self.catalog.history(self._call.user, kinds=kinds):
            found.pop(event.track_id, None)
            if event.kind is EventKind.LIKE:
                found[event.track_id] = event.at
        return found

    def track(self, song_id: str) -> Track:
        """The track with the id of a song. Raises `SubsonicError`."""
        found = self.tracks([song_id])
        return found[0]

    def tracks(self, song_ids: Sequence[str]) -> list[Track]:
        """The tracks with these ids, in their order. Raises `SubsonicError` for another."""
        ids = [_number(one) for one in song_ids]
        there = self.catalog.present({one for one in ids if one is not None})
        for given, id in zip(song_ids, ids, strict=True):
            if id not in there:
                raise not_found("song", given)
        return [there[id] for id in ids if id is not None]

    def tracks_by_id(self, ids: Sequence[int]) -> list[Track]:
        """Those of the tracks that can be played, in their order."""
        there = self.catalog.present(set(ids))
        return [there[id] for id in ids if id in there]

    def album(self, album_id: str) -> ListedAlbum:
        """The album with an id. Raises `SubsonicError`."""
        found = self.library.albums.get(album_id)
        if found is None:
            raise not_found("album", album_id)
        return found

    def artist(self, artist_id: str) -> ListedArtist:
        """The artist with an id. Raises `SubsonicError`."""
        found = self.library.artists.get(artist_id)
        if found is None:
            raise not_found("artist", artist_id)
        return found

    def track_ids_of(self, item_id: str) -> list[int]:
        """The tracks of a song, an album or an artist. Raises `SubsonicError`."""
        album, artist = self.library.albums.get(item_id), self.library.artists.get(item_id)
        if album is not None:
            return list(album.track_ids)
        if artist is not None:
            of_albums = [id for one in artist.album_ids for id in self.album(one).track_ids]
            return artist.track_ids or of_albums
        return [self.track(item_id).id]

    def songs(self, tracks: Sequence[Track]) -> list[Tree]:
        """As the protocol's ``Child``."""
        return [self.song(track) for track in tracks]

    def song(self, track: Track) -> Tree:
        """A track as a ``Child``; its path only where the server may show it."""
        tags = track.tags
        album_id = self.library.album_of.get(track.id)
        artists = self._artists(track.artists)
        is_whole = not track.segment
        rate = round(track.size * 8 / track.duration / 1000) if track.duration else None
        shows = self._call.state.settings.show_paths
        name = file_name_of(track)
        return {
            "id": str(track.id),
            "parent": album_id,
            "isDir": False,
            "title": track.title,
            "album": tags.album,
            "artist": track.artist,
            "track": tags.track_number or track.segment or None,
            "year": tags.year,
            "genre": tags.genre,
            "genres": [{"name": tags.genre}] if tags.genre else [],
            "coverArt": str(track.id),
            "size": track.size if is_whole else None,
            "contentType": media_type_of(name),
            "suffix": Path(name).suffix.lower().removeprefix(".") or None,
            "duration": round(track.duration),
            "bitRate": rate if is_whole else None,
            "path": track.path if shows else None,
            "isVideo": False,
            "created": time_text(track.analysed_at),
            "starred": time_text(self.liked.get(track.id)),
            "albumId": album_id,
            "artistId": artists[0]["id"] if artists else None,
            "artists": artists,
            "displayArtist": track.artist,
            "albumArtists": self._artists(tags.album_artists),
            "displayAlbumArtist": tags.album_artist,
            "type": "music",
            "mediaType": "song",
            "musicBrainzId": tags.recording_mbid,
        }

    def folder_albums(self) -> list[ListedAlbum]:
        """The albums in the folder that the call names; all of them where it names none."""
        albums = list(self.library.albums.values())
        return [one for one in albums if self._in_folder(one.track_ids[0])]

    def in_folder(self, track_ids: Sequence[int]) -> list[int]:
        """Those of the tracks in the folder that the call names, likewise."""
        return [id for id in track_ids if self._in_folder(id)]

    def _in_folder(self, track_id: int) -> bool:
        wanted = self._call.parameters.get("musicFolderId")
        return not wanted or str(self.library.root_of.get(track_id)) == wanted

    def folders(self, albums: Sequence[ListedAlbum]) -> list[Tree]:
        """As a ``Child`` that is a folder, for players that browse by folders."""
        kept = ("id", "artist", "artistId", "coverArt", "created", "starred", "year", "genre")
        return [
            {
                **{name: album[name] for name in kept},
                "title": album["name"],
                "album": album["name"],
                "isDir": True,
                "parent": album["artistId"],
            }
            for album in self.albums(albums)
        ]

    def albums(self, albums: Sequence[ListedAlbum]) -> list[Tree]:
        """As the protocol's ``AlbumID3``."""
        firsts = self.catalog.present({album.track_ids[0] for album in albums})
        return [self._album(album, firsts.get(album.track_ids[0])) for album in albums]

    def artists(self, artists: Sequence[ListedArtist]) -> list[Tree]:
        """As the protocol's ``ArtistID3``."""
        return [
            {"id": one.id, "name": one.name, "coverArt": one.id, "albumCount": len(one.album_ids)}
            for one in artists
        ]

    def _album(self, album: ListedAlbum, first: Track | None) -> Tree:
        liked = [self.liked.get(id) for id in album.track_ids]
        since = [at for at in liked if at is not None]
        genre = None if first is None else first.tags.genre
        return {
            "id": album.id,
            "name": album.name,
            "artist": album.artist,
            "artistId": album.artist_id,
            "displayArtist": album.artist,
            "coverArt": album.id,
            "songCount": len(album.track_ids),
            "duration": round(album.duration),
            "created": time_text(None if first is None else first.analysed_at)
            or time_text(datetime.fromtimestamp(0, UTC)),
            "starred": time_text(max(since)) if len(since) == len(liked) and since else None,
            "year": album.year,
            "genre": genre,
        }

    def _artists(self, names: Sequence[str]) -> list[Tree]:
        found = [self.library.artists.get(artist_id_of(name)) for name in names]
        return [{"id": one.id, "name": one.name} for one in found if one is not None]


def not_found(what: str, given: str) -> SubsonicError:
    """The error where nothing has an id."""
    return SubsonicError(ErrorCode.NOT_FOUND, f"There is no {what} with the id {given[:80]!r}.")


def time_text(at: datetime | None) -> str | None:
    """A time as the protocol has it: ISO 8601, UTC."""
    if at is None:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST_DIGITS
    return int(text) if is_number else None

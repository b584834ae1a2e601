"""What a browser of artists and albums needs of every track.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from recommender.catalog.records import TrackState
from recommender.catalog.schema import TrackRow, table
from recommender.utils.artists import credited_by_tags

_TRACKS = table(TrackRow)
_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class ListedTrack:
    """An analysed track as a browser lists it.

    Attributes:
        library_id, path: where its file is.
        artists: those that are credited.
        album_artist: as tagged, or else the artist.
        genre: as tagged.
    """

    id: int
    library_id: int
    path: str
    segment: int
    title: str | None
    artists: tuple[str, ...]
    album: str | None
    album_artist: str | None
    track_number: int | None
    year: int | None
    duration: float
    genre: str | None = None


def page_after(connection: Connection, last: int) -> Sequence[ListedTrack]:
    """Some tracks whose ids are above `last`, by id; none behind the last one."""
    columns = _TRACKS.c
    rows = connection.execute(
        select(
            columns.id,
            columns.library_id,
            columns.path,
            columns.segment,
            columns.title,
            columns.album,
            columns.artist,
            columns.album_artist,
            columns.artists,
            columns.album_artists,
            columns.track_number,
            columns.year,
            columns.duration,
            columns.genre,
        )
        .where(columns.id > last, columns.state == TrackState.ANALYSED)
        .order_by(columns.id)
        .limit(_PAGE)
    )
    return [
        ListedTrack(
            id, library, path, segment, title,
            credited_by_tags(artists, artist, of_album, by),
            album, by or artist, number, year, duration, genre,
        )
        for id, library, path, segment, title, album, artist, by, artists, of_album, number, year,
        duration, genre in rows
    ]  # fmt: skip

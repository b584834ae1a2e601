"""What playlists, histories and players name tracks by: paths, and names in tags.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from recommender.catalog.libraries import all_libraries
from recommender.catalog.records import TrackState
from recommender.catalog.schema import TrackRow, table
from recommender.utils.artists import credited_by_tags

_TRACKS = table(TrackRow)
_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class TrackNames:
    """What a track is named by elsewhere.

    Attributes:
        file: absolute path, with forward slashes.
        segment, start: as of `Track`.
        title, album: as tagged.
        artists: those that the tags name.
    """

    id: int
    file: str
    segment: int
    start: float | None
    state: TrackState
    duration: float
    content_hash: str
    title: str | None
    album: str | None
    artists: tuple[str, ...]
    recording_mbid: str | None
    isrcs: tuple[str, ...]


def page_after(connection: Connection, last: int) -> Sequence[TrackNames]:
    """Some tracks, in any state, whose ids are above `last`, by id; none behind the last one."""
    libraries = all_libraries(connection)
    roots = {library.id: library.root.as_posix().rstrip("/") for library in libraries}
    columns = _TRACKS.c
    rows = connection.execute(
        select(
            columns.id,
            columns.library_id,
            columns.path,
            columns.segment,
            columns.segment_start,
            columns.state,
            columns.duration,
            columns.content_hash,
            columns.title,
            columns.album,
            columns.recording_mbid,
            columns.isrcs,
            columns.artist,
            columns.album_artist,
            columns.artists,
            columns.album_artists,
        )
        .where(columns.id > last)
        .order_by(columns.id)
        .limit(_PAGE)
    )
    return [
        TrackNames(
            id, f"{roots[library]}/{path}", segment, start, state, duration, content, title, album,
            credited_by_tags(artists, artist, of_album, by), mbid, isrcs,
        )
        for id, library, path, segment, start, state, duration, content, title, album, mbid,
        isrcs, artist, by, artists, of_album in rows
    ]  # fmt: skip

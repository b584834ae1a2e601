"""Queries on tracks, and the records made of their rows.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, and_, case, or_, select
from sqlalchemy.orm import aliased

from recommender.audio.tags import Tags
from recommender.catalog.chunks import CHUNK, chunks
from recommender.catalog.libraries import TAG_FIELDS, all_libraries, relative_paths
from recommender.catalog.records import Library, Track, TrackState
from recommender.catalog.schema import AnalysisRow, CatalogRow, CueSheetRow, TrackRow
from recommender.errors import TrackNotFound
from recommender.utils.arrays import IntArray
from recommender.utils.names import fold

LARGEST_ID = 2**31 - 1
"""Ids are 32-bit integers in some databases; asking them for a larger one is an error."""


TRACK_COLUMNS = (
    TrackRow.id,
    TrackRow.library_id,
    TrackRow.path,
    TrackRow.size,
    TrackRow.mtime_ns,
    TrackRow.content_hash,
    TrackRow.duration,
    TrackRow.state,
    TrackRow.damage,
    TrackRow.segment,
    TrackRow.segment_start,
    TrackRow.segment_end,
    *(getattr(TrackRow, name) for name in TAG_FIELDS),
    AnalysisRow.genre_probabilities,
    AnalysisRow.windows,
    AnalysisRow.analysed_at,
    AnalysisRow.analysed_by,
)
"""What a `Track` is made of, by `track_of`."""


@cache
def track_query() -> Select[Any]:
    """The columns of a `Track`, with its analysis in the active space, or else the newest."""
    other = aliased(AnalysisRow)
    active = select(CatalogRow.active_space_id).scalar_subquery()
    to_show = (
        select(other.space_id)
        .where(other.track_id == TrackRow.id)
        .order_by(
            case((other.space_id == active, 0), else_=1),
            other.analysed_at.desc(),
            other.space_id.desc(),
        )
        .limit(1)
        .correlate(TrackRow)
        .scalar_subquery()
    )
    shown = and_(AnalysisRow.track_id == TrackRow.id, AnalysisRow.space_id == to_show)
    return select(*TRACK_COLUMNS).outerjoin(AnalysisRow, shown)


def tracks_of(connection: Connection, query: Select[Any]) -> list[Track]:
    """The tracks that a `track_query` selects, in its order."""
    libraries = {library.id: library for library in all_libraries(connection)}
    rows: Iterable[Sequence[Any]] = connection.execute(query)
    return [track_of(row, libraries) for row in rows]


def track_of(row: Sequence[Any], libraries: Mapping[int, Library]) -> Track:
    """The track of a row of `TRACK_COLUMNS`."""
    id, library_id, path, size, mtime_ns, content_hash, duration, state, damage, *rest = row
    segment, start, end, *rest = rest
    *tags, probabilities, windows, analysed_at, analysed_by = rest
    return Track(
        id=id,
        library=libraries[library_id],
        path=path,
        size=size,
        mtime_ns=mtime_ns,
        content_hash=content_hash,
        duration=duration,
        tags=Tags(*tags),
        state=state,
        genre_probabilities=probabilities or {},
        windows=tuple(map(tuple, windows or ())),
        analysed_at=analysed_at,
        analysed_by=analysed_by,
        damage=damage,
        segment=segment,
        start=start,
        end=end,
    )


def tracks_by_id(connection: Connection, ids: Sequence[int]) -> list[Track]:
    """One track for each id, in the same order. Raises `TrackNotFound`."""
    wanted = {id for id in ids if 0 < id <= LARGEST_ID}
    found: dict[int, Track] = {}
    for chunk in chunks(wanted):
        query = track_query().where(TrackRow.id.in_(chunk))
        found.update((track.id, track) for track in tracks_of(connection, query))
    for id in ids:
        if id not in found:
            raise no_such_track(id)
    return [found[id] for id in ids]


def present(connection: Connection, ids: Collection[int]) -> dict[int, Track]:
    """See `Catalog.present`."""
    found: dict[int, Track] = {}
    for chunk in chunks({id for id in ids if 0 < id <= LARGEST_ID}):
        query = track_query().where(TrackRow.id.in_(chunk), TrackRow.state == TrackState.ANALYSED)
        found.update((track.id, track) for track in tracks_of(connection, query))
    return found


def analysed_ids(connection: Connection) -> IntArray:
    """See `Catalog.analysed_ids`."""
    query = select(TrackRow.id).where(TrackRow.state == TrackState.ANALYSED).order_by(TrackRow.id)
    return np.array(connection.scalars(query).all(), dtype=np.int64)


def no_such_track(track_id: int) -> TrackNotFound:
    """The error for an id that no track has."""
    return TrackNotFound(f"no track has the id {track_id}; 'recsys list' shows those there are.")


def tracks_at(connection: Connection, path: Path) -> list[Track]:
    """See `Catalog.tracks_at`."""
    for library, relative in relative_paths(path, all_libraries(connection)):
        at_path = and_(TrackRow.library_id == library.id, TrackRow.path == relative)
        query = track_query().where(at_path).order_by(TrackRow.segment)
        if tracks := tracks_of(connection, query):
            return tracks
    return []


def tracks_of_sheet(connection: Connection, sheet: Path) -> list[Track]:
    """See `Catalog.tracks_of_sheet`."""
    for library, relative in relative_paths(sheet, all_libraries(connection)):
        of_sheet = and_(CueSheetRow.library_id == library.id, CueSheetRow.path == relative)
        files = select(CueSheetRow.file).where(of_sheet)
        query = track_query().where(TrackRow.library_id == library.id, TrackRow.path.in_(files))
        if tracks := tracks_of(connection, query.order_by(TrackRow.path, TrackRow.segment)):
            return tracks
    return []


def tracks_after(
    connection: Connection, last: int, state: TrackState | None, limit: int = CHUNK
) -> list[Track]:
    """At most `limit` tracks in `state` (None: in any) whose ids are above `last`, by id."""
    query = track_query().where(TrackRow.id > last).order_by(TrackRow.id).limit(limit)
    if state is not None:
        query = query.where(TrackRow.state == state)
    return tracks_of(connection, query)


def copies_of(connection: Connection, track: Track) -> list[Track]:
    """See `Catalog.copies_of`."""
    same_file = and_(
        TrackRow.segment == track.segment,
        TrackRow.size == track.size,
        TrackRow.mtime_ns == track.mtime_ns,
        TrackRow.duration == track.duration,
    )
    same = or_(TrackRow.content_hash == track.content_hash, same_file)
    query = track_query().where(same, TrackRow.id != track.id).order_by(TrackRow.id)
    return tracks_of(connection, query)


def search(connection: Connection, words: str, limit: int | None, offset: int = 0) -> list[Track]:
    """See `Catalog.search`."""
    query = track_query().limit(limit).offset(offset)
    query = query.order_by(TrackRow.library_id, TrackRow.path, TrackRow.segment)
    for word in fold(words).split():
        query = query.where(TrackRow.search_text.contains(word, autoescape=True))
    return tracks_of(connection, query)


def file_hash_of(connection: Connection, track_id: int) -> str | None:
    """See `Catalog.file_hash_of`."""
    row = connection.execute(select(TrackRow.file_hash).where(TrackRow.id == track_id)).first()
    if row is None:
        raise no_such_track(track_id)
    file_hash: str | None = row.file_hash
    return file_hash

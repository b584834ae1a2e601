"""Queries on the catalogue and the records made of their rows.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    Connection,
    LargeBinary,
    Row,
    Select,
    Text,
    and_,
    case,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import aliased

from recommender.audio.tags import Tags
from recommender.catalog.column_types import VECTOR_DTYPE, encode_path
from recommender.catalog.libraries import TAG_FIELDS, all_libraries
from recommender.catalog.records import (
    Counts,
    Failure,
    FileStat,
    KnownFile,
    Library,
    Track,
    TrackFacts,
    TrackState,
)
from recommender.catalog.schema import (
    AnalysisRow,
    CatalogRow,
    FailureRow,
    LibraryRow,
    SpaceRow,
    TrackRow,
)
from recommender.embedding.space import Analysis, SpaceId
from recommender.errors import CatalogError, TrackNotFound
from recommender.utils.arrays import FloatArray
from recommender.utils.names import fold

CHUNK = 500
"""Rows or ids in one statement; databases limit the number of parameters."""

_LARGEST_ID = 2**31 - 1


def chunks(ids: Collection[int]) -> Iterator[list[int]]:
    """`ids` in lists short enough for one statement each."""
    rest = iter(ids)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def space_row(space: SpaceId) -> Any:
    """The condition that names the unprojected space of `space`."""
    return and_(
        SpaceRow.model == space.model,
        SpaceRow.weights == space.weights,
        SpaceRow.analysis == space.analysis,
    )


def track_query() -> Select[Any]:
    """All that a `Track` shows, with its analysis in the active space, or else the newest."""
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
    return select(
        TrackRow.id,
        TrackRow.library_id,
        TrackRow.path,
        TrackRow.size,
        TrackRow.mtime_ns,
        TrackRow.content_hash,
        TrackRow.duration,
        TrackRow.state,
        *(getattr(TrackRow, name) for name in TAG_FIELDS),
        AnalysisRow.genre_probabilities,
        AnalysisRow.windows,
        AnalysisRow.analysed_at,
        AnalysisRow.analysed_by,
    ).outerjoin(
        AnalysisRow, and_(AnalysisRow.track_id == TrackRow.id, AnalysisRow.space_id == to_show)
    )


def tracks_of(connection: Connection, query: Select[Any]) -> list[Track]:
    """The tracks that a `track_query` finds, in its order."""
    libraries = {library.id: library for library in all_libraries(connection)}
    return [_track(row, libraries) for row in connection.execute(query)]


def _track(row: Row[Any], libraries: Mapping[int, Library]) -> Track:
    values: Sequence[Any] = row
    id, library_id, path, size, mtime_ns, content_hash, duration, state, *rest = values
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
        windows=tuple((start, length) for start, length in windows or ()),
        analysed_at=analysed_at,
        analysed_by=analysed_by,
    )


def tracks_by_id(connection: Connection, ids: Sequence[int]) -> list[Track]:
    """One track for each id, in the same order. Raises `TrackNotFound`."""
    wanted = {id for id in ids if 0 < id <= _LARGEST_ID}
    found: dict[int, Track] = {}
    for chunk in chunks(wanted):
        query = track_query().where(TrackRow.id.in_(chunk))
        found.update((track.id, track) for track in tracks_of(connection, query))
    for id in ids:
        if id not in found:
            raise no_such_track(id)
    return [found[id] for id in ids]


def facts(
    connection: Connection, ids: Collection[int], with_probabilities: bool
) -> dict[int, TrackFacts]:
    """See `Catalog.facts`."""
    artist = func.coalesce(func.nullif(TrackRow.artist, ""), TrackRow.album_artist)
    query = select(TrackRow.id, TrackRow.state, TrackRow.duration, artist, TrackRow.genre)
    if with_probabilities:
        active = select(CatalogRow.active_space_id).scalar_subquery()
        query = query.add_columns(AnalysisRow.genre_probabilities).outerjoin(
            AnalysisRow, and_(AnalysisRow.track_id == TrackRow.id, AnalysisRow.space_id == active)
        )
    found: dict[int, TrackFacts] = {}
    for chunk in chunks(ids):
        for id, state, duration, name, genre, *analysed in connection.execute(
            query.where(TrackRow.id.in_(chunk))
        ):
            probabilities = (analysed[0] or {}) if analysed else {}
            found[id] = TrackFacts(id, state, duration, name, genre, probabilities)
    return found


def no_such_track(track_id: int) -> TrackNotFound:
    """The error for an id that no track has."""
    return TrackNotFound(f"no track has the id {track_id}; 'recsys list' shows those there are.")


def search_query(words: str, limit: int | None) -> Select[Any]:
    """Tracks in whose title, artists, album or path every one of `words` occurs, by path."""
    query = track_query().order_by(TrackRow.library_id, TrackRow.path).limit(limit)
    for word in fold(words).split():
        query = query.where(TrackRow.search_text.contains(word, autoescape=True))
    return query


def known_files(
    connection: Connection, library: Library, space: SpaceId, under: str
) -> dict[str, KnownFile]:
    """See `Catalog.known_files`."""
    analysed = (
        select(AnalysisRow.track_id)
        .join(SpaceRow, SpaceRow.id == AnalysisRow.space_id)
        .where(AnalysisRow.track_id == TrackRow.id, space_row(space))
        .exists()
    )
    query = select(
        TrackRow.path,
        TrackRow.size,
        TrackRow.mtime_ns,
        TrackRow.id,
        TrackRow.state,
        TrackRow.content_hash,
        analysed,
    ).where(TrackRow.library_id == library.id, _lies_under(TrackRow.path, under))
    known = {
        path: KnownFile(
            FileStat(path, size, mtime_ns), id, state, content_hash, bool(has_analysis), None
        )
        for path, size, mtime_ns, id, state, content_hash, has_analysis in connection.execute(query)
    }
    failures = select(FailureRow.path, FailureRow.size, FailureRow.mtime_ns, FailureRow.kind).where(
        FailureRow.library_id == library.id, _lies_under(FailureRow.path, under)
    )
    for path, size, mtime_ns, kind in connection.execute(failures):
        stat = FileStat(path, size, mtime_ns)
        track = known.get(path)
        known[path] = (
            KnownFile(stat, None, None, None, False, kind)
            if track is None
            else KnownFile(
                stat, track.track_id, track.state, track.content_hash, track.analysed_in_space, kind
            )
        )
    return known


def _lies_under(path: Any, folder: str) -> Any:
    if not folder:
        return path == path
    # Not LIKE, which takes upper for lower case on SQLite.
    code = encode_path(folder) + "/"
    begins = func.substr(type_coerce(path, Text), 1, len(code)) == code
    return or_(path == folder, begins)


def lost_by_content_hash(connection: Connection, vanished: Collection[int]) -> dict[str, int]:
    """See `Catalog.lost_by_content_hash`."""
    missing = connection.execute(
        select(TrackRow.id, TrackRow.content_hash).where(TrackRow.state == TrackState.MISSING)
    )
    lost = {content_hash: id for id, content_hash in sorted(missing, reverse=True)}
    found: dict[int, str] = {}
    for chunk in chunks(vanished):
        rows = connection.execute(
            select(TrackRow.id, TrackRow.content_hash).where(TrackRow.id.in_(chunk))
        )
        found.update((id, content_hash) for id, content_hash in rows)
    lost.update((found[id], id) for id in sorted(found, reverse=True))
    return lost


def activations(connection: Connection, space: SpaceId) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """See `Catalog.activations`."""
    row = connection.execute(
        select(SpaceRow.id, SpaceRow.dimension).where(space_row(space))
    ).first()
    if row is None or row.dimension is None:
        return np.empty(0, np.int64), np.empty((0, 0), np.float32)
    query = (
        select(TrackRow.id, type_coerce(AnalysisRow.activations, LargeBinary))
        .join(AnalysisRow, AnalysisRow.track_id == TrackRow.id)
        .where(AnalysisRow.space_id == row.id, TrackRow.state == TrackState.ANALYSED)
        .order_by(TrackRow.id)
    )
    ids: list[int] = []
    blob = bytearray()  # grows in place: the matrix is never there twice
    for id, vector in connection.execute(query.execution_options(yield_per=CHUNK)):
        if len(vector) != row.dimension * VECTOR_DTYPE.itemsize:
            raise CatalogError(
                f"the vector of track {id} has {len(vector)} bytes, not {row.dimension} numbers: "
                "the database is damaged. Restore a copy, or move it away and ingest again."
            )
        ids.append(id)
        blob += vector
    matrix = np.frombuffer(blob, dtype=VECTOR_DTYPE).astype(np.float32, copy=False)
    return np.asarray(ids, dtype=np.int64), matrix.reshape(-1, row.dimension)


def analysis_of(connection: Connection, track_id: int, space: SpaceId) -> Analysis | None:
    """See `Catalog.analysis_of`."""
    row = connection.execute(
        select(
            AnalysisRow.activations,
            AnalysisRow.genre_probabilities,
            AnalysisRow.windows,
            TrackRow.duration,
        )
        .join(TrackRow, TrackRow.id == AnalysisRow.track_id)
        .join(SpaceRow, SpaceRow.id == AnalysisRow.space_id)
        .where(AnalysisRow.track_id == track_id, space_row(space))
    ).first()
    if row is None:
        return None
    windows = tuple((start, length) for start, length in row.windows)
    return Analysis(
        row.activations, row.genre_probabilities, row.duration, windows, space.unprojected
    )


def spaces(connection: Connection) -> list[tuple[SpaceId, int]]:
    """See `Catalog.spaces`."""
    analysed = and_(TrackRow.id == AnalysisRow.track_id, TrackRow.state == TrackState.ANALYSED)
    rows = connection.execute(
        select(SpaceRow.model, SpaceRow.weights, SpaceRow.analysis, func.count(TrackRow.id))
        .outerjoin(AnalysisRow, AnalysisRow.space_id == SpaceRow.id)
        .outerjoin(TrackRow, analysed)
        .group_by(SpaceRow.id, SpaceRow.model, SpaceRow.weights, SpaceRow.analysis)
        .order_by(SpaceRow.id)
    )
    return [(SpaceId(model, weights, analysis), n) for model, weights, analysis, n in rows]


def failures(connection: Connection) -> list[Failure]:
    """Every failure, by library and path."""
    libraries = {library.id: library for library in all_libraries(connection)}
    rows = connection.execute(
        select(
            FailureRow.library_id,
            FailureRow.path,
            FailureRow.size,
            FailureRow.mtime_ns,
            FailureRow.kind,
            FailureRow.reason,
            FailureRow.failed_at,
        ).order_by(FailureRow.library_id, FailureRow.path)
    )
    return [
        Failure(
            library=libraries[row.library_id],
            path=row.path,
            size=row.size,
            mtime_ns=row.mtime_ns,
            kind=row.kind,
            reason=row.reason,
            failed_at=row.failed_at,
        )
        for row in rows
    ]


def counts(connection: Connection) -> Counts:
    """The catalogue in numbers."""
    rows = connection.execute(
        select(TrackRow.state, func.count(), func.sum(TrackRow.duration)).group_by(TrackRow.state)
    )
    tracks = {state: (number, seconds) for state, number, seconds in rows}
    analysed, seconds = tracks.get(TrackState.ANALYSED, (0, 0.0))
    return Counts(
        libraries=connection.scalar(select(func.count()).select_from(LibraryRow)) or 0,
        analysed=analysed,
        missing=tracks.get(TrackState.MISSING, (0, 0.0))[0],
        failed_tracks=tracks.get(TrackState.FAILED, (0, 0.0))[0],
        failures=connection.scalar(select(func.count()).select_from(FailureRow)) or 0,
        seconds_of_music=float(seconds),
    )

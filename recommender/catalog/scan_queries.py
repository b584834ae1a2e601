"""What a scan of a folder needs to know: which files the catalogue has, and of what content.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Text, func, or_, select, type_coerce

from recommender.catalog.chunks import chunks
from recommender.catalog.column_types import encode_path
from recommender.catalog.records import FileStat, KnownFile, Library
from recommender.catalog.schema import AnalysisRow, FailureRow, SpaceRow, TrackRow
from recommender.catalog.spaces import space_row
from recommender.embedding.space import SpaceId


def known_files(
    connection: Connection, library: Library, space: SpaceId, under: str
) -> dict[str, KnownFile]:
    """See `Catalog.known_files`."""
    known = {track.stat.path: track for track in _known_tracks(connection, library, space, under)}
    failures = select(FailureRow.path, FailureRow.size, FailureRow.mtime_ns, FailureRow.kind).where(
        FailureRow.library_id == library.id, _lies_under(FailureRow.path, under)
    )
    for path, size, mtime_ns, kind in connection.execute(failures):
        track = known.get(path, KnownFile(FileStat(path, 0, 0), None, None, None, False, None))
        known[path] = replace(track, stat=FileStat(path, size, mtime_ns), failure_kind=kind)
    return known


def _known_tracks(
    connection: Connection, library: Library, space: SpaceId, under: str
) -> Iterator[KnownFile]:
    analysed = (
        select(AnalysisRow.track_id)
        .join(SpaceRow, SpaceRow.id == AnalysisRow.space_id)
        .where(AnalysisRow.track_id == TrackRow.id, space_row(space))
        .exists()
    )
    rows = connection.execute(
        select(
            TrackRow.path,
            TrackRow.size,
            TrackRow.mtime_ns,
            TrackRow.id,
            TrackRow.state,
            TrackRow.content_hash,
            analysed,
        ).where(TrackRow.library_id == library.id, _lies_under(TrackRow.path, under))
    )
    for path, size, mtime_ns, id, state, content_hash, has_analysis in rows:
        stat = FileStat(path, size, mtime_ns)
        yield KnownFile(stat, id, state, content_hash, bool(has_analysis), None)


def _lies_under(path: Any, folder: str) -> Any:
    """The condition that the column `path` is `folder` or lies in it."""
    if not folder:
        return path == path
    # Not LIKE, which takes upper for lower case on SQLite.
    code = encode_path(folder) + "/"
    begins = func.substr(type_coerce(path, Text), 1, len(code)) == code
    return or_(path == folder, begins)


def content_hashes(connection: Connection) -> dict[int, str]:
    """See `Catalog.content_hashes`."""
    rows = connection.execute(select(TrackRow.id, TrackRow.content_hash).order_by(TrackRow.id))
    return {id: content_hash for id, content_hash in rows}  # noqa: C416 (rows are no pairs)


def samples_hashes(
    connection: Connection, track_ids: Collection[int], space: SpaceId
) -> dict[int, str | None]:
    """See `Catalog.samples_hashes`."""
    query = (
        select(AnalysisRow.track_id, AnalysisRow.samples_hash)
        .join(SpaceRow, SpaceRow.id == AnalysisRow.space_id)
        .where(space_row(space))
    )
    found: dict[int, str | None] = {}
    for chunk in chunks(track_ids):
        rows = connection.execute(query.where(AnalysisRow.track_id.in_(chunk)))
        found.update((id, samples_hash) for id, samples_hash in rows)
    return found

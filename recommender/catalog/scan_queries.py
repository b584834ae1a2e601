"""What a scan of a folder needs to know: which files the catalogue has, which tracks lost theirs.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Text, func, or_, select, type_coerce

from recommender.catalog.column_types import encode_path
from recommender.catalog.queries import chunks
from recommender.catalog.records import FileStat, KnownFile, Library, TrackState
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

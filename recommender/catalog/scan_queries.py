"""What a scan of a folder needs to know: which files the catalogue has, and of what content.

Every function works on a connection, inside the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Text, func, or_, select, type_coerce

from recommender.catalog.chunks import chunks
from recommender.catalog.column_types import encode_path
from recommender.catalog.records import FileStat, KnownFile, KnownSegment, KnownSheet, Library
from recommender.catalog.schema import AnalysisRow, CueSheetRow, FailureRow, SpaceRow, TrackRow
from recommender.catalog.spaces import space_row
from recommender.embedding.space import SpaceId


def known_files(
    connection: Connection, library: Library, space: SpaceId, under: str
) -> dict[str, KnownFile]:
    """See `Catalog.known_files`."""
    known = _known_tracks(connection, library, space, under)
    failures = select(FailureRow.path, FailureRow.size, FailureRow.mtime_ns, FailureRow.kind).where(
        FailureRow.library_id == library.id, _lies_under(FailureRow.path, under)
    )
    for path, size, mtime_ns, kind in connection.execute(failures):
        track = known.get(path, KnownFile(FileStat(path, 0, 0), None, None, None, False, None))
        known[path] = replace(track, stat=FileStat(path, size, mtime_ns), failure_kind=kind)
    return known


def _known_tracks(
    connection: Connection, library: Library, space: SpaceId, under: str
) -> dict[str, KnownFile]:
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
            TrackRow.segment,
        ).where(TrackRow.library_id == library.id, _lies_under(TrackRow.path, under))
    )
    known: dict[str, KnownFile] = {}
    segments: dict[str, list[KnownSegment]] = defaultdict(list)
    for path, size, mtime_ns, id, state, content_hash, has_analysis, segment in rows:
        stat = FileStat(path, size, mtime_ns)
        if segment and path in known:  # they differ where one was repaired and is to be read again
            stat = min(stat, known[path].stat, key=lambda stat: stat.mtime_ns)
        known[path] = KnownFile(stat, id, state, content_hash, bool(has_analysis), None)
        if segment:
            segments[path].append(
                KnownSegment(segment, id, state, content_hash, bool(has_analysis))
            )
    for path, of_file in segments.items():
        known[path] = _divided(known[path], of_file)
    return known


def _divided(file: KnownFile, segments: list[KnownSegment]) -> KnownFile:
    """A file with its segments."""
    segments.sort(key=lambda segment: segment.number)
    first = segments[0]
    return replace(
        file,
        track_id=first.track_id,
        state=first.state,
        content_hash=first.content_hash,
        analysed_in_space=all(segment.analysed_in_space for segment in segments),
        segments=tuple(segments),
    )


def known_sheets(connection: Connection, library: Library, under: str) -> list[KnownSheet]:
    """See `Catalog.known_sheets`."""
    columns = CueSheetRow.path, CueSheetRow.size, CueSheetRow.mtime_ns, CueSheetRow.file
    rows = connection.execute(
        select(*columns)
        .where(CueSheetRow.library_id == library.id, _lies_under(CueSheetRow.path, under))
        .order_by(CueSheetRow.path, CueSheetRow.file)
    )
    return [KnownSheet(FileStat(path, size, time), file) for path, size, time, file in rows]


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

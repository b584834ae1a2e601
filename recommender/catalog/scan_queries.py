"""What a scan of a folder needs to know: which files the catalogue has, and of what content.

Every function works on a connection, inside the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Integer, Text, func, or_, select, true, type_coerce

from recommender.audio.segments import WHOLE_FILE
from recommender.catalog.chunks import chunks
from recommender.catalog.column_types import decode_path, encode_path
from recommender.catalog.records import (
    FileStat,
    KnownFile,
    KnownSegment,
    KnownSheet,
    Library,
    TrackState,
)
from recommender.catalog.schema import (
    AnalysisRow,
    CueSheetRow,
    DescriptorsRow,
    FailureRow,
    SpaceRow,
    TrackRow,
)
from recommender.catalog.spaces import space_row
from recommender.embedding.space import SpaceId
from recommender.musical_descriptors import VERSION

_PAGE = 2_000
"""Rows that are read at once."""

KnownRow = tuple[str, int, int, int, str, str, int, int]
"""Path, size, mtime_ns, id, state, content hash of a track; whether it is analysed in a space, and
whether it has musical descriptors of the present version."""


def known_files(
    connection: Connection, library: Library, space: SpaceId, under: str
) -> dict[str, KnownFile]:
    """See `Catalog.known_files`."""
    rows: list[KnownRow] = []
    while page := known_tracks(connection, library, space, under, rows[-1][0] if rows else ""):
        rows += page
    by_path = {decode_path(row[0]): row for row in rows}
    divided = known_segments(connection, library, space, under)
    return with_failures(by_path, divided, known_failures(connection, library, under))


def with_failures(
    tracks: Mapping[str, KnownRow],
    divided: Mapping[str, KnownFile],
    failures: Mapping[str, tuple[FileStat, str]],
) -> dict[str, KnownFile]:
    """What is known of each path that has tracks, a failure, or both."""
    known = {path: _known_track(path, row) for path, row in tracks.items()}
    known.update(divided)
    for path, (stat, kind) in failures.items():
        track = known.get(path, KnownFile(stat, None, None, None, False, None))
        known[path] = replace(track, stat=stat, failure_kind=kind)
    return known


def _known_track(path: str, row: KnownRow) -> KnownFile:
    _, size, mtime_ns, id, state, content_hash, analysed, described = row
    stat = FileStat(path, size, mtime_ns)
    state, has = TrackState(state), bool(analysed)
    return KnownFile(stat, id, state, content_hash, has, None, is_described=bool(described))


def known_failures(
    connection: Connection, library: Library, under: str
) -> dict[str, tuple[FileStat, str]]:
    """See `Catalog.known_failures`."""
    rows = connection.execute(
        select(FailureRow.path, FailureRow.size, FailureRow.mtime_ns, FailureRow.kind).where(
            FailureRow.library_id == library.id, lies_under(FailureRow.path, under)
        )
    )
    return {path: (FileStat(path, size, time), kind) for path, size, time, kind in rows}


def known_tracks(
    connection: Connection, library: Library, space: SpaceId, under: str, last: str
) -> Sequence[KnownRow]:
    """At most `_PAGE` tracks whose stored paths sort behind `last`, in that order.

    Tracks of files that cue sheets divide are left out: see `known_segments`.
    Their paths are as stored, and their states are texts: values are not converted, which for a
    hundred thousand files would take longer than to look at the files.
    """
    space_id = connection.scalar(select(SpaceRow.id).where(space_row(space)))
    analysed = _has_analysis(space_id)
    path = type_coerce(TrackRow.path, Text)
    columns = TrackRow.size, TrackRow.mtime_ns, TrackRow.id, type_coerce(TrackRow.state, Text)
    found = connection.execute(
        select(
            path,
            *columns,
            TrackRow.content_hash,
            type_coerce(analysed, Integer),
            type_coerce(_IS_DESCRIBED, Integer),
        )
        .where(TrackRow.library_id == library.id, lies_under(TrackRow.path, under), path > last)
        .where(TrackRow.segment == WHOLE_FILE)
        .order_by(path)
        .limit(_PAGE)
    )
    # The driver's own tuples, for the same reason.
    rows: Sequence[KnownRow] = found.cursor.fetchall()
    return rows


def known_segments(
    connection: Connection, library: Library, space: SpaceId, under: str
) -> dict[str, KnownFile]:
    """See `Catalog.known_segments`."""
    space_id = connection.scalar(select(SpaceRow.id).where(space_row(space)))
    columns = TrackRow.segment, TrackRow.id, TrackRow.state, TrackRow.content_hash
    rows = connection.execute(
        select(
            TrackRow.path,
            TrackRow.size,
            TrackRow.mtime_ns,
            *columns,
            _has_analysis(space_id),
            _IS_DESCRIBED,
        )
        .where(TrackRow.library_id == library.id, lies_under(TrackRow.path, under))
        .where(TrackRow.segment != WHOLE_FILE)
        .order_by(TrackRow.path, TrackRow.segment)
    )
    stats: dict[str, FileStat] = {}
    segments: dict[str, list[KnownSegment]] = defaultdict(list)
    for path, size, mtime_ns, number, id, state, content_hash, analysed, described in rows:
        stat = FileStat(path, size, mtime_ns)
        # They differ where one was repaired, so that the file is read again.
        stats[path] = min(stat, stats.get(path, stat), key=lambda stat: stat.mtime_ns)
        known = KnownSegment(number, id, state, content_hash, bool(analysed), bool(described))
        segments[path].append(known)
    return {path: _divided(stats[path], of_file) for path, of_file in segments.items()}


def _divided(stat: FileStat, segments: list[KnownSegment]) -> KnownFile:
    """A file with its segments."""
    first = segments[0]
    analysed = all(segment.analysed_in_space for segment in segments)
    described = all(segment.is_described for segment in segments)
    known = first.track_id, first.state, first.content_hash, analysed
    return KnownFile(stat, *known, None, tuple(segments), described)


def known_sheets(connection: Connection, library: Library, under: str) -> list[KnownSheet]:
    """See `Catalog.known_sheets`."""
    columns = CueSheetRow.path, CueSheetRow.size, CueSheetRow.mtime_ns, CueSheetRow.file
    rows = connection.execute(
        select(*columns)
        .where(CueSheetRow.library_id == library.id, lies_under(CueSheetRow.path, under))
        .order_by(CueSheetRow.path, CueSheetRow.file)
    )
    return [KnownSheet(FileStat(path, size, time), file) for path, size, time, file in rows]


def _has_analysis(space_id: int | None) -> Any:
    """The condition that a track is analysed in a space."""
    return (
        select(AnalysisRow.track_id)
        .where(AnalysisRow.track_id == TrackRow.id, AnalysisRow.space_id == space_id)
        .exists()
    )


_IS_DESCRIBED = (
    select(DescriptorsRow.track_id)
    .where(DescriptorsRow.track_id == TrackRow.id, DescriptorsRow.version == VERSION)
    .exists()
)
"""The condition that a track has musical descriptors of the present version."""


def lies_under(path: Any, folder: str) -> Any:
    """The condition that the column `path` is `folder` or lies in it."""
    if not folder:
        return true()
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

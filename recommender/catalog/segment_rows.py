"""Rows of the tracks of one file, and of the cue sheets that divide it.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, and_, delete, insert, select, update

from recommender.catalog.changes import mark
from recommender.catalog.records import FileStat, Library
from recommender.catalog.row_values import stat_values
from recommender.catalog.schema import CueSheetRow, TrackRow, table
from recommender.catalog.track_removal import drop_tracks

_SHEETS = table(CueSheetRow)


def keep_segments(
    connection: Connection, library: Library, path: str, numbers: Mapping[int, int]
) -> bool:
    """See `Writer.keep_segments`; returns whether anything changed."""
    at_path = TrackRow.library_id == library.id, TrackRow.path == path
    others = *at_path, TrackRow.id.not_in(list(numbers))
    dropped = drop_tracks(connection, *others)
    rows = connection.execute(select(TrackRow.id, TrackRow.segment).where(*at_path)).all()
    renumbered = [row.id for row in rows if row.segment != numbers[row.id]]
    # Two tracks never have one number, not even between two statements.
    for id in renumbered:
        connection.execute(update(TrackRow).where(TrackRow.id == id).values(segment=-id))
    for id in renumbered:
        connection.execute(update(TrackRow).where(TrackRow.id == id).values(segment=numbers[id]))
    mark(connection, renumbered)
    return bool(dropped or renumbered)


def set_sheets(
    connection: Connection, library: Library, file: str, sheets: Iterable[FileStat]
) -> None:
    """See `Writer.set_sheets`."""
    of_library = _SHEETS.c.library_id == library.id
    rows = [{**stat_values(sheet), "library_id": library.id, "file": file} for sheet in sheets]
    if file:
        connection.execute(delete(_SHEETS).where(of_library, _SHEETS.c.file == file))
    for row in rows:
        of_sheet = and_(of_library, _SHEETS.c.path == row["path"])
        connection.execute(delete(_SHEETS).where(of_sheet, _SHEETS.c.file == ""))
    if rows:
        connection.execute(insert(_SHEETS), rows)


def forget_sheets(connection: Connection, library: Library, paths: Collection[str]) -> None:
    """See `Writer.forget_sheets`."""
    for path in paths:
        of_sheet = and_(_SHEETS.c.library_id == library.id, _SHEETS.c.path == path)
        connection.execute(delete(_SHEETS).where(of_sheet))

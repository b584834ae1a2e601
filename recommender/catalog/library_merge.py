"""Make one library a part of another. Works on a connection, inside the caller's transaction."""

from collections import defaultdict
from dataclasses import fields
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, select, update

from recommender.audio.tags import Tags
from recommender.catalog.changes import mark
from recommender.catalog.chunks import chunks
from recommender.catalog.records import Library, TrackState
from recommender.catalog.schema import (
    CueSheetRow,
    ExclusionRow,
    FailureRow,
    LibraryRow,
    TrackRow,
    table,
)
from recommender.catalog.search_text import search_text
from recommender.catalog.track_removal import drop_tracks

_TRACKS, _FAILURES, _SHEETS = table(TrackRow), table(FailureRow), table(CueSheetRow)
_EXCLUSIONS = table(ExclusionRow)


def absorb(connection: Connection, library: Library, outer: Library, folder: str) -> None:
    """Make `library` the folder `folder` of `outer` ("" for its root).

    Tracks and failures keep their ids and analyses, and get the longer path. Where both libraries
    have a track of one path, the one of `outer` stays if its file was there at the last ingest, and
    the other one otherwise: there is but one file. Lists name the one that stays.
    """
    tags = [_TRACKS.c[field.name] for field in fields(Tags)]
    rows = connection.execute(
        select(_TRACKS.c.id, _TRACKS.c.path, _TRACKS.c.segment, *tags).where(
            _TRACKS.c.library_id == library.id
        )
    )
    at_path = _tracks_by_path(connection, outer)
    longer: list[dict[str, Any]] = []
    dropped: dict[int, int] = {}  # track id → the one that has its place
    for id, path, segment, *values in rows:
        new = _below(folder, path)
        rivals = at_path.get(new, {})
        if any(state is TrackState.ANALYSED for _, state in rivals.values()):
            dropped[id] = rivals.get(segment, next(iter(rivals.values())))[0]
            continue
        for number, (rival, _) in rivals.items():
            if number == segment or rival not in dropped:
                dropped[rival] = id
        text = search_text(Tags(*values), new)
        longer.append({"row": id, "library_id": outer.id, "path": new, "search_text": text})
    for chunk in chunks(dropped):
        drop_tracks(connection, TrackRow.id.in_(chunk), heirs=dropped)
    _update_rows(connection, _TRACKS, longer)
    mark(connection, [values["row"] for values in longer])
    _absorb_failures(connection, library, outer, folder)
    _absorb_sheets(connection, library, outer, folder)
    _absorb_exclusions(connection, library, outer, folder)
    _absorb_links(connection, library, outer)
    connection.execute(delete(LibraryRow).where(LibraryRow.id == library.id))


def _tracks_by_path(
    connection: Connection, library: Library
) -> dict[str, dict[int, tuple[int, TrackState]]]:
    """The tracks at each path by segment: several where a cue sheet divides the file."""
    columns = select(_TRACKS.c.path, _TRACKS.c.segment, _TRACKS.c.id, _TRACKS.c.state)
    found: dict[str, dict[int, tuple[int, TrackState]]] = defaultdict(dict)
    of_library = columns.where(_TRACKS.c.library_id == library.id)
    for path, segment, id, state in connection.execute(of_library):
        found[path][segment] = (id, state)
    return found


def _absorb_sheets(connection: Connection, library: Library, outer: Library, folder: str) -> None:
    """Keep what is known of cue sheets, save for those that both libraries have."""
    of = select(_SHEETS.c.id, _SHEETS.c.path, _SHEETS.c.file)
    there = {path for _, path, _ in connection.execute(of.where(_SHEETS.c.library_id == outer.id))}
    longer = [
        {
            "row": id,
            "library_id": outer.id,
            "path": _below(folder, path),
            "file": _below(folder, file) if file else file,
        }
        for id, path, file in connection.execute(of.where(_SHEETS.c.library_id == library.id))
    ]
    kept = [values for values in longer if values["path"] not in there]
    _update_rows(connection, _SHEETS, kept)
    connection.execute(delete(_SHEETS).where(_SHEETS.c.library_id == library.id))


def _absorb_failures(connection: Connection, library: Library, outer: Library, folder: str) -> None:
    of = select(_FAILURES.c.id, _FAILURES.c.path)
    there = {path for _, path in connection.execute(of.where(_FAILURES.c.library_id == outer.id))}
    longer = [
        {"row": id, "library_id": outer.id, "path": _below(folder, path)}
        for id, path in connection.execute(of.where(_FAILURES.c.library_id == library.id))
    ]
    kept = [values for values in longer if values["path"] not in there]
    _update_rows(connection, _FAILURES, kept)
    connection.execute(delete(_FAILURES).where(_FAILURES.c.library_id == library.id))


def _absorb_exclusions(
    connection: Connection, library: Library, outer: Library, folder: str
) -> None:
    of_library = _EXCLUSIONS.c.library_id == library.id
    longer = [
        {"row": id, "library_id": outer.id, "path": _below(folder, path)}
        for id, path in connection.execute(
            select(_EXCLUSIONS.c.id, _EXCLUSIONS.c.path).where(of_library)
        )
    ]
    _update_rows(connection, _EXCLUSIONS, longer)


def _absorb_links(connection: Connection, library: Library, outer: Library) -> None:
    linked = LibraryRow.linked_folders
    both = [
        connection.scalar(select(linked).where(LibraryRow.id == one.id)) or ()
        for one in (outer, library)
    ]
    union = tuple(dict.fromkeys(chain(*both)))
    connection.execute(
        update(LibraryRow).where(LibraryRow.id == outer.id).values(linked_folders=union)
    )


def _update_rows(connection: Connection, rows_of: Table, values: list[dict[str, Any]]) -> None:
    if values:
        connection.execute(update(rows_of).where(_is_row(rows_of)), values)


def _is_row(rows_of: Table) -> Any:
    return rows_of.c.id == bindparam("row")


def _below(folder: str, path: str) -> str:
    return "/".join(part for part in (folder, path) if part)

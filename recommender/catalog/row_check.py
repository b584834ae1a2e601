"""Rows of a SQLite catalogue whose values are none of their column's type, as damage leaves them.

A server's database checks its pages itself. Every function works on a connection, inside the
caller's transaction.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    Table,
    bindparam,
    select,
    update,
)
from sqlalchemy.types import TypeDecorator

from recommender.catalog.activation_blob import checksum
from recommender.catalog.chunks import CHUNK
from recommender.catalog.column_types import Moment, Vector
from recommender.catalog.schema import AnalysisRow, Base, table

_JSON_KINDS: dict[str, type] = {
    "artists": list,
    "album_artists": list,
    "isrcs": list,
    "damage": dict,
    "windows": list,
    "genre_probabilities": dict,
    "details": dict,
    "analysis_settings": dict,
    "recipe": dict,
    "space": dict,
}


@dataclass(frozen=True)
class DamagedRow:
    """A row with a value that cannot be used.

    Attributes:
        table: its name.
        row: SQLite's number of the row.
        track_id: of a track or an analysis; None for other tables.
        column: of the value.
        reason: what is wrong with it.
    """

    table: str
    row: int
    track_id: int | None
    column: str
    reason: str


def damaged_rows(connection: Connection) -> Iterator[DamagedRow]:
    """Every damaged value, save those of vectors, which have a checksum."""
    for of_table in Base.metadata.sorted_tables:
        columns = [c for c in of_table.columns if not isinstance(c.type, Vector | LargeBinary)]
        # As blobs, because text that is not UTF-8 cannot be fetched as text.
        values = ", ".join(f"typeof({c.name}), CAST({c.name} AS BLOB)" for c in columns)
        rows = connection.exec_driver_sql(f"SELECT rowid, {values} FROM {of_table.name}")
        checks = [_check_of(column) for column in columns]
        for row, *cells in rows:
            track_id = _track_id(of_table, columns, cells)
            for column, check, kind, value in zip(
                columns, checks, cells[::2], cells[1::2], strict=True
            ):
                reason = check(kind, value)
                if reason is not None:
                    yield DamagedRow(of_table.name, row, track_id, column.name, reason)


def _track_id(of_table: Table, columns: list[Column[Any]], cells: list[Any]) -> int | None:
    name = {"tracks": "id", "analyses": "track_id", "musical_descriptors": "track_id"}.get(
        of_table.name
    )
    if name is None:
        return None
    position = [column.name for column in columns].index(name)
    kind, value = cells[2 * position : 2 * position + 2]
    return int(value) if kind == "integer" else None


def _check_of(column: Column[Any]) -> Callable[[str, bytes | None], str | None]:
    """What is wrong with a value of the column, given SQLite's type of it and its bytes."""
    kinds, parse = _expected(column)

    def check(kind: str, value: bytes | None) -> str | None:
        if kind == "null":
            return None if column.nullable else "absent"
        if kind not in kinds:
            return f"of type {kind}"
        try:
            parse((value or b"").decode())
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            return f"{type(error).__name__}: {error}"
        return None

    return check


def _expected(column: Column[Any]) -> tuple[tuple[str, ...], Callable[[str], object]]:
    """The types that SQLite may have stored, and what parses the text of a value."""
    kind: Any = column.type
    if isinstance(kind, Moment):
        return ("text",), datetime.fromisoformat
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    if isinstance(kind, sa.JSON):
        return ("text",), _json_parser(_JSON_KINDS.get(column.name, object))
    if isinstance(kind, sa.Enum):
        return ("text",), _member_of(tuple(kind.enums))
    if isinstance(kind, sa.Double):
        return ("real", "integer"), _finite if column.name in _SIGNED else _not_negative
    if isinstance(kind, sa.Boolean):
        return ("integer",), _member_of(("0", "1"))
    if isinstance(kind, sa.Integer):
        return ("integer",), int
    return ("text",), str


def _json_parser(wanted: type) -> Callable[[str], object]:
    def parse(text: str) -> object:
        value = json.loads(text)
        if value is not None and not isinstance(value, wanted):
            raise TypeError(f"no {wanted.__name__}")
        return value

    return parse


def _member_of(names: tuple[str, ...]) -> Callable[[str], object]:
    def parse(text: str) -> object:
        if text not in names:
            raise ValueError(f"{text!r} is none of {', '.join(names)}")
        return text

    return parse


_SIGNED = {"loudness", "tuning"}
"""Columns of numbers that may be below zero."""


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{value} is out of range")
    return value


def _not_negative(text: str) -> float:
    value = _finite(text)
    if value < 0:
        raise ValueError(f"{value} is out of range")
    return value


_DROPPED = {
    *("analyses", "cue_sheets", "failures", "layouts", "musical_descriptors", "projections"),
    "removals",
}
"""Tables whose damaged rows are dropped: the next ingest makes them again; layouts are computed
again when they are asked for."""

_USELESS = {"claims", "events", "exclusions", "leases", "library_roots", "playlist_entries"}
"""Tables whose damaged rows say nothing: they are dropped, too."""

_OF_PLAYLIST = {
    "comment": "''",
    "recipe": "NULL",
    "target": "NULL",
    "absolute": "0",
    "user_name": "''",
    "name": "'playlist ' || rowid",
    "run_at": "NULL",
    "changed_at": "CURRENT_TIMESTAMP",
    "created_at": "CURRENT_TIMESTAMP",
}
"""SQL of the values that damaged ones of a playlist are replaced by; its tracks stay."""

_NEEDED = {"id", "library_id", "path", "segment", "space_id"}
"""Without these a row is of no track."""

_NEUTRAL = {
    "size": 0,
    "mtime_ns": 0,
    "content_hash": "",
    "state": "missing",
    "duration": 0.0,
    "search_text": "",
}
"""Values after which the next ingest reads the file again."""


_READ_SEGMENTS_AGAIN = """
UPDATE tracks SET mtime_ns = 0 WHERE (library_id, path) = (
    SELECT library_id, path FROM tracks WHERE rowid = :row
)
"""


def repair_row(connection: Connection, damaged: DamagedRow) -> bool:
    """Make the next ingest read or analyse the file again; returns whether that is possible.

    The track keeps its id, unless its very path is damaged.
    """
    of_table, column = damaged.table, damaged.column
    row = {"row": damaged.row}
    if of_table in _USELESS:
        _execute(connection, f"DELETE FROM {of_table} WHERE rowid = :row", **row)
        return True
    if of_table == "playlists" and column in _OF_PLAYLIST:
        _replace_in_playlist(connection, column, damaged.row)
        return True
    if of_table == "tracks" and column in _NEEDED:
        _execute(connection, _READ_SEGMENTS_AGAIN, **row)
    if of_table in _DROPPED or (of_table == "tracks" and column in _NEEDED):
        _execute(connection, f"DELETE FROM {of_table} WHERE rowid = :row", **row)
        return True
    if of_table == "tracks":
        _execute(
            connection,
            f"UPDATE tracks SET mtime_ns = 0, {column} = :value WHERE rowid = :row",
            value=_NEUTRAL.get(column),
            **row,
        )
        if column in ("content_hash", "duration", "segment_start", "segment_end"):
            drop = "DELETE FROM analyses WHERE track_id = :track"
            _execute(connection, drop, track=damaged.track_id)
        return True
    if (of_table, column) in _FOUND_AGAIN:
        clear = f"UPDATE {of_table} SET {column} = NULL WHERE rowid = :row"
        _execute(connection, clear, **row)
        return True
    return False


_FOUND_AGAIN = {
    ("catalog", "analysis_settings"),
    ("libraries", "mount_point"),
    ("libraries", "linked_folders"),
}
"""Columns whose values the next ingest stores anew."""


def _replace_in_playlist(connection: Connection, column: str, row: int) -> None:
    """A name that another playlist of the user has gets a number."""
    value = _OF_PLAYLIST[column]
    if column == "user_name":
        rename = "UPDATE playlists SET name = name || ' ' || rowid WHERE rowid = :row"
        _execute(connection, rename, row=row)
    _execute(connection, f"UPDATE playlists SET {column} = {value} WHERE rowid = :row", row=row)


def lacks_checksums(connection: Connection) -> bool:
    """Whether an embedding was stored without its checksum."""
    query = select(AnalysisRow.track_id).where(AnalysisRow.checksum.is_(None)).limit(1)
    return connection.execute(query).first() is not None


def fill_checksums(connection: Connection) -> None:
    """Compute the checksums that are lacking, of what is stored now."""
    analyses = table(AnalysisRow)
    columns = analyses.c.track_id, analyses.c.space_id, analyses.c.activations
    query = select(*columns).limit(CHUNK)
    store = update(analyses).where(
        analyses.c.track_id == bindparam("track"), analyses.c.space_id == bindparam("space")
    )
    while rows := connection.execute(query.where(analyses.c.checksum.is_(None))).all():
        values = [
            {"track": track, "space": space, "checksum": checksum(blob)}
            for track, space, blob in rows
        ]
        connection.execute(store, values)


def _execute(connection: Connection, statement: str, **values: Any) -> None:
    connection.execute(sa.text(statement), values)

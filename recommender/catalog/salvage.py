"""A damaged SQLite file: what is wrong with its pages, and a new one of all that can be read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from recommender.catalog.backup import copy_aside, remove_database
from recommender.catalog.schema import Base
from recommender.errors import CatalogError

_MOST_ERRORS = 20


def page_errors(connection: Connection) -> list[str]:
    """What SQLite finds wrong with the database's pages and indexes; empty where all is well."""
    try:
        rows = connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_ERRORS})").fetchall()
        found = [line for (text,) in rows for line in str(text).splitlines() if line != "ok"]
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    except DatabaseError as error:
        return [str(error.orig).partition("\n")[0]]
    return found + [
        f"row {row} of {table} refers to no row of {of}" for table, row, of, _ in broken
    ]


def drop_orphans(connection: Connection) -> int:
    """Delete rows that refer to rows that are not there; returns their number."""
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    for table, row, _, _ in orphans:
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE rowid = ?", (row,))
    return len(orphans)


@dataclass(frozen=True)
class Salvage:
    """What became of a damaged database.

    Attributes:
        copy: of the damaged file, beside it.
        lost: table → number of rows that could not be read; tables without a loss are left out.
    """

    copy: Path
    lost: dict[str, int]


def salvage(file: Path) -> Salvage:
    """Replace the database in `file` by one of all rows that can be read.

    The damaged file is copied first. The new rows are put into the same file under SQLite's locks,
    so that other processes may have it open.

    Raises:
        CatalogError: there is no space, or the tables themselves cannot be read.
    """
    from recommender.catalog.migrations import create

    new = file.with_name(f"{file.name}.salvaged")
    remove_database(new)
    try:
        copied = copy_aside(file, "damaged")
        create(new)
        with closing(sqlite3.connect(new, isolation_level=None)) as target:
            with closing(sqlite3.connect(file, isolation_level=None)) as source:
                lost = _copy_rows(source, target)
            with closing(sqlite3.connect(file, isolation_level=None)) as damaged:
                target.backup(damaged)
    except (OSError, sqlite3.Error) as error:
        raise CatalogError(
            f"{file} cannot be repaired ({error}). Restore a copy, or move it away and ingest "
            "again."
        ) from error
    finally:
        remove_database(new)
    return Salvage(copied, lost)


def _copy_rows(source: sqlite3.Connection, target: sqlite3.Connection) -> dict[str, int]:
    """Copy every table; returns the numbers of rows that could not be read."""
    source.text_factory = lambda raw: raw.decode(errors="replace")
    lost: dict[str, int] = {}
    target.execute("PRAGMA foreign_keys = OFF")
    target.execute("BEGIN")
    for table in Base.metadata.sorted_tables:
        target.execute(f"DELETE FROM {table.name}")
        names = [column.name for column in table.columns]
        marks = ", ".join("?" for _ in names)
        put = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"
        for row in _rows(source, table.name, names):
            try:
                if row is not None:
                    target.execute(put, row)
                    continue
            except sqlite3.Error:  # twice the same key, say
                pass
            lost[table.name] = lost.get(table.name, 0) + 1
    for table, row, _, _ in target.execute("PRAGMA foreign_key_check").fetchall():
        target.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))
    _copy_sequences(source, target)
    # What another index was built of is not there any more, and no row tells what is lost.
    target.execute("DELETE FROM removals")
    target.execute("UPDATE catalog SET changes_known_since = revision + 1, revision = revision + 1")
    target.execute("COMMIT")
    return lost


def _rows(
    source: sqlite3.Connection, table: str, names: list[str]
) -> Iterator[tuple[object, ...] | None]:
    """The rows of a table; None for one that cannot be read."""
    query = f"SELECT {', '.join(names)} FROM {table} WHERE rowid = ?"
    for row in _row_numbers(source, table):
        try:
            found = source.execute(query, (row,)).fetchone()
        except sqlite3.Error:
            found = None
        yield found


def _row_numbers(source: sqlite3.Connection, table: str) -> list[int]:
    """The row numbers that can be reached: from either end, or by an index."""
    found: dict[int, None] = {}
    for order in (" ORDER BY rowid", " ORDER BY rowid DESC", ""):
        try:
            for (row,) in source.execute(f"SELECT rowid FROM {table}{order}"):
                found[row] = None
        except sqlite3.Error:
            continue
        if order:
            break
    return sorted(found)


def _copy_sequences(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """No id is given twice, also where the rows with the last ones are lost."""
    try:
        sequences = source.execute("SELECT seq, name FROM sqlite_sequence").fetchall()
    except sqlite3.Error:
        return
    target.executemany("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", sequences)

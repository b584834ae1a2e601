"""The reads that every list of a running service makes: the revisions, and tracks by their ids.

SQLAlchemy takes several times as long to build and to run such a statement as the database does.
So each is compiled once, for the engine's kind of database, and run on the driver's own connection;
values are converted by the same column types. Each read is one statement, which sees one state of
the database. Where it fails, None is returned: the caller then asks in the usual way, which waits
for locks and says what is wrong.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from json import JSONDecoder
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Dialect,
    Engine,
    Float,
    Numeric,
    Select,
    and_,
    bindparam,
    case,
    func,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import TypeEngine

from recommender.catalog.hosts import this_host
from recommender.catalog.queries import LARGEST_ID, TRACK_COLUMNS, track_of
from recommender.catalog.records import CatalogState, Library, Track
from recommender.catalog.schema import (
    AnalysisRow,
    CatalogRow,
    LibraryRootRow,
    LibraryRow,
    TrackRow,
)
from recommender.catalog.server_connection import with_autocommit

_DECODER = JSONDecoder()

_SIZES = (1, 16, 128, 512)
"""Numbers of ids that a statement is compiled for; it repeats the last of fewer ids."""


@dataclass(frozen=True)
class Statement:
    """A query as text in the database's own SQL.

    Attributes:
        text: with parameters as the driver writes them.
        positions: the names of the parameters in their order; None where the driver takes names.
        processors: what makes the value of a column from what the driver returns, by the column's
            position; columns that need nothing are left out.
    """

    text: str
    positions: tuple[str, ...] | None
    processors: tuple[tuple[int, Callable[[Any], Any]], ...]

    @classmethod
    def of(cls, query: Select[*tuple[Any, ...]], engine: Engine) -> "Statement":
        """Compile a query whose parameters all have names and no value."""
        compiled, dialect = query.compile(engine), engine.dialect
        made = (
            (at, _processor(column.type, dialect))
            for at, column in enumerate(query.selected_columns)
        )
        return cls(
            str(compiled),
            tuple(compiled.positiontup or ()) if compiled.positional else None,
            tuple((at, processor) for at, processor in made if processor is not None),
        )

    def arguments(self, values: Mapping[str, Any]) -> Any:
        """Values of the parameters, as the driver takes them."""
        return values if self.positions is None else [values[name] for name in self.positions]

    def converted(self, row: Sequence[Any]) -> list[Any]:
        """The values of a row; those of NULL are None."""
        values = list(row)
        for at, processor in self.processors:
            if values[at] is not None:
                values[at] = processor(values[at])
        return values


def _processor(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    if isinstance(kind, Float | Numeric):
        return None  # drivers return floats as floats; SQLAlchemy would ask for the driver's type
    usual = kind.dialect_impl(dialect).result_processor(dialect, None)
    # SQLAlchemy's own takes twice as long; drivers that return no text need none.
    return _of_json if usual is not None and isinstance(kind, JSON) else usual


def _of_json(text: str) -> Any:
    value, end = _DECODER.raw_decode(text)
    if end != len(text):
        raise ValueError(f"more than one JSON value: {text[:80]}")
    return value


class CompiledReads:
    """Reads of one database; any number of threads may read at once."""

    def __init__(self, engine: Engine) -> None:
        """Nothing is compiled yet."""
        self._engine = engine
        self._of_size: dict[int, Statement] = {}

    def state(self) -> CatalogState | None:
        """See `Catalog.state`; None where it cannot be read."""
        rows = self._rows(self._state, {})
        return CatalogState(*rows[0]) if rows else None

    def lists_revision(self) -> int | None:
        """See `Catalog.lists_revision`; None where it cannot be read."""
        rows = self._rows(self._lists_revision, {})
        return rows[0][0] if rows else None

    def tracks(self, ids: Collection[int]) -> dict[int, Track] | None:
        """Those of `ids` that are tracks, by id and in their order.

        None where they cannot be read, or one of them has no analysis in the active space.
        """
        found: dict[int, Track] = {}
        host = this_host()
        wanted = sorted({id for id in ids if 0 < id <= LARGEST_ID})
        for start in range(0, len(wanted), _SIZES[-1]):
            part = wanted[start : start + _SIZES[-1]]
            size = next(size for size in _SIZES if size >= len(part))
            values: dict[str, Any] = {f"id{at}": part[min(at, len(part) - 1)] for at in range(size)}
            values["host"] = host
            statement = self._tracks(size)
            rows = self._rows(statement, values)
            if rows is None:
                return None
            try:
                tracks = [_track(statement.converted(row)) for row in rows]
            except (ValueError, LookupError, TypeError, ArithmeticError):
                return None  # what is stored in a column is no value of its type
            of_part = {track.id: track for track in tracks}
            found.update((id, of_part[id]) for id in part if id in of_part)
        analysed = all(track.analysed_at is not None for track in found.values())
        return found if analysed else None

    @cached_property
    def _state(self) -> Statement:
        return Statement.of(select(CatalogRow.uuid, CatalogRow.revision), self._engine)

    @cached_property
    def _lists_revision(self) -> Statement:
        return Statement.of(select(CatalogRow.lists_revision), self._engine)

    def _tracks(self, size: int) -> Statement:
        statement = self._of_size.get(size)
        if statement is None:
            statement = self._of_size[size] = Statement.of(_tracks_query(size), self._engine)
        return statement

    def _rows(self, statement: Statement, values: Mapping[str, Any]) -> list[Any] | None:
        driver_error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        try:
            connection = self._engine.raw_connection()
            try:
                with_autocommit(self._engine, connection, True)
                cursor = connection.cursor()
                cursor.execute(statement.text, statement.arguments(values))
                return list(cursor.fetchall())
            finally:
                with_autocommit(self._engine, connection, False)
                connection.close()  # back to the pool
        except (SQLAlchemyError, driver_error):
            return None


def _tracks_query(size: int) -> Select[Any]:
    """The columns of tracks, their analysis in the active space, and their library here."""
    active = select(CatalogRow.active_space_id).scalar_subquery()
    in_active = and_(AnalysisRow.track_id == TrackRow.id, AnalysisRow.space_id == active)
    here = and_(
        LibraryRootRow.library_id == TrackRow.library_id, LibraryRootRow.host == bindparam("host")
    )
    root = func.coalesce(LibraryRootRow.root, LibraryRow.root)
    is_mapped = LibraryRootRow.host.is_not(None)
    points = case((is_mapped, LibraryRootRow.mount_points), else_=LibraryRow.mount_points)
    return (
        select(*TRACK_COLUMNS, root, points)
        .join(LibraryRow, LibraryRow.id == TrackRow.library_id)
        .outerjoin(LibraryRootRow, here)
        .outerjoin(AnalysisRow, in_active)
        .where(TrackRow.id.in_([bindparam(f"id{at}") for at in range(size)]))
    )


def _track(values: Sequence[Any]) -> Track:
    *of_track, root, mount_points = values
    library = _library(of_track[1], root, tuple(mount_points or ()))
    return track_of(of_track, {library.id: library})


@lru_cache(maxsize=64)
def _library(library_id: int, root: str, mount_points: tuple[str, ...]) -> Library:
    return Library(library_id, Path(root), tuple(map(Path, mount_points)))

"""The database of a catalogue: opened, created where there is none, and closed."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from recommender.catalog import catalog_row, changes, engine, row_check, salvage
from recommender.catalog.compiled_reads import CompiledReads
from recommender.catalog.creation import Creation, open_database
from recommender.catalog.engine import database_file, shown, transaction
from recommender.catalog.row_check import DamagedRow
from recommender.catalog.server_connection import lock_catalogue
from recommender.errors import CatalogError
from recommender.utils.files import AnyPath


class Database:
    """An open database with the newest schema.

    Attributes:
        url: the SQLAlchemy URL, by which another process can open the same catalogue; the path of
            a file where no URL can name it. It holds the password of a server.
        name: of the catalogue in messages: the file, or the URL without its password.
        file: the SQLite file; None for a database server.
        folder: of the SQLite file, and of the index and lock files beside it; None likewise.
    """

    def __init__(self, opened: Engine, creation: Creation | None = None) -> None:
        """For `open`, which checks the schema behind the engine first."""
        self._engine = opened
        self._compiled_reads = CompiledReads(opened)
        self._creation = creation
        self.file: Path | None = database_file(opened.url)
        self.folder: Path | None = None if self.file is None else self.file.parent
        self._identity = self._identity_now()
        url = opened.url.render_as_string(hide_password=False)
        self.url: str = str(self.file) if self.file and "?" in url else url
        self.name: str = shown(opened.url)

    @classmethod
    def open(cls, url: AnyPath | None = None, *, create: bool = True) -> Self:
        """Open a catalogue; an empty or absent database gets the newest schema.

        Args:
            url: the path of a SQLite file, or an SQLAlchemy URL; None for ``$RECSYS_DB``, and
                without that ``catalog.db`` in the platform's folder for user data.
            create: False to refuse a SQLite file that does not exist, as readers should.

        Raises:
            CatalogError: it cannot be opened or created, does not exist, is no catalogue, or has an
                older or newer schema.
            TypeError: `url` is none of the above.
        """
        return cls(*open_database(url, create))

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    def _identity_now(self) -> tuple[int, int] | None:
        try:
            found = None if self.file is None else self.file.stat()
        except OSError:
            return None
        return None if found is None else (found.st_dev, found.st_ino)

    @property
    def is_in_place(self) -> bool:
        """Whether the file is still the one that was opened: not deleted, and not replaced."""
        return self._identity_now() == self._identity

    def discard_if_new(self) -> bool:
        """Undo the creation of the database, for an ingest that fails before it stores anything.

        If `open` created the SQLite file, and it holds no track and no failure, the catalogue is
        closed and its file is deleted, with the folders that were created for it. Otherwise nothing
        happens.

        Returns:
            Whether the file was deleted.
        """
        if self._creation is None or not self._creation.is_unused(self._engine):
            return False
        self.close()
        self._creation.undo()
        return True

    # Damage. A server's database looks after itself.

    def page_errors(self) -> list[str]:
        """What SQLite finds wrong with the file's pages, indexes and references; none elsewhere."""
        if self.file is None:
            return []
        with self._reading() as connection:
            return salvage.page_errors(connection)

    def damaged_rows(self) -> list[DamagedRow]:
        """Values that cannot be used; `Catalog.checked_activations` names damaged vectors."""
        if self.file is None:
            return []
        with self._reading() as connection:
            return list(row_check.damaged_rows(connection))

    def repair_rows(self, damaged: Sequence[DamagedRow]) -> list[bool]:
        """Make the next ingest read or analyse the files again; returns for which it can."""
        with self._changing() as connection:
            repaired = [row_check.repair_row(connection, row) for row in damaged]
            _everything_changed(connection)
            return repaired

    def reindex(self) -> None:
        """Build SQLite's own indexes again, and drop rows that refer to none; elsewhere nothing."""
        if self.file is None:
            return
        with self._changing() as connection:
            connection.exec_driver_sql("REINDEX")
            if salvage.drop_orphans(connection):
                _everything_changed(connection)

    def salvage(self) -> salvage.Salvage:
        """Replace the database by one of all rows that can be read; a copy of it is kept.

        Raises:
            CatalogError: there is no space, or nothing can be read; nothing was changed.
        """
        if self.file is None:
            raise CatalogError(
                f"{self.name} is repaired by its server's means: restore a dump of pg_dump, say."
            )
        self._engine.dispose()
        return salvage.salvage(self.file)

    def fill_checksums(self) -> None:
        """Compute the checksums of embeddings that were stored without one."""
        with self._reading() as connection:
            if not row_check.lacks_checksums(connection):
                return
        with self._changing() as connection:
            row_check.fill_checksums(connection)

    def __enter__(self) -> Self:
        """The catalogue itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A transaction for the catalogue's own queries."""
        try:
            with transaction(self._engine) as connection:
                yield connection
        except (ValueError, LookupError, TypeError, ArithmeticError) as error:
            if isinstance(error, TypeError) and not _is_of_a_row(error):
                raise  # the caller's
            # What is stored in a column is no value of its type.
            raise CatalogError(
                f"the catalogue {self.name} is damaged: a value in it makes no sense "
                f"({type(error).__name__}: {error}). 'recsys verify' names the rows, and "
                "can drop what cannot be used."
            ) from error

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        with transaction(self._engine, writes=True) as connection:
            if self.file is None:  # SQLite has one writer at a time by itself
                lock_catalogue(connection, self.name, engine.BUSY_SECONDS, engine.PATIENCE_SECONDS)
            yield connection


def _everything_changed(connection: Connection) -> None:
    """Have nothing believed that was read before."""
    changes.forget_history(connection)
    catalog_row.bump_revision(connection)
    catalog_row.bump_lists_revision(connection)


def _is_of_a_row(error: TypeError) -> bool:
    """Whether it was raised while SQLAlchemy made a value of what a row holds."""
    frames = traceback.walk_tb(error.__traceback__)
    return any("sqlalchemy" in Path(frame.f_code.co_filename).parts for frame, _ in frames)

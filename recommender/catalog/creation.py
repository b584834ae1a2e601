"""Opening the database of a catalogue, creating it where there is none, and undoing that."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from recommender.catalog import migrations
from recommender.catalog.backup import remove_database
from recommender.catalog.engine import catalog_url, database_file, make_engine, transaction
from recommender.catalog.migrations import make_folders
from recommender.catalog.schema import ExclusionRow, FailureRow, PlaylistRow, TrackRow
from recommender.errors import CatalogError
from recommender.utils.files import AnyPath


@dataclass(frozen=True)
class Creation:
    """What was created on opening a catalogue.

    Attributes:
        file: the SQLite file.
        folders: those created for it, the innermost first.
    """

    file: Path
    folders: tuple[Path, ...]

    def is_unused(self, engine: Engine) -> bool:
        """Whether the file still exists and holds no track, no failure and nothing of a user's."""
        if not self.file.exists():
            return False
        with transaction(engine, writes=True) as connection:
            tables = (TrackRow.id, FailureRow.id, ExclusionRow.id, PlaylistRow.id)
            return all(connection.scalar(select(id).limit(1)) is None for id in tables)

    def undo(self) -> None:
        """Delete the file and whatever was created for it; folders with other files stay."""
        remove_database(self.file)
        for folder in self.folders:
            with suppress(OSError):
                folder.rmdir()


def open_database(url: AnyPath | None, create: bool) -> tuple[Engine, Creation | None]:
    """The engine of a catalogue with the newest schema, and what had to be created for it.

    Args:
        url, create: as in `Catalog.open`.

    Raises:
        CatalogError, TypeError: as `Catalog.open` does.
    """
    parsed = catalog_url(url)
    file = database_file(parsed)
    is_new = file is not None and not os.path.exists(file)  # noqa: PTH110 (no PermissionError)
    if is_new and not create:
        raise CatalogError(
            f"there is no catalogue {file}: create it with 'recsys ingest FOLDER', or give another "
            "database file or URL."
        )
    folders = make_folders(parsed)
    created = file is not None and is_new and migrations.create(file)
    engine = make_engine(parsed)
    try:
        migrations.require_newest(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine, Creation(file, folders) if file is not None and created else None

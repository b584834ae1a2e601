"""Where the files of an index are: the base, the segment beside it, and the lock of who writes."""

from pathlib import Path

from recommender.embedding.space import SpaceId, settings_digest

SUFFIX = ".index"


def index_file(space: SpaceId, catalog: str, database: Path | None) -> Path:
    """The path of the base of a space: beside the database file, else in the user's cache folder.

    Args:
        space: the projected space; another space is another file.
        catalog: the catalogue's own id, which names the file when there is no database file.
        database: the SQLite file, or None for a database server.
    """
    name = f".{settings_digest(space)}{SUFFIX}"
    if database is not None:
        return database.with_name(database.stem + name)
    from platformdirs import user_cache_path

    return user_cache_path("recsys") / (catalog + name)


def segment_file(base: Path) -> Path:
    """The segment that follows a base."""
    return base.with_name(f"{base.name}.segment")


def lock_file(base: Path) -> Path:
    """The lock that is held while an index is written."""
    return base.with_name(f".{base.name}.lock")

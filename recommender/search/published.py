"""Generations of an index in a folder that replicas read: written by one host, verified by others.

``FOLDER/NAME/`` holds the files of a generation and a manifest with their SHA-256; ``current.json``
names the newest one and the digest of its manifest. Both appear by renaming, so that a reader sees
a whole generation or the one before. A SQLite catalogue goes with its index; a database server is
followed by its own means.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recommender.catalog import Catalog
from recommender.catalog.backup import copy_database, replace_database
from recommender.catalog.records import CatalogState
from recommender.embedding.space import SpaceId
from recommender.errors import CatalogError, IndexDamaged
from recommender.search.catalog_index import BUILD_WAIT_S, CatalogIndex
from recommender.search.index_file import index_file, segment_file
from recommender.search.index_lock import writing
from recommender.search.mapped_file import read_facts
from recommender.utils.files import AnyPath, as_path, flush_folder

FORMAT = "recsys-published-1"

_CURRENT, _MANIFEST = "current.json", "manifest.json"
_BASE, _SEGMENT, _DATABASE = "index", "index.segment", "catalog.db"
_KEPT = 2
"""Generations that stay, for those who still read the last but one."""

_TRIES = 3
_CHUNK = 2**20


@dataclass(frozen=True)
class Published:
    """A generation in a folder.

    Attributes:
        name: of its subfolder.
        state: of the catalogue that it is of.
        generation: of the base of the index.
        space: of the vectors.
        files: name → size in bytes and SHA-256.
    """

    name: str
    state: CatalogState
    generation: str
    space: SpaceId
    files: Mapping[str, tuple[int, str]]


def export_index(catalog: Catalog, folder: AnyPath) -> Published:
    """Publish the index of the catalogue as it is now, brought up to date first.

    Args:
        catalog: stays open.
        folder: created where it is not there.

    Returns:
        What is in the folder now: the same as before where nothing has changed.

    Raises:
        CatalogError: nothing was analysed, or another process writes the index.
        OSError: the folder cannot be written; what it held is as it was.
    """
    folder = as_path(folder, "folder")
    index = CatalogIndex.of_active_space(catalog)
    current = index.tidied(index.update())
    path, facts = index.path(current.state), current.tracks.base.facts
    name = f"{current.state.revision:010}-{facts.generation[:16]}"
    with suppress(FileNotFoundError, IndexDamaged):
        before = _current(folder)
        if (before.name, before.state) == (name, current.state):
            return before
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f".{name}.{secrets.token_hex(4)}.tmp"
    new.mkdir()
    try:
        with writing(path, BUILD_WAIT_S) as may_read:
            if not may_read or read_facts(path).get("generation") != facts.generation:
                raise CatalogError("another process is writing the index; export it again.")
            files = {_BASE: _copied(path, new / _BASE)}
            if segment_file(path).exists():
                files[_SEGMENT] = _copied(segment_file(path), new / _SEGMENT)
        if catalog.file is not None:  # after the index, so that it is of the same state or a later
            copy_database(catalog.file, new / _DATABASE)
            files[_DATABASE] = _measured(new / _DATABASE)
        published = Published(name, current.state, facts.generation, index.space, files)
        _publish(folder, new, published)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return published


def _publish(folder: Path, new: Path, published: Published) -> None:
    """Put a generation in its place, and drop those before the last but one."""
    manifest = json.dumps({"format": FORMAT, **asdict(published)}, indent=1).encode()
    _write(new / _MANIFEST, manifest)
    flush_folder(new)
    target = folder / published.name
    shutil.rmtree(target, ignore_errors=True)  # of an export that ended before it was named
    new.rename(target)
    digest = hashlib.sha256(manifest).hexdigest()
    temporary = folder / f".{_CURRENT}.{secrets.token_hex(4)}.tmp"
    _write(temporary, json.dumps({"name": published.name, "manifest": digest}).encode())
    temporary.replace(folder / _CURRENT)
    flush_folder(folder)
    older = sorted(file.parent for file in folder.glob(f"*/{_MANIFEST}"))
    for gone in [one for one in older if one != target][: 1 - _KEPT]:
        shutil.rmtree(gone, ignore_errors=True)


def import_index(database: AnyPath | None, folder: AnyPath) -> tuple[Published, bool]:
    """Take over the generation that a folder names as the newest, once it is verified.

    Processes that serve the catalogue go on meanwhile, and find the new index at their next look.

    Args:
        database: as in `Catalog.open`. A SQLite file becomes a copy of the published one: what was
            written to it here is lost. Another database has to be the one of the index.
        folder: that of `export_index`.

    Returns:
        The generation, and whether anything was changed.

    Raises:
        IndexDamaged: nothing is published there, or it is not what was exported; nothing changed.
        CatalogError: the database is of another catalogue, or cannot be written.
        OSError: a file cannot be read or written.
    """
    folder = as_path(folder, "folder")
    for left in reversed(range(_TRIES)):
        try:
            return _imported(database, folder)
        except FileNotFoundError as error:  # dropped, as there are newer ones
            if not left:
                raise _damaged(folder, f"{error.filename} is not there") from error
    raise AssertionError


def _imported(database: AnyPath | None, folder: Path) -> tuple[Published, bool]:
    published = _current(folder)
    source = folder / published.name
    changed = False
    if _DATABASE in published.files:
        changed = _database_imported(database, source, published)
    with Catalog.open(database, create=False) as catalog:
        state = catalog.state()
        if state.catalog != published.state.catalog:
            raise CatalogError(
                f"the index in {folder} is of another catalogue than {catalog.name}; export that "
                "of this one."
            )
        index = CatalogIndex.of_active_space(catalog)
        if index.space != published.space:
            raise IndexDamaged(
                f"the index in {folder} is of the space {published.space}, and the catalogue "
                f"recommends in {index.space}; export it again."
            )
        path = index_file(published.space, state.catalog, catalog.file)
        saved = index.saved(state)
        if saved is not None and saved.state.revision >= published.state.revision:
            return published, changed
    _files_imported(source, path, published)
    return published, True


def _database_imported(database: AnyPath | None, source: Path, published: Published) -> bool:
    from recommender.catalog.database_url import catalog_url, database_file

    file = database_file(catalog_url(database))
    if file is None:
        return False
    if file.exists():
        with Catalog.open(file, create=False) as catalog:
            state = catalog.state()
        if state.catalog != published.state.catalog:
            raise CatalogError(f"{file} is another catalogue; give a file for the copy.")
        if state.revision >= published.state.revision:
            return False
    file.parent.mkdir(parents=True, exist_ok=True)
    with _verified(source, _DATABASE, published, file.parent) as copy:
        replace_database(file, copy)
    return True


def _files_imported(source: Path, path: Path, published: Published) -> None:
    """Put base and segment in their places.

    The base goes first: until the segment follows, the old one is ignored, as it names another.
    """
    with writing(path, BUILD_WAIT_S) as may_write:
        if not may_write:
            raise CatalogError(f"another process is writing the index {path}; import it again.")
        if _generation_of(path) != published.generation:
            with _verified(source, _BASE, published, path.parent) as copy:
                copy.replace(path)
        if _SEGMENT in published.files:
            with _verified(source, _SEGMENT, published, path.parent) as copy:
                copy.replace(segment_file(path))
        else:
            segment_file(path).unlink(missing_ok=True)
        flush_folder(path.parent)


def _generation_of(path: Path) -> str | None:
    with suppress(OSError, IndexDamaged):
        return str(read_facts(path).get("generation"))
    return None


@contextmanager
def _verified(source: Path, name: str, published: Published, beside: Path) -> Iterator[Path]:
    """A copy of a published file in the folder `beside`, whose digest was compared."""
    copy = beside / f".{name}.{secrets.token_hex(8)}.tmp"
    try:
        if _copied(source / name, copy) != published.files[name]:
            raise _damaged(source, f"{name} is not what was exported")
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _current(folder: Path) -> Published:
    """What a folder publishes. Raises `FileNotFoundError` or `IndexDamaged`."""
    named = _parsed((folder / _CURRENT).read_bytes(), folder)
    try:
        name, digest = str(named["name"]), named["manifest"]
        if Path(name).name != name:
            raise ValueError("its name is a path")
        content = (folder / name / _MANIFEST).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise ValueError("its manifest is another one")
        about = _parsed(content, folder)
        if about["format"] != FORMAT:
            raise ValueError(f"it has the format {about['format']!r}, not {FORMAT!r}")
        files = {file: (int(size), str(sum_)) for file, (size, sum_) in about["files"].items()}
        state = CatalogState(**about["state"])
        return Published(name, state, str(about["generation"]), SpaceId(**about["space"]), files)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(folder, str(error)) from error


def _parsed(content: bytes, folder: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(content)
    except ValueError as error:
        raise _damaged(folder, str(error)) from error
    return found


def _damaged(folder: Path, why: str) -> IndexDamaged:
    return IndexDamaged(
        f"what {folder} publishes cannot be used ({why}); nothing was changed. Export it again."
    )


def _copied(source: Path, target: Path) -> tuple[int, str]:
    """Copy a file to the disk; returns its size and digest."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reading, target.open("xb") as output:
        while chunk := reading.read(_CHUNK):
            digest.update(chunk)
            output.write(chunk)
            size += len(chunk)
        output.flush()
        os.fsync(output.fileno())
    return size, digest.hexdigest()


def _measured(file: Path) -> tuple[int, str]:
    with file.open("rb") as reading:
        digest = hashlib.file_digest(reading, "sha256").hexdigest()
    return file.stat().st_size, digest


def _write(file: Path, content: bytes) -> None:
    with file.open("xb") as output:
        output.write(content)
        output.flush()
        os.fsync(output.fileno())

"""Catalogues on media that are read-only, full or without locks; locked ones; backups."""

import logging
import os
import sqlite3
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from catalogs import SPACE, analyse, analysis

from recommender.catalog import Catalog, Library, backup, migrations
from recommender.catalog.engine import catalog_url
from recommender.catalog.migrations import HEAD, current, upgrade
from recommender.errors import CatalogError

pytestmark = pytest.mark.sqlite_file

OLDER = Path(__file__).with_name("catalog_0001.sql")


@pytest.fixture
def older(tmp_path: Path) -> Path:
    file = tmp_path / "older.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(OLDER.read_text())
    return file


def test_a_backup_is_made_before_an_upgrade(older: Path) -> None:
    before = older.read_bytes()
    copied = upgrade(older)
    assert copied == older.with_name("older.schema-0001.db")
    assert copied is not None
    assert current(copied) == "0001"
    assert current(older) == HEAD
    copied.unlink()
    older.write_bytes(before)
    assert upgrade(older, backup=False) is None
    assert sorted(path.name for path in older.parent.iterdir()) == ["older.db"]


def test_a_backup_overwrites_no_other(older: Path) -> None:
    other = older.with_name("older.schema-0001.db")
    other.write_text("mine")
    assert upgrade(older) == older.with_name("older.schema-0001-2.db")
    assert other.read_text() == "mine"
    assert upgrade(older) is None  # nothing to upgrade, nothing to copy


def test_without_space_for_a_backup_nothing_changes(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_copy", full)
    with pytest.raises(CatalogError, match="without a backup"):
        upgrade(older)
    assert current(older) == "0001"
    assert [path.name for path in older.parent.iterdir()] == ["older.db"]


def test_an_empty_file_is_no_empty_catalogue(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    file.touch()
    for open_it in (Catalog.open, upgrade, current):
        with pytest.raises(CatalogError, match="0 bytes"):
            open_it(file)
    assert file.stat().st_size == 0


def test_a_new_catalogue_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        assert not (tmp_path / "new.db").exists()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(migrations, "_upgrade", fail)
    with pytest.raises(CatalogError, match="cannot be created"):
        Catalog.open(tmp_path / "new.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "/dev/zero",
        "~nobody-of-this-name/catalog.db",
        "a\0b",
        "sqlite:///a.db?mode=ro",
        "postgresql://host:port/name",
        "http://host/name",
    ],
)
def test_odd_urls_are_refused_in_one_line(url: str) -> None:
    with pytest.raises(CatalogError) as caught:
        Catalog.open(url)
    assert "\n" not in str(caught.value)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes in the file system")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CatalogError, match="a pipe"):
        catalog_url(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["what?.db", "100%.db", "a#b.db", "a b.db", "~.db"])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    with Catalog.open(tmp_path / name) as catalog:
        assert catalog.file == tmp_path / name
        with Catalog.open(catalog.url) as again:
            assert again.state() == catalog.state()
    assert (tmp_path / name).is_file()


class ReadOnly(sqlite3.Connection):
    """As SQLite behaves on a read-only medium: what it cannot open for writing, it refuses."""

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:  # type: ignore[override]
        if "journal_mode" in sql:
            error = sqlite3.OperationalError("unable to open database file")
            error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
            raise error
        return super().execute(sql, *values)


def test_a_catalogue_that_cannot_be_written_is_read(
    catalog: Catalog, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    track_id = analyse(catalog, library, "a.wav")
    catalog.close()
    assert catalog.file is not None
    before = catalog.file.read_bytes()
    connect = sqlite3.connect

    def read_only(file: object, **options: object) -> sqlite3.Connection:
        factory = sqlite3.Connection if "uri" in options else ReadOnly
        return connect(file, factory=factory, **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(sqlite3, "connect", read_only)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with Catalog.open(catalog.file) as again:
        assert again.track(track_id).path == "a.wav"
        assert len(again.activations(SPACE)[0]) == 1
        with pytest.raises(CatalogError, match="can be read, but not changed"):
            analyse(again, library, "b.wav")
    assert catalog.file.read_bytes() == before


def test_a_locked_catalogue_is_waited_for_with_a_word(
    catalog: Catalog,
    library: Library,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("recommender.catalog.engine.BUSY_SECONDS", 0.2)
    assert catalog.file is not None
    with closing(
        sqlite3.connect(catalog.file, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        released = threading.Timer(1.5, lambda: other.execute("COMMIT"))
        started = time.monotonic()
        released.start()
        with caplog.at_level(logging.WARNING):
            track_id = analyse(catalog, library, "a.wav", analysed=analysis(7))
        released.join()
    assert time.monotonic() - started > 1.0
    assert catalog.track(track_id).duration == 67.0
    assert "is locked by another process" in caplog.text
    assert "Nothing is lost" in caplog.text


def fill(catalog: Catalog, library: Library) -> None:
    for number in range(2000):
        analyse(catalog, library, f"{number}.wav")


def test_a_full_disk_loses_nothing(catalog: Catalog, library: Library) -> None:
    resource = pytest.importorskip("resource")
    first = analyse(catalog, library, "first.wav")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert catalog.file is not None
    resource.setrlimit(resource.RLIMIT_FSIZE, (catalog.file.stat().st_size, before[1]))
    try:
        with pytest.raises(CatalogError, match="cannot be used") as caught:
            fill(catalog, library)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "\n" not in str(caught.value)
    stored = catalog.counts().analysed
    assert catalog.track(first).path == "first.wav"
    with suppress(CatalogError):
        analyse(catalog, library, "again.wav")
    with Catalog.open(catalog.file) as again:
        assert again.page_errors() == []
        assert again.counts().analysed in (stored, stored + 1)


@pytest.mark.parametrize("version", ["12", "head", "000b", "00001"])
def test_a_version_that_is_none(tmp_path: Path, version: str) -> None:
    file = tmp_path / "catalog.db"
    upgrade(file)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    with pytest.raises(CatalogError, match="damaged"):
        Catalog.open(file)

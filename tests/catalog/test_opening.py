"""Which database is opened, what is refused, and what a failed ingest leaves of a new one."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from recommender.catalog import Catalog, FileStat
from recommender.catalog.engine import catalog_url
from recommender.catalog.migrations import (
    upgrade,
)
from recommender.errors import CatalogError


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A new catalogue's file."""
    file = tmp_path / "catalog.db"
    upgrade(str(file))
    return file


def tables(database: Path) -> set[str]:
    engine = sa.create_engine(f"sqlite:///{database}")
    names = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return names


def test_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("dear diary, " * 100)
    with pytest.raises(CatalogError, match="not a database"):
        Catalog.open(str(file))
    assert file.read_text().startswith("dear diary")


def test_database_of_another_program(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE songs (id)")
    connection.close()
    with pytest.raises(CatalogError, match="another program"):
        Catalog.open(str(file))
    with pytest.raises(CatalogError, match="another program"):
        upgrade(str(file))
    assert tables(file) == {"songs"}


def test_path_that_cannot_hold_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CatalogError, match="cannot be created"):
        Catalog.open(str(tmp_path / "file" / "catalog.db"))
    with pytest.raises(CatalogError, match="cannot be used"):
        Catalog.open(str(tmp_path))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission(tmp_path: Path, database: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        for name in ("new.db", "folder/new.db"):
            with pytest.raises(CatalogError, match="cannot be"):
                Catalog.open(str(tmp_path / name))
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("://", "no database URL"),
        ("nosuch://host/name", "driver"),
    ],
)
def test_urls_that_cannot_be_used(url: str, says: str) -> None:
    with pytest.raises(CatalogError, match=says):
        Catalog.open(url)


def test_url_is_a_path_or_a_url_or_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a b" / "catalog.db"
    monkeypatch.chdir(tmp_path)
    assert catalog_url("a b/catalog.db").database == str(file)
    assert catalog_url("sqlite:///a b/catalog.db").database == str(file)
    monkeypatch.setenv("RECSYS_DB", str(file))
    assert catalog_url().database == str(file)
    with Catalog.open() as catalog, Catalog.open(catalog.url) as again:
        assert catalog.folder == file.parent
        assert again.state() == catalog.state()
    with Catalog.open(file) as by_path:
        assert by_path.url == catalog.url


@pytest.mark.parametrize("wrong", [3, b"catalog.db", ["catalog.db"]])
def test_what_is_no_path_or_url_is_a_type_error(wrong: object) -> None:
    with pytest.raises(TypeError, match=r"path \(str or os\.PathLike\), a database URL"):
        Catalog.open(wrong)  # type: ignore[arg-type]


def test_a_catalogue_that_nothing_was_stored_in_can_be_discarded(tmp_path: Path) -> None:
    file = tmp_path / "new" / "deep" / "catalog.db"
    with Catalog.open(file) as catalog:
        catalog.scope_of(tmp_path / "music")
        assert file.exists()
        assert catalog.discard_if_new()
        assert list(tmp_path.iterdir()) == []
        assert not catalog.discard_if_new()


def test_a_catalogue_that_is_in_use_is_not_discarded(tmp_path: Path) -> None:
    """Nor are the folder and the files that others put into it."""
    file = tmp_path / "new" / "catalog.db"
    with Catalog.open(file) as catalog:
        library, _ = catalog.scope_of(tmp_path / "music")
        with catalog.writing() as write:
            write.failed(library, FileStat("a.mp3", 1, 1), "unreadable", "damaged")
        assert not catalog.discard_if_new()
        with catalog.writing() as write:
            write.forget_failures(library, ["a.mp3"])
        with Catalog.open(file) as second:  # which did not create it
            assert not second.discard_if_new()
        (file.parent / "notes.txt").touch()
        assert catalog.discard_if_new()
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "notes.txt"]


def test_the_default_is_the_user_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RECSYS_DB", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    database = catalog_url().database
    assert database is not None
    assert Path(database).parts[-2:] == ("recsys", "catalog.db")


def test_several_processes_create_one_catalogue(tmp_path: Path) -> None:
    script = "import sys; from recommender.catalog import Catalog as C; print(C.open().state())"
    environment = {**os.environ, "RECSYS_DB": str(tmp_path / "new" / "catalog.db")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    printed = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 3
    assert len(printed) == 1

"""The schema is made by the migrations alone, and a database of another kind is never touched."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from recommender.catalog import Catalog, ProjectionOrigin
from recommender.catalog.engine import catalog_url, make_engine, transaction
from recommender.catalog.migrations import (
    HEAD,
    alembic_config,
    current,
    migrations_folder,
    upgrade,
)
from recommender.catalog.schema import Base
from recommender.embedding.projection import Projection
from recommender.errors import CatalogError

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A new catalogue's file."""
    file = tmp_path / "catalog.db"
    upgrade(str(file))
    return file


def set_version(database: Path, version: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.close()


def tables(database: Path) -> set[str]:
    engine = sa.create_engine(f"sqlite:///{database}")
    names = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return names


def alembic(database: str, *arguments: str) -> str:
    """Run the alembic command in the checkout, as a developer does."""
    run = subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "RECSYS_DB": database},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_head_is_the_newest_revision_and_order_is_plain(database: Path) -> None:
    engine = make_engine(catalog_url(str(database)))
    with transaction(engine) as connection:
        script = ScriptDirectory.from_config(alembic_config(connection))
    engine.dispose()
    newest_first = [revision.revision for revision in script.walk_revisions()]
    assert newest_first[0] == HEAD
    assert newest_first == sorted(newest_first, reverse=True)
    assert all(len(revision) == 4 and revision.isdigit() for revision in newest_first)


def test_migrations_make_what_the_models_say(database: Path) -> None:
    engine = make_engine(catalog_url(str(database)))
    with transaction(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()
    assert tables(database) == {*Base.metadata.tables, "alembic_version"}


def test_downgrade_and_upgrade(database: Path) -> None:
    engine = make_engine(catalog_url(str(database)), foreign_keys=False)
    with transaction(engine, writes=True) as connection:
        command.downgrade(alembic_config(connection), "base")
    engine.dispose()
    assert tables(database) == {"alembic_version"}
    assert current(str(database)) is None
    with Catalog.open(str(database)) as catalog:
        assert catalog.state().revision == 0
    assert current(str(database)) == HEAD


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A catalogue of two tracks and a failure, as schema 0001 left it."""
    file = tmp_path / "older.db"
    with sqlite3.connect(file) as connection:
        connection.executescript(Path(__file__).with_name("catalog_0001.sql").read_text())
    connection.close()
    return file


def rows(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of a catalogue, by table, save the schema's version and the projections."""
    with sqlite3.connect(database) as connection:
        found = {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()
            for name in sorted(tables(database) - {"alembic_version", "projections"})
        }
    connection.close()
    return found


def under_present_names(found: dict[str, list[tuple[object, ...]]]) -> dict[str, list[object]]:
    """Rows of schema 0001 as schema 0003 names their table and their state."""
    return {
        {"hearings": "analyses"}.get(name, name): [
            tuple("analysed" if value == "heard" else value for value in row) for row in of_table
        ]
        for name, of_table in found.items()
    }


def test_a_catalogue_of_the_first_schema_is_upgraded_and_back(older: Path) -> None:
    before = rows(older)
    assert before["tracks"]
    with pytest.raises(CatalogError, match="recsys db upgrade"):
        Catalog.open(str(older))
    upgrade(str(older))
    assert rows(older) == under_present_names(before)
    with Catalog.open(str(older)) as catalog:
        space = catalog.active_space()
        assert space is not None
        assert [track.title for track in catalog.all_tracks()] == ["First Light", "Second Light"]
        assert catalog.activations(space)[1].shape == (2, 4)
        assert catalog.projection(space, ProjectionOrigin.MODEL) is None
        projection = Projection(np.ones(4, np.float32), np.ones((4, 2), np.float32))
        catalog.store_projection(space, ProjectionOrigin.MODEL, projection, {})
    engine = make_engine(catalog_url(str(older)), foreign_keys=False)
    with transaction(engine, writes=True) as connection:
        command.downgrade(alembic_config(connection), "0001")
    engine.dispose()
    assert current(str(older)) == "0001"
    assert "projections" not in tables(older)
    assert rows(older) == before


def test_upgrading_the_newest_changes_nothing(database: Path) -> None:
    with Catalog.open(str(database)) as catalog:
        before = catalog.state()
        upgrade(str(database))
        assert catalog.state() == before


def test_alembic_in_the_checkout(tmp_path: Path) -> None:
    database = tmp_path / "new" / "catalog.db"
    database.parent.mkdir()
    alembic(str(database), "upgrade", "head")
    assert current(str(database)) == HEAD
    assert "No new upgrade operations" in alembic(str(database), "check")


def test_alembic_prints_sql_for_postgresql() -> None:
    sql = alembic("postgresql://nobody@nowhere/music", "upgrade", "head", "--sql")
    assert "CREATE TABLE tracks" in sql
    assert "activations BYTEA" in sql
    assert "CREATE TABLE projections" in sql
    assert "matrix BYTEA" in sql


def test_rebuilding_a_table_keeps_what_refers_to_it(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.executescript(
            "INSERT INTO libraries VALUES (1, '/music');"
            "INSERT INTO spaces VALUES (1, 'net', 'w', 'h', 1);"
            "INSERT INTO tracks (id, library_id, path, size, mtime_ns, content_hash, state,"
            " duration, search_text) VALUES (7, 1, 'a', 1, 1, 'd', 'analysed', 1.0, 'a');"
            "INSERT INTO analyses VALUES (7, 1, '2024-01-01 00:00:00', 'v', '{}', '[]', x'00');"
        )
    connection.close()
    engine = make_engine(catalog_url(str(database)), foreign_keys=False)
    with transaction(engine, writes=True) as migrating:
        operations = Operations(MigrationContext.configure(migrating))
        with operations.batch_alter_table("tracks", recreate="always") as batch:
            batch.add_column(sa.Column("mood", sa.Text()))
    with transaction(engine) as reading:
        assert reading.exec_driver_sql("SELECT track_id FROM analyses").scalars().all() == [7]
    engine.dispose()


def test_older_schema_says_how_to_upgrade(database: Path) -> None:
    set_version(database, "0000")
    with pytest.raises(CatalogError, match="recsys db upgrade"):
        Catalog.open(str(database))


def test_newer_schema_says_update(database: Path) -> None:
    set_version(database, "9999")
    with pytest.raises(CatalogError, match="Update recsys"):
        Catalog.open(str(database))
    with pytest.raises(CatalogError, match="Update recsys"):
        upgrade(str(database))


def test_asking_for_the_version_makes_no_file(tmp_path: Path) -> None:
    assert current(str(tmp_path / "absent.db")) is None
    assert list(tmp_path.iterdir()) == []


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


def test_place_that_cannot_hold_a_file(tmp_path: Path) -> None:
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


def test_the_default_is_the_user_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RECSYS_DB", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    database = catalog_url().database
    assert database is not None
    assert Path(database).parts[-2:] == ("recsys", "catalog.db")


def test_several_processes_make_one_catalogue(tmp_path: Path) -> None:
    script = "import sys; from recommender.catalog import Catalog as C; print(C.open().state())"
    environment = {**os.environ, "RECSYS_DB": str(tmp_path / "new" / "catalog.db")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 3
    assert len(said) == 1


def test_migrations_are_found_in_the_checkout() -> None:
    assert (migrations_folder() / "versions" / "0001_first_schema.py").is_file()

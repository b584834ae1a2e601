"""The schema is created by the migrations alone; a database of another kind is never touched."""

import os
import sqlite3
import subprocess
import sys
import zlib
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


def test_migrations_create_what_the_models_say(database: Path) -> None:
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


NEW_COLUMNS = {"libraries": 2, "tracks": 9, "analyses": 2, "catalog": 2}
"""Number of columns that schemas 0004 to 0012 added at the end of a table."""

NEW_TABLES = {
    "removals",
    "cue_sheets",
    "exclusions",
    "events",
    "playlists",
    "playlist_entries",
    "servers",
    "remote_tracks",
    "remote_names",
    "musical_descriptors",
    "layouts",
    "library_roots",
    "leases",
    "claims",
}


def without_new_columns(
    found: dict[str, list[tuple[object, ...]]],
) -> dict[str, list[tuple[object, ...]]]:
    """Rows of schema 0012 as 0003 had them."""
    return {
        name: [
            tuple(
                in_single_precision(value) for value in row[: len(row) - NEW_COLUMNS.get(name, 0)]
            )
            for row in of_table
        ]
        for name, of_table in found.items()
        if name not in NEW_TABLES
    }


def but_for_the_revision(
    found: dict[str, list[tuple[object, ...]]],
) -> dict[str, list[tuple[object, ...]]]:
    """The same without the revision, which an upgrade raises."""
    return found | {"catalog": [(*row[:2], *row[3:]) for row in found["catalog"]]}


def in_single_precision(value: object) -> object:
    return np.frombuffer(value, "<f2").astype("<f4").tobytes() if type(value) is bytes else value


def test_checksums_of_embeddings_are_computed_by_the_upgrade(older: Path) -> None:
    upgrade(older)
    for *_, activations, _, checksum in rows(older)["analyses"]:
        assert isinstance(activations, bytes)
        assert checksum == zlib.crc32(activations)


def test_damage_and_numbers_out_of_range_stay_as_they_are(database: Path) -> None:
    whole, large = np.ones(2, "<f4").tobytes(), np.array([1, 1e6], "<f4").tobytes()
    stored = {1: (whole, zlib.crc32(whole)), 2: (whole, zlib.crc32(whole) ^ 1)}
    stored |= {3: (large, zlib.crc32(large)), 4: (whole[:-1], zlib.crc32(whole))}
    engine = make_engine(catalog_url(str(database)), foreign_keys=False)
    with transaction(engine, writes=True) as connection:
        command.downgrade(alembic_config(connection), "0004")
        connection.exec_driver_sql("INSERT INTO spaces VALUES (1, 'm', 'w', 'a', 2)")
        for track, (blob, checksum) in stored.items():
            connection.exec_driver_sql(
                "INSERT INTO analyses (track_id, space_id, analysed_at, analysed_by,"
                " genre_probabilities, windows, activations, checksum)"
                " VALUES (?, 1, '2026-01-01 00:00:00', 'test', '{}', '[]', ?, ?)",
                (track, blob, checksum),
            )
        command.upgrade(alembic_config(connection), "head")
        found = connection.exec_driver_sql("SELECT track_id, activations, checksum FROM analyses")
        after = {track: (blob, checksum) for track, blob, checksum in found}
    engine.dispose()
    half = np.ones(2, "<f2").tobytes()
    assert after == {**stored, 1: (half, zlib.crc32(half))}


def test_a_catalogue_of_the_first_schema_is_upgraded_and_back(older: Path) -> None:
    before = rows(older)
    assert before["tracks"]
    with pytest.raises(CatalogError, match="recsys db upgrade"):
        Catalog.open(str(older))
    upgrade(str(older))
    assert without_new_columns(but_for_the_revision(rows(older))) == under_present_names(
        but_for_the_revision(before)
    )
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
    assert but_for_the_revision(rows(older)) == but_for_the_revision(before)


def test_unavailable_tracks_are_kept_by_a_downgrade(older: Path) -> None:
    before = rows(older)
    upgrade(older)
    with Catalog.open(older) as catalog:
        for library in catalog.libraries():
            catalog.set_unavailable(library)
        assert catalog.counts().analysed == 0
    engine = make_engine(catalog_url(older), foreign_keys=False)
    with transaction(engine, writes=True) as connection:
        command.downgrade(alembic_config(connection), "0001")
    engine.dispose()
    assert rows(older)["tracks"] == before["tracks"]


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
    assert "ALTER TABLE hearings RENAME TO analyses" in sql
    assert "ALTER TABLE tracks RENAME COLUMN digest TO content_hash" in sql
    assert "INSERT INTO analyses" not in sql
    assert "ALTER TABLE analyses ADD COLUMN checksum BIGINT" in sql
    assert "UPDATE analyses" not in sql
    assert "ALTER TABLE tracks ADD COLUMN recording_mbid TEXT" in sql
    assert "ALTER TABLE tracks ADD COLUMN isrcs JSON" in sql
    assert "CREATE TABLE playlist_entries" in sql
    assert "FOREIGN KEY(track_id) REFERENCES tracks (id) ON DELETE CASCADE" in sql
    back = alembic("postgresql://nobody@nowhere/music", "downgrade", "0003:0002", "--sql")
    assert "ALTER TABLE analyses RENAME TO hearings" in back


def test_rebuilding_a_table_keeps_what_refers_to_it(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.executescript(
            "INSERT INTO libraries (id, root) VALUES (1, '/music');"
            "INSERT INTO spaces VALUES (1, 'net', 'w', 'h', 1);"
            "INSERT INTO tracks (id, library_id, path, size, mtime_ns, content_hash, state,"
            " duration, search_text) VALUES (7, 1, 'a', 1, 1, 'd', 'analysed', 1.0, 'a');"
            "INSERT INTO analyses (track_id, space_id, analysed_at, analysed_by,"
            " genre_probabilities, windows, activations)"
            " VALUES (7, 1, '2024-01-01', 'v', '{}', '[]', x'00');"
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


def test_reading_the_version_creates_no_file(tmp_path: Path) -> None:
    assert current(str(tmp_path / "absent.db")) is None
    assert list(tmp_path.iterdir()) == []


def test_migrations_are_found_in_the_checkout() -> None:
    assert (migrations_folder() / "versions" / "0001_first_schema.py").is_file()

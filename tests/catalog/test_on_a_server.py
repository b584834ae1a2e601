"""What a database server adds: migrations with rows, refusals, restarts, and waiting for others."""

import logging
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from catalogs import SPACE, alter, analyse
from postgres_server import PASSWORD, PostgresServer

from recommender.catalog import Catalog
from recommender.catalog.engine import catalog_url, make_engine, shown, transaction
from recommender.catalog.migrations import alembic_config, upgrade
from recommender.catalog.schema import Base
from recommender.errors import CatalogError

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

OLDER = Path(__file__).with_name("catalog_0001.sql")


def test_migrations_create_what_the_models_say(postgres_url: str) -> None:
    engine = make_engine(catalog_url(postgres_url))
    with transaction(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def plain(value: object) -> object:
    """A value as both databases would write it."""
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC)).replace(tzinfo=None)
    return bytes(value) if isinstance(value, memoryview) else value


def every_row(url: sa.URL | str, tables: sa.MetaData) -> dict[str, list[tuple[object, ...]]]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = {
            table.name: sorted(
                (
                    tuple(plain(value) for value in row)
                    for row in connection.execute(table.select())
                ),
                key=repr,
            )
            for table in tables.sorted_tables
        }
    engine.dispose()
    return found


def copy_rows(source: Path, target: str) -> None:
    """Copy what a SQLite file of some schema holds into a database of the same schema."""
    tables = sa.MetaData()
    engine, other = sa.create_engine(f"sqlite:///{source}"), sa.create_engine(target)
    with engine.connect() as reading, other.begin() as writing:
        tables.reflect(other)
        for table in tables.sorted_tables:
            writing.execute(table.delete())
            columns = [sa.column(column.name, column.type) for column in table.columns]
            rows = reading.execute(sa.select(*columns).select_from(sa.table(table.name)))
            if values := [dict(row._mapping) for row in rows]:
                writing.execute(table.insert(), values)
    engine.dispose()
    other.dispose()


def test_an_older_catalogue_is_upgraded_as_on_sqlite(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    file = tmp_path / "older.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(OLDER.read_text())
    url = postgres_server.empty_database()
    engine = make_engine(catalog_url(url), foreign_keys=False)
    with transaction(engine, writes=True) as connection:
        command.upgrade(alembic_config(connection), "0001")
    engine.dispose()
    copy_rows(file, url)
    with pytest.raises(CatalogError, match="recsys db upgrade"):
        Catalog.open(url)
    upgrade(url)
    upgrade(file)
    found, expected = (every_row(at, Base.metadata) for at in (url, f"sqlite:///{file}"))
    assert found == expected
    assert len(found["tracks"]) == 2
    postgres_server.drop(url)


CREATES = "import sys; from recommender.catalog import Catalog; Catalog.open(sys.argv[1]).close()"


def test_processes_that_create_at_once_make_one_catalogue(postgres_server: PostgresServer) -> None:
    url = postgres_server.empty_database()
    command_line = [sys.executable, "-c", CREATES, url]
    processes = [subprocess.Popen(command_line, stderr=subprocess.PIPE) for _ in range(3)]
    errors = [process.communicate()[1].decode() for process in processes]
    assert errors == [""] * 3
    with Catalog.open(url) as catalog:
        assert catalog.counts().analysed == 0
    postgres_server.drop(url)


def refused(url: str) -> str:
    with pytest.raises(CatalogError) as caught:
        Catalog.open(url)
    message = str(caught.value)
    assert "\n" not in message
    for secret in (PASSWORD, quote(PASSWORD, safe=""), "wrong-word"):
        assert secret not in message
    return message


def test_what_cannot_be_opened_is_one_line_without_the_password(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "password authentication failed" in refused(
        postgres_server.url("postgres", "wrong-word")
    )
    assert "does not exist" in refused(postgres_server.url("nowhere"))
    url = sa.make_url(postgres_server.url("postgres"))
    for changed, words in (
        ({"host": "no-such-host.invalid"}, "Check the host"),
        ({"port": 1}, "Check that the server runs"),
        ({"drivername": "postgresql+nodriver"}, "extra 'postgres'"),
        ({"drivername": "postgresql+asyncpg"}, "driver"),
    ):
        assert words in refused(url.set(**changed).render_as_string(hide_password=False))
    assert "***" in refused("postgresql://me:wrong-word@host:port/name")


def test_a_url_without_a_driver_has_the_usual_one(postgres_server: PostgresServer) -> None:
    for name in ("postgresql", "postgres"):
        url = catalog_url(f"{name}://me:secret@host/music")
        assert url.drivername == "postgresql+psycopg"
        assert shown(url) == "postgresql+psycopg://me:***@host/music"


def test_a_newer_schema_and_another_program_are_refused(postgres_server: PostgresServer) -> None:
    url = postgres_server.catalogue()
    alter_plain(url, "UPDATE alembic_version SET version_num = '9999'")
    assert "written by a newer recsys" in refused(url)
    other = postgres_server.empty_database()
    alter_plain(other, "CREATE TABLE songs (id integer)")
    assert "another program" in refused(other)
    for database in (url, other):
        postgres_server.drop(database)


def alter_plain(url: str, statement: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def test_another_writer_is_waited_for_with_a_word(
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("recommender.catalog.engine.BUSY_SECONDS", 0.2)
    with Catalog.open(postgres_url) as catalog, Catalog.open(postgres_url) as other:
        library, _ = catalog.scope_of(tmp_path)
        holds, done = threading.Event(), threading.Event()

        def hold() -> None:
            with other.writing():
                holds.set()
                done.wait(1.0)

        thread = threading.Thread(target=hold)
        thread.start()
        holds.wait()
        with caplog.at_level(logging.WARNING):
            analyse(catalog, library, "a.wav")
        thread.join()
        assert catalog.counts().analysed == 1
    assert "is locked by another process" in caplog.text
    assert PASSWORD not in caplog.text


def stop_while_writing(server: PostgresServer, catalog: Catalog, track: int) -> None:
    with catalog.writing() as write:
        write.missing([track])
        server.stop()
        write.found_again([track])


def test_a_server_that_vanishes_in_a_batch_loses_that_batch_alone(tmp_path: Path) -> None:
    server = PostgresServer(synchronous_commit="on")
    try:
        with Catalog.open(server.catalogue()) as catalog:
            library, _ = catalog.scope_of(tmp_path)
            kept = analyse(catalog, library, "kept.wav")
            with pytest.raises(CatalogError) as caught:
                stop_while_writing(server, catalog, kept)
            assert "\n" not in str(caught.value)
            assert PASSWORD not in str(caught.value)
            with pytest.raises(CatalogError, match="Check that the server runs"):
                catalog.counts()
            server.start()
            assert catalog.counts().analysed == 1
            assert analyse(catalog, library, "next.wav") > kept
            server.stop(at_once=False)
            server.start()  # between two uses: nobody notices
            assert catalog.counts().analysed == 2
            assert catalog.track(kept).path == "kept.wav"
    finally:
        server.close()


def test_text_is_in_the_order_of_code_points(postgres_url: str, tmp_path: Path) -> None:
    names = ["a.wav", "B.wav", "ä.wav", "_.wav", "Z/a.wav", "z.wav", "\U0001f3b5.wav", "~.wav"]
    with Catalog.open(postgres_url) as catalog:
        library, _ = catalog.scope_of(tmp_path)
        for name in names:
            analyse(catalog, library, name)
        known = [row[0] for row in catalog.known_tracks(library, SPACE)]
        assert known == sorted(names)
        assert [track.path for track in catalog.search("wav")] == sorted(names)


# Leases


@pytest.fixture
def shared(postgres_url: str, tmp_path: Path) -> Any:
    with Catalog.open(postgres_url) as catalog:
        catalog.scope_of(tmp_path)
        yield catalog


FILES = [(1, f"{number}.flac") for number in range(4)]


def test_a_file_is_claimed_once(shared: Catalog) -> None:
    one, other = shared.begin_lease(), shared.begin_lease()
    assert shared.claim(one, FILES[:2]) == set(FILES[:2])
    assert shared.claim(other, FILES) == set(FILES[2:])
    assert shared.claim(one, FILES) == set()
    shared.release(one, FILES[:1])
    assert shared.claim(other, FILES) == set(FILES[:1])
    shared.end_lease(other)
    assert shared.claim(one, FILES) == {FILES[0], *FILES[2:]}


def test_a_host_that_gives_no_sign_of_life_loses_its_files(
    shared: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock of the database: those of the hosts may be hours apart."""
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setenv("RECSYS_HOST", "dies")
    dead = shared.begin_lease()
    assert shared.claim(dead, FILES) == set(FILES)
    monkeypatch.setenv("RECSYS_HOST", "lives")
    alive = shared.begin_lease()
    assert shared.claim(alive, FILES) == set()
    alter(shared, "UPDATE leases SET expires_at = now() - interval '1 second' WHERE id = ?", dead)
    assert shared.renew_lease(dead)  # late, but before anybody else came
    assert shared.claim(alive, FILES) == set()
    alter(shared, "UPDATE leases SET expires_at = now() - interval '1 second' WHERE id = ?", dead)
    with shared.writing() as write:
        assert write.held(dead, FILES) == set(FILES)
        assert shared.claim(alive, FILES) == set()  # not while its results are being written
    assert shared.claim(alive, FILES) == set(FILES)
    assert not shared.renew_lease(dead)
    with shared.writing() as write:
        assert write.held(dead, FILES) == set()


def test_a_killed_process_of_this_host_is_not_waited_for(shared: Catalog) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = shared.begin_lease()
    assert shared.claim(dead, FILES) == set(FILES)
    alter(shared, "UPDATE leases SET process = ? WHERE id = ?", ended.pid, dead)
    assert shared.claim(shared.begin_lease(), FILES) == set(FILES)

"""A PostgreSQL server on loopback with its data in a temporary folder, and databases on it."""

import itertools
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import sqlalchemy as sa

USER = "recsys"
PASSWORD = "a secret/of:mine@home"
_TEMPLATE = "recsys_template"
_UNSAFE_AND_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "autovacuum": "off",
}


def server_programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``: on the path, or Debian's newest; None for none."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin: -int(bin.parts[-2]))
    return next((folder for folder in found if (folder / "initdb").exists()), None)


def why_none() -> str | None:
    """Why no server can be started here; None where one can."""
    if server_programs() is None:
        return "no PostgreSQL server is installed (Debian: postgresql)"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed (extra 'postgres')"
    if os.getuid() == 0:
        import pwd

        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "the server refuses root, and there is no user 'postgres' to run it as"
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PostgresServer:
    """A server that is started, stopped and started again; its databases have passwords.

    Attributes:
        port: on loopback; the same after a restart.
    """

    def __init__(self, **options: str) -> None:
        """Make its data folder, and start it.

        Args:
            options: of ``postgresql.conf``.
        """
        programs = server_programs()
        assert programs is not None, "see why_none"
        self._programs = programs
        in_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self._folder = Path(mkdtemp(prefix="recsys-postgres-", dir=in_memory))
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._user = "postgres" if os.getuid() == 0 else None
        if self._user:
            shutil.chown(self._folder, self._user)
        self.port = _free_port()
        (self._folder / "password").write_text(PASSWORD, encoding="utf-8")
        self._run(
            "initdb", "--pgdata", str(self._data), "--username", USER, "--encoding", "UTF8",
            "--auth", "scram-sha-256", "--pwfile", str(self._folder / "password"), "--no-sync",
            # Not the order of SQLite, nor that of many servers: by the rules of a language.
            "--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en-US",
        )  # fmt: skip
        settings = _UNSAFE_AND_FAST | options | {"port": str(self.port)}
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self.start()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(
            command, user=self._user, cwd=self._folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self._data)],
                user=self._user,
                cwd=self._folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                with _administration(self.url("postgres")):
                    return
            except sa.exc.OperationalError:
                time.sleep(0.02)
        raise TimeoutError((self._folder / "log").read_text(encoding="utf-8")[-2000:])

    def stop(self, *, at_once: bool = True) -> None:
        """Stop it: without a word to its clients, or after their transactions are rolled back."""
        import signal

        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self._process.wait(timeout=60)
            self._process = None

    def close(self) -> None:
        """Stop it, and delete its data."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str, password: str = PASSWORD) -> str:
        """The URL of one of its databases."""
        url = sa.URL.create("postgresql+psycopg", USER, password, "127.0.0.1", self.port, database)
        return url.render_as_string(hide_password=False)

    def empty_database(self) -> str:
        """The URL of a new database without a table."""
        return self._create("template0")

    def catalogue(self) -> str:
        """The URL of a new, empty catalogue of the newest schema, each with its own id."""
        from recommender.catalog.migrations import upgrade

        with _administration(self.url("postgres")) as connection:
            names = "SELECT 1 FROM pg_database WHERE datname = :name"
            made = connection.scalar(sa.text(names), {"name": _TEMPLATE})
        if not made:
            with _administration(self.url("postgres")) as connection:
                connection.exec_driver_sql(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
            upgrade(self.url(_TEMPLATE))
        url = self._create(_TEMPLATE)
        with _administration(url) as connection:
            connection.exec_driver_sql("UPDATE catalog SET uuid = gen_random_uuid()::text")
        return url

    def _create(self, template: str) -> str:
        name = f"test_{next(self._numbers)}"
        with _administration(self.url("postgres")) as connection:
            connection.exec_driver_sql(
                f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"
            )
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database, also one with open connections."""
        name = sa.make_url(url).database
        with _administration(self.url("postgres")) as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def _administration(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()

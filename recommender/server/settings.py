"""Settings of the server and its limits."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from recommender.catalog.database_url import catalog_url, database_file
from recommender.errors import UsageError
from recommender.ingestion.worker_limits import FileLimits

DEFAULT_PORT = 8710

MOST_TRACKS = 1000
"""Longest list that one request gets, and most seeds that it may name."""

BYTES_A_SECOND = 64 << 10
"""Bodies that come more slowly are given up, beyond the time that any body may take."""

_MB = 1 << 20


@dataclass(frozen=True)
class ServerLimits:
    """What clients may ask of the server; beyond that they are refused.

    Attributes:
        body: bytes of a request's body.
        upload: bytes of a request with a sound file.
        connections: open at a time; one address gets half of them.
        threads: requests that are computed at a time.
        waiting: requests that wait for a thread; the next one is refused.
        uploads: sounds that are analysed at a time.
        request_s: seconds after which a request that is computed is given up.
        head_s: seconds in which the head of a request must have come.
        body_s: seconds in which a body must have come, beside one for every 64 KiB of it.
        send_s: seconds after which a client that reads nothing of its answer is given up.
        stop_s: seconds that requests get to end when the server stops.
    """

    body: int = 1 * _MB
    upload: int = 256 * _MB
    connections: int = 512
    threads: int = 4
    waiting: int = 128
    uploads: int = 2
    request_s: float = 30.0
    head_s: float = 15.0
    body_s: float = 15.0
    send_s: float = 300.0
    stop_s: int = 10


@dataclass(frozen=True)
class ServerSettings:
    """Settings of the server.

    Attributes:
        database: of the catalogue: URL or path of a SQLite file; None for the default.
        host, port: where it listens; port 0 for any that is free.
        base_path: what stands before every route, such as ``/recsys``; empty for nothing.
        users_file: who may use it; None for a file beside the catalogue.
        require_auth: whether every request has to prove who asks. None: unless the host is a
            loopback address and there never was a user.
        show_paths: whether answers name files and folders of the disk.
        watch: whether changes in the music folders start an ingest.
        origins: web pages of other origins that may read answers (CORS).
        server_name: the linked media server whose ids players use; None for the only one.
        ingest_workers: processes that analyse files in an ingest that the server runs.
        file_limits: what opening one sound may cost.
        limits: what clients may ask.

    Raises `UsageError` for what would leave the catalogue open to the network.
    """

    database: str | None = None
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    base_path: str = ""
    users_file: Path | None = None
    require_auth: bool | None = None
    show_paths: bool = False
    watch: bool = False
    origins: tuple[str, ...] = ()
    server_name: str | None = None
    ingest_workers: int = 1
    file_limits: FileLimits = field(default_factory=FileLimits)
    limits: ServerLimits = field(default_factory=ServerLimits)

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        if self.require_auth is False and not self.is_loopback:
            raise UsageError(
                f"{self.host} can be reached from other machines: there every request must prove "
                "who asks. Listen at 127.0.0.1 to serve without that."
            )
        path = self.base_path
        if path and (not path.startswith("/") or path.endswith("/") or "//" in path):
            raise UsageError(f"a base path is written like /recsys, not {path!r}.")
        if "*" in self.origins:
            raise UsageError("name the web pages that may read answers; * would be all of them.")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.host)

    @property
    def users_path(self) -> Path:
        """Where users are kept: beside a SQLite catalogue, else in the user's data folder."""
        if self.users_file is not None:
            return self.users_file
        return self.file_beside("users.json")

    def file_beside(self, ending: str) -> Path:
        """A file of the server's own beside a SQLite catalogue, else in the user's data folder."""
        file = database_file(catalog_url(self.database))
        if file is None:
            return platformdirs.user_data_path("recsys") / ending
        return file.with_name(f"{file.name}.{ending}")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

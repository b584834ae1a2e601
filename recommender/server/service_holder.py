"""The one `SimilarityService` of the process: opened when there is something to serve, and anew
when the catalogue is served in another space or its file was replaced."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recommender.catalog.database_url import catalog_url, database_file
from recommender.catalog.projector import catalog_projector
from recommender.errors import CatalogError, NothingAnalysed, RecsysError, SpaceMismatch
from recommender.ingestion.worker_limits import FileLimits
from recommender.recommendation.service import SimilarityService
from recommender.recommendation.snapshot_updates import UpdatePace

logger = logging.getLogger(__name__)

_RETRY_S = 2.0
"""After a failure to open the catalogue, so that a flood of requests does not open it each time."""


_PACE = UpdatePace(wait_s=0.02, brief_s=0.1, rest=40.0, longest_rest_s=20.0, niceness=5)
"""No query waits for an index, and an ingest beside queries makes few of them: that of a large
catalogue takes a fifth of a second of the processor that queries need."""


class _Lease:
    """A service and how many requests use it."""

    def __init__(self, service: SimilarityService) -> None:
        self.service = service
        self.users = 0
        self.is_retired = False
        self.version: tuple[int, ...] | None = None  # of the file, when it was last looked at


class ServiceHolder:
    """Lends the service to requests. Thread-safe.

    A service that was replaced is closed when the last request that uses it has ended.
    """

    def __init__(self, database: str | None, limits: FileLimits) -> None:
        """Open nothing yet."""
        self._database = database
        self._limits = limits
        self._current: _Lease | None = None
        self._changing = threading.RLock()
        self._failure: tuple[float, RecsysError] | None = None
        self._is_closed = False

    @contextmanager
    def lease(self) -> Iterator[SimilarityService]:
        """The service, for one request.

        Raises `RecsysError` where there is no catalogue that can be served.
        """
        lease = self._acquire()
        try:
            yield lease.service
        except SpaceMismatch:
            self.renew()  # or else a single track has not been analysed in the new space yet
            raise
        except CatalogError:
            if not lease.service.catalog.is_in_place:
                self._retire(lease)
            raise
        finally:
            self._release(lease)

    def renew(self) -> bool:
        """Open the service anew if its file was replaced, or its space is not the catalogue's.

        The space is another one when a model was activated or a projection adapted. Returns whether
        it is another service.
        """
        with self._changing:
            lease = self._current
        if lease is None:
            return False
        service = lease.service
        version = _version_of(service.catalog.file)
        if version is not None and version == lease.version:
            return False
        try:
            is_same = (
                service.catalog.is_in_place
                and catalog_projector(service.catalog).space == service.projector.space
            )
        except RecsysError as error:
            logger.warning("the catalogue is served as before: %s", error)
            return False
        lease.version = version
        if not is_same:
            self._retire(lease)
        return not is_same

    def close(self) -> None:
        """Lend no more, and close the service once nobody uses it."""
        with self._changing:
            self._is_closed = True
            lease = self._current
        if lease is not None:
            self._retire(lease)

    def _acquire(self) -> _Lease:
        with self._changing:
            if self._current is None:
                self._current = _Lease(self._opened())
            self._current.users += 1
            return self._current

    def _opened(self) -> SimilarityService:
        if self._is_closed:
            raise CatalogError("the server is stopping.")
        if self._failure is not None and time.monotonic() < self._failure[0]:
            raise self._failure[1]
        try:
            file = database_file(catalog_url(self._database))
            if file is not None and not file.exists():
                raise NothingAnalysed(f"there is no catalogue {file}.")
            service = SimilarityService.open(self._database, limits=self._limits, pace=_PACE)
        except RecsysError as error:
            self._failure = time.monotonic() + _RETRY_S, error
            raise
        self._failure = None
        return service

    def _release(self, lease: _Lease) -> None:
        with self._changing:
            lease.users -= 1
            ends = lease.is_retired and not lease.users
        if ends:
            lease.service.close()

    def _retire(self, lease: _Lease) -> None:
        with self._changing:
            if self._current is lease:
                self._current = None
            was_retired, lease.is_retired = lease.is_retired, True
            ends = not was_retired and not lease.users
        if ends:
            lease.service.close()


def _version_of(file: Path | None) -> tuple[int, ...] | None:
    """What tells that a SQLite file, or its log, was written to; None for a server's database."""
    if file is None:
        return None
    found = []
    for path in (file, file.with_name(f"{file.name}-wal")):
        try:
            stat = path.stat()
        except OSError:
            found += [0, 0, 0]
        else:
            found += [stat.st_ino, stat.st_size, stat.st_mtime_ns]
    return tuple(found)

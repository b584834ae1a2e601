"""The files that this ingest analyses, where several ingests share one catalogue.

Each claims some files at a time, under a lease that it renews while it lives. What another one has
claimed is left for later: by then it is in the catalogue, or the other one has died, and its lease
has expired.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice

from recommender.catalog import Catalog, leases
from recommender.catalog.leases import File
from recommender.embedding.space import SpaceId
from recommender.errors import CatalogError
from recommender.ingestion.file_analysis import FileJob

logger = logging.getLogger(__name__)

_AT_ONCE = 16
"""Files that are claimed at once: few, so that another host finds some as well."""

_RENEWALS = 4
"""Signs of life within the time of a lease."""

_LOOK_S = 1.0
"""Seconds between two looks at files that others have claimed."""

_SAY_AFTER = 15
"""Looks after which it is said that others are waited for."""


class Claims:
    """Claims of files under one lease.

    Attributes:
        lease_id: of the lease; another one where the first was lost.
    """

    def __init__(self, catalog: Catalog, space: SpaceId) -> None:
        """For `claiming`, which renews the lease."""
        self._catalog = catalog
        self._space = space
        self._left: list[FileJob] = []
        self._known: list[FileJob] = []
        self._lost = threading.Event()
        self.lease_id = catalog.begin_lease()

    def rounds(
        self, jobs: Sequence[FileJob], stopped: Callable[[], bool]
    ) -> Iterator[Iterator[FileJob]]:
        """Those of `jobs` that can be claimed; again those that others had, until all are done.

        Each round is to be used up before the next one, and what was found of its files written:
        others may wait for that. An empty round comes where this ingest waits for others.
        """
        looks = 0
        while jobs and not stopped():
            self._left = []
            first = next(claimed := self._claimed(jobs), None)
            looks = looks + 1 if first is None else 0
            yield iter(()) if first is None else chain((first,), claimed)
            jobs = self._left
            if jobs and first is None:
                if looks % _SAY_AFTER == 0:
                    logger.warning("waiting for %d files that other hosts analyse.", len(jobs))
                threading.Event().wait(_LOOK_S)

    def _claimed(self, jobs: Sequence[FileJob]) -> Iterator[FileJob]:
        rest = iter(jobs)
        while some := list(islice(rest, _AT_ONCE)):
            if self._lost.is_set():
                self._lost.clear()
                self.lease_id = self._catalog.begin_lease()
            mine = self._catalog.claim(self.lease_id, map(file_of, some))
            # Only now is it sure that nobody else is about to write them.
            known = [job for job in some if file_of(job) in mine and self._is_known(job)]
            if known:
                self._catalog.release(self.lease_id, list(map(file_of, known)))
                self._known += known
            self._left += [job for job in some if file_of(job) not in mine]
            yield from (job for job in some if file_of(job) in mine and job not in known)

    def _is_known(self, job: FileJob) -> bool:
        """Whether another ingest has stored the file since it was planned."""
        path = job.stat.path
        found = self._catalog.known_files(job.library, self._space, path).get(path)
        if found is None or found.stat != job.stat or job.forced or job.touched:
            return False
        if found.failure_kind is not None:
            return found.failure_kind != job.failed_as
        was_analysed = all(one.is_analysed for one in job.segments or (job,))
        return found.analysed_in_space and not (job.unchanged and was_analysed)

    def take_known(self) -> list[FileJob]:
        """The jobs that others did, since the last call."""
        known, self._known = self._known, []
        return known

    def renew(self) -> None:
        """Give a sign of life. What was claimed under a lost lease is not written."""
        try:
            if not self._catalog.renew_lease(self.lease_id):
                self._lost.set()
        except CatalogError as error:  # whoever writes next says so
            logger.debug("the lease was not renewed: %s", error)


@contextmanager
def claiming(catalog: Catalog, space: SpaceId) -> Iterator[Claims]:
    """Hold a lease, renewed by a thread of its own, and give it back at the end."""
    claims = Claims(catalog, space)
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(leases.LEASE_SECONDS / _RENEWALS):
            claims.renew()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield claims
    finally:
        ended.set()
        thread.join()
        with suppress(CatalogError):  # it expires
            catalog.end_lease(claims.lease_id)


def file_of(job: FileJob) -> File:
    """What is claimed for a job."""
    return job.library.id, job.stat.path

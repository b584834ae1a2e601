"""`SharedUse`: the part of `Catalog` for several hosts: their paths, and who analyses what."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from recommender.catalog import hosts, leases, libraries
from recommender.catalog.database import Database
from recommender.catalog.engine import transaction
from recommender.catalog.leases import File
from recommender.catalog.records import Library
from recommender.utils.files import AnyPath, as_path


class SharedUse(Database):
    """Hosts that see libraries under their own paths, and share the work; see `Catalog`."""

    @property
    def has_claims(self) -> bool:
        """Whether several ingests may run at once, each on files that it has claimed."""
        return self.file is None

    def map_library(self, root: AnyPath, here: AnyPath) -> Library:
        """Record that this host sees a library under another path than the others.

        Hosts are told apart by their names, or by ``$RECSYS_HOST``.

        Args:
            root: of the library, as the host that ingested it first sees it.
            here: the same folder on this host.

        Raises:
            CatalogError: there is no library with this root; or `here` lies in another one, or
                another one in it.
        """
        root, here = as_path(root, "root"), as_path(here, "here")
        with self._changing() as connection:
            return libraries.map_root(connection, root, here)

    def note_host(self, library: Library) -> None:
        """Record that this host sees a library where it is said to be, if that is not known."""
        with self._reading() as connection:
            if hosts.is_mapped(connection, library):
                return
        with self._changing() as connection:
            hosts.map_root(connection, library, library.root)

    def roots_of(self, library: Library) -> dict[str, Path]:
        """Host → where it sees a library, as far as that is known."""
        with self._reading() as connection:
            return hosts.roots_of(connection, library)

    def is_mapped(self, library: Library) -> bool:
        """Whether it is known where this host sees a library."""
        with self._reading() as connection:
            return hosts.is_mapped(connection, library)

    def is_elsewhere(self, library: Library) -> bool:
        """Whether other hosts have seen a library, so that its absence here tells nothing."""
        with self._reading() as connection:
            return hosts.others(connection, library) > 0

    def begin_lease(self) -> int:
        """Be known as an ingest that may claim files; returns the lease's id."""
        with self._sharing() as connection:
            return leases.begin(connection, leases.LEASE_SECONDS)

    def renew_lease(self, lease_id: int) -> bool:
        """Give a sign of life; returns whether the claims are still held."""
        with self._sharing() as connection:
            return leases.renew(connection, lease_id, leases.LEASE_SECONDS)

    def end_lease(self, lease_id: int) -> None:
        """Give back a lease with all its claims."""
        with self._sharing() as connection:
            leases.end(connection, lease_id)

    def claim(self, lease_id: int, files: Iterable[File]) -> set[File]:
        """Claim files for a lease; returns those that no other ingest has at present."""
        with self._sharing() as connection:
            return leases.claim(connection, lease_id, files)

    def release(self, lease_id: int, files: Collection[File]) -> None:
        """Give back claims."""
        with self._sharing() as connection:
            leases.release(connection, lease_id, files)

    @contextmanager
    def _sharing(self) -> Iterator[Connection]:
        """A transaction that does not wait for those that write results."""
        with transaction(self._engine, writes=True) as connection:
            yield connection

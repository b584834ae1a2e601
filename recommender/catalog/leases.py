"""Files that an ingest has claimed, so that of several hosts one analyses each.

An ingest holds a lease, which it renews; its claims go with it. All times are those of the
database's clock. Only databases that lock rows have claims (`SKIP LOCKED`); a SQLite catalogue has
one ingest at a time. Every function works on a connection, inside the caller's transaction.
"""

import os
from collections.abc import Collection, Iterable
from datetime import timedelta

from sqlalchemy import Connection, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from recommender.catalog.chunks import chunks
from recommender.catalog.hosts import this_host
from recommender.catalog.schema import ClaimRow, LeaseRow, table

LEASE_SECONDS = 60.0
"""How long after its last sign of life an ingest keeps the files that it has claimed."""

_LEASES, _CLAIMS = table(LeaseRow), table(ClaimRow)

File = tuple[int, str]
"""A library's id and a path in it."""


def begin(connection: Connection, seconds: float) -> int:
    """Get a lease of so many seconds; returns its id."""
    drop_dead(connection)
    values = {"host": this_host(), "process": os.getpid(), "expires_at": _in(seconds)}
    made = connection.execute(insert(_LEASES).values(values).returning(_LEASES.c.id))
    return int(made.scalar_one())


def renew(connection: Connection, lease_id: int, seconds: float) -> bool:
    """Prolong a lease from now on; returns whether it was not lost."""
    prolonged = update(_LEASES).where(_LEASES.c.id == lease_id).values(expires_at=_in(seconds))
    return bool(connection.execute(prolonged).rowcount)


def end(connection: Connection, lease_id: int) -> None:
    """Give back a lease with all its claims."""
    connection.execute(delete(_LEASES).where(_LEASES.c.id == lease_id))


def drop_dead(connection: Connection) -> None:
    """Drop the leases that have expired, and those of this host's processes that are gone."""
    expired = _LEASES.c.expires_at < func.clock_timestamp()
    own = select(_LEASES.c.id, _LEASES.c.process).where(_LEASES.c.host == this_host())
    gone = [id for id, process in connection.execute(own) if not _runs(process)]
    # One that is being renewed, or under which results are being written, is not dead.
    dead = (
        select(_LEASES.c.id)
        .where(expired | _LEASES.c.id.in_(gone))
        .with_for_update(skip_locked=True)
    )
    connection.execute(delete(_LEASES).where(_LEASES.c.id.in_(dead)))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def claim(connection: Connection, lease_id: int, files: Iterable[File]) -> set[File]:
    """Claim files; returns those that no other lease has."""
    drop_dead(connection)
    claimed: set[File] = set()
    # In one order, so that two ingests never wait for each other.
    for chunk in chunks(sorted(set(files))):
        rows = [{"library_id": id, "path": path, "lease_id": lease_id} for id, path in chunk]
        made = (
            insert(_CLAIMS)
            .values(rows)
            .on_conflict_do_nothing()
            .returning(_CLAIMS.c.library_id, _CLAIMS.c.path)
        )
        claimed.update((row.library_id, row.path) for row in connection.execute(made))
    return claimed


def held(connection: Connection, lease_id: int, files: Collection[File]) -> set[File]:
    """Those of the files that the lease has claimed; it is kept until the transaction ends."""
    # Not FOR UPDATE, with which no other row could refer to it meanwhile.
    kept = select(_LEASES.c.id).where(_LEASES.c.id == lease_id).with_for_update(key_share=True)
    if connection.execute(kept).first() is None:
        return set()
    found: set[File] = set()
    for chunk in chunks(files):
        of_chunk = tuple_(_CLAIMS.c.library_id, _CLAIMS.c.path).in_(chunk)
        rows = connection.execute(
            select(_CLAIMS.c.library_id, _CLAIMS.c.path).where(
                _CLAIMS.c.lease_id == lease_id, of_chunk
            )
        )
        found.update((row.library_id, row.path) for row in rows)
    return found


def release(connection: Connection, lease_id: int, files: Collection[File]) -> None:
    """Give back claims."""
    for chunk in chunks(files):
        of_chunk = tuple_(_CLAIMS.c.library_id, _CLAIMS.c.path).in_(chunk)
        connection.execute(delete(_CLAIMS).where(_CLAIMS.c.lease_id == lease_id, of_chunk))


def _in(seconds: float) -> object:
    return func.clock_timestamp() + timedelta(seconds=seconds)

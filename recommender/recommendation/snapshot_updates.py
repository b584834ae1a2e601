"""Which snapshot answers a query: the old one, until the next one has been built beside it."""

import logging
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from recommender.catalog.records import CatalogState
from recommender.errors import NothingAnalysed, RecsysError, SpaceMismatch
from recommender.recommendation.snapshot import Snapshot

logger = logging.getLogger(__name__)

WAIT_S = 0.5
"""How long the query that begins an update waits for it: long enough for a small catalogue."""


@dataclass(frozen=True)
class UpdatePace:
    """How often updates are made while an ingest changes the catalogue every few seconds.

    Attributes:
        wait_s: how long the query that begins an update waits for it.
        brief_s: an update that took longer is followed by a rest, so that indexes do not occupy the
            processor.
        rest: how many times as long as the update.
        longest_rest_s: seconds.
        niceness: added to that of the process for the thread that makes updates, where the system
            knows niceness of threads (Linux): on a busy processor queries go first.
    """

    wait_s: float = WAIT_S
    brief_s: float = 1.0
    rest: float = 1.0
    longest_rest_s: float = math.inf
    niceness: int = 0


PACE = UpdatePace()

_RETRY_S = 60.0
"""After a failure, when the catalogue does not change."""


@dataclass(frozen=True)
class _Failure:
    """An update to `state` that failed, and when to try again."""

    state: CatalogState
    error: Exception
    retry_at: float

    @property
    def is_final(self) -> bool:
        """Whether the snapshot of before is of no use either."""
        return isinstance(self.error, SpaceMismatch | NothingAnalysed)


class SnapshotUpdates:
    """Holds the newest snapshot. Snapshots are never changed; one replaces another under a lock.

    At most one is made at a time, in a thread of its own but for the first. Meanwhile the one
    before is current.
    """

    def __init__(
        self,
        state: Callable[[], CatalogState],
        make: Callable[[], Snapshot],
        tidied: Callable[[Snapshot], Snapshot] | None = None,
        verified: Callable[[Snapshot], Snapshot] | None = None,
        pace: UpdatePace = PACE,
    ) -> None:
        """Nothing is made yet.

        Args:
            state: the catalogue's present state.
            make: a snapshot of it; takes seconds to minutes in a large catalogue where most of it
                has changed.
            tidied: a snapshot of the same tracks on an index that is faster to search, or the same
                one; called after an update, while that already answers.
            verified: the same snapshot if its index is what was written to its file, else one that
                was built anew; called where a file is too large to be read as a whole at once,
                while the snapshot already answers.
            pace: how often updates are made.
        """
        self._pace = pace
        self._state = state
        self._make = make
        self._tidied = tidied
        self._verified = verified
        self._snapshot: Snapshot | None = None
        self._failure: _Failure | None = None
        self._making = threading.Lock()
        self._changing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._rest_until = 0.0

    def current(self) -> Snapshot:
        """The snapshot to answer a query from, without waiting for an update of it.

        Where the catalogue has changed since, an update begins. It is waited for
        `UpdatePace.wait_s` at most, and only by the query that begins it.

        Raises:
            RecsysError: there is no snapshot yet, and none can be made.
            SpaceMismatch: the catalogue recommends in another space by now.
        NothingAnalysed: there is nothing left to recommend.
        """
        snapshot = self._snapshot
        if snapshot is None:
            return self.newest()
        state = self._state()
        if snapshot.state == state:
            return snapshot
        begun = self._begin(state)
        if begun is not None:
            begun.join(self._pace.wait_s)
        failure = self._failure
        if failure is not None and failure.state == state and failure.is_final:
            raise failure.error
        return self._snapshot or snapshot

    def newest(self) -> Snapshot:
        """The snapshot of the catalogue as it is now, however long it takes.

        Raises what `make` raises.
        """
        with self._making:
            snapshot, is_first = self._snapshot, self._snapshot is None
            if snapshot is None or snapshot.state != self._state():
                snapshot = self._make()
                self._snapshot = snapshot
        if is_first and not snapshot.index.is_checked:
            self._start(self._verify)
        return snapshot

    def close(self) -> None:
        """Begin no further update, and wait for one that has begun."""
        with self._changing:
            self._closed = True
            thread = self._thread
        if thread is not None:
            thread.join()

    def _begin(self, state: CatalogState) -> threading.Thread | None:
        """Update in a thread; None where one is at work, or it is too early for another."""
        return None if self._is_too_early(state) else self._start(partial(self._update, state))

    def _start(self, work: Callable[[], None]) -> threading.Thread | None:
        """Work in a thread; None where one is at work, or after the end."""
        with self._changing:
            if self._closed or (self._thread is not None and self._thread.is_alive()):
                return None
            nicely = partial(self._work, work)
            self._thread = threading.Thread(target=nicely, name="recsys-snapshot")
            self._thread.start()
            return self._thread

    def _work(self, work: Callable[[], None]) -> None:
        """Work in this thread, which gives way to the threads that answer."""
        if self._pace.niceness and sys.platform == "linux":
            thread = threading.get_native_id()
            with suppress(OSError):
                wanted = os.getpriority(os.PRIO_PROCESS, thread) + self._pace.niceness
                os.setpriority(os.PRIO_PROCESS, thread, wanted)
        work()

    def _is_too_early(self, state: CatalogState) -> bool:
        now = time.monotonic()
        failure = self._failure
        has_failed = failure is not None and failure.state == state and now < failure.retry_at
        return has_failed or now < self._rest_until

    def _update(self, state: CatalogState) -> None:
        started = time.monotonic()
        try:
            self.newest()
        except Exception as error:
            self._failure = _Failure(state, error, time.monotonic() + _RETRY_S)
            is_bug = not isinstance(error, RecsysError)
            message = "queries are answered as before the catalogue changed: %s"
            logger.warning(message, error, exc_info=is_bug)
        else:
            self._verify()
            self._tidy()
        ended = time.monotonic()
        if ended - started > self._pace.brief_s:
            rest = self._pace.rest * (ended - started)
            self._rest_until = ended + min(rest, self._pace.longest_rest_s)

    def _verify(self) -> None:
        """Replace a snapshot whose index was damaged on the disk."""
        self._replace(self._verified, "the index was not checked")

    def _tidy(self) -> None:
        """Replace the snapshot by a tidied one; without that, queries are only slower."""
        self._replace(self._tidied, "the index was not merged")

    def _replace(self, by: Callable[[Snapshot], Snapshot] | None, failure: str) -> None:
        if by is None:
            return
        try:
            with self._making:
                if self._snapshot is not None:
                    self._snapshot = by(self._snapshot)
        except Exception as error:
            is_bug = not isinstance(error, RecsysError)
            logger.warning("%s: %s", failure, error, exc_info=is_bug)

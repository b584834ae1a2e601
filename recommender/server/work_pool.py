"""A bounded pool of threads for what blocks, so that the event loop never waits."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from recommender.server.errors import Problem

_Result = TypeVar("_Result")


class WorkPool:
    """Runs functions in threads.

    Attributes:
        pending: functions that wait or run.
    """

    def __init__(self, name: str, threads: int, waiting: int, seconds: float) -> None:
        """Start no thread yet.

        Args:
            name: of its threads.
            threads: functions that run at a time.
            waiting: functions that may wait besides.
            seconds: after which the caller stops waiting.
        """
        self.pending = 0
        self._counting = threading.Lock()
        self._most = threads + waiting
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"recsys-{name}")

    async def run(
        self,
        work: Callable[..., _Result],
        *args: Any,
        discard: Callable[[_Result], object] | None = None,
    ) -> _Result:
        """``work(*args)`` in a thread.

        Args:
            work: what blocks.
            args: of it.
            discard: called in the thread with a result that comes when nobody waits for it any
                more, such as a file that is to be closed.

        Raises:
            Problem: 503 where too many wait already, or it takes too long: it is not begun then, or
                goes on in its thread, which counts as occupied until it ends.
        """
        if self.pending >= self._most:
            raise Problem(503, "Too many requests wait already.", {"Retry-After": "1"})
        try:
            future = self._threads.submit(work, *args)
        except RuntimeError:
            raise Problem(503, "The server is stopping.", {"Retry-After": "5"}) from None
        self._count(1)
        future.add_done_callback(lambda done: self._count(-1))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except BaseException as error:
            if discard is not None:
                future.add_done_callback(partial(_discard, discard))
            if not isinstance(error, TimeoutError):
                raise
            if not future.cancelled():
                raise Problem(
                    503, "This takes too long. Ask for less.", {"Retry-After": "10"}
                ) from None
            raise Problem(503, "The server is too busy at present.", {"Retry-After": "5"}) from None

    def close(self) -> None:
        """Begin nothing more; what runs ends."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _count(self, change: int) -> None:
        with self._counting:
            self.pending += change


def _discard(discard: Callable[[_Result], object], done: "Future[_Result]") -> None:
    if not done.cancelled() and done.exception() is None:
        discard(done.result())

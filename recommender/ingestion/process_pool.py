"""Files analysed side by side, each worker a thread with a process of its own.

The process opens the files and computes (`ingestion.file_reader`); the thread only waits for it. So
a file that crashes or hangs its process costs itself, no more: the next file gets another process.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Generic, Protocol, TypeVar

from recommender.errors import RecsysError

_OUTSTANDING_PER_WORKER = 2
_ROUND_S = 0.2


class Stoppable(Protocol):
    """What a worker analyses with."""

    def kill(self) -> None:
        """End its process at once; whatever it is doing, and does later, raises."""

    def close(self) -> None:
        """End its process."""


Analyser = TypeVar("Analyser", bound=Stoppable)
Job = TypeVar("Job")
Result = TypeVar("Result")


class WorkerPool(Generic[Analyser, Job, Result]):
    """Threads that each make an analyser and do tasks with it.

    Attributes:
        load: called once in each thread.
        task: called with the analyser and a job; should return errors of files, not raise them.
        workers: number of threads.
    """

    def __init__(
        self,
        load: Callable[[], Analyser],
        task: Callable[[Analyser, Job], Result],
        workers: int,
    ) -> None:
        """Start nothing yet."""
        self.load = load
        self.task = task
        self.workers = workers
        self._own = threading.local()
        self._analysers: list[Analyser] = []
        self._changing = threading.Lock()
        self._stopping = False

    def rounds(
        self, jobs: Iterable[Job], stopped: Callable[[], bool]
    ) -> Iterator[list[tuple[Job, Result]]]:
        """Do all jobs; several times a second, yield those done since (there may be none).

        Args:
            jobs: taken one by one, as workers become free.
            stopped: called in each round; once it returns true, running tasks are ended and the
                remaining jobs are not started.

        Raises:
            Exception: whatever `load` or `task` raised.
        """
        waiting = iter(jobs)
        outstanding: dict[Future[Result], Job] = {}
        threads = ThreadPoolExecutor(self.workers, "analysis")
        try:
            while not stopped():
                free = _OUTSTANDING_PER_WORKER * self.workers - len(outstanding)
                for job in islice(waiting, free):
                    outstanding[threads.submit(self._perform, job)] = job
                if not outstanding:
                    return
                done, _ = wait(outstanding, timeout=_ROUND_S, return_when=FIRST_COMPLETED)
                yield [(outstanding.pop(future), future.result()) for future in done]
        finally:
            self._stop(threads)

    def _perform(self, job: Job) -> Result:
        analyser: Analyser | None = getattr(self._own, "analyser", None)
        if analyser is None:
            analyser = self._own.analyser = self._loaded()
        return self.task(analyser, job)

    def _loaded(self) -> Analyser:
        analyser = self.load()
        with self._changing:
            if not self._stopping:
                self._analysers.append(analyser)
                return analyser
        analyser.close()
        raise RecsysError("the analysis was stopped.")

    def _stop(self, threads: ThreadPoolExecutor) -> None:
        with self._changing:
            self._stopping = True
        threads.shutdown(wait=False, cancel_futures=True)
        for analyser in self._analysers:
            analyser.kill()
        threads.shutdown()
        for analyser in self._analysers:
            analyser.close()

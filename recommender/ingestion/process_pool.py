"""Processes that analyse files; one that crashes or hangs costs the file it was analysing, no more.

Each worker loads the model once. The standard pool breaks as a whole when one process dies, so
this one uses Pebble, which names the task that died and starts another process.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, Generic, TypeVar

from pebble import ProcessExpired, ProcessPool

from recommender.errors import RecsysError, WorkerCrashed, WorkerTimedOut
from recommender.ingestion.exit_status import describe_death, was_killed
from recommender.ingestion.main_guard import UNGUARDED, WORKER_NAME

Model = TypeVar("Model")
Job = TypeVar("Job")
Result = TypeVar("Result")

_OUTSTANDING_PER_WORKER = 2
_ROUND_S = 0.2
_PARENT_CHECK_S = 0.5


class WorkerPool(Generic[Model, Job, Result]):
    """Processes that each load a model and do tasks with it.

    `load` and `task` must be importable by name (module-level functions or partials of them).

    Attributes:
        load: called once in each process.
        task: called with the model and a job; should return errors, not raise them.
        workers: number of processes.
        timeout_s: seconds a task may take before its process is ended.
    """

    def __init__(
        self,
        load: Callable[[], Model],
        task: Callable[[Model, Job], Result],
        workers: int,
        timeout_s: float,
    ) -> None:
        """Start nothing yet."""
        self.load = load
        self.task = task
        self.workers = workers
        self.timeout_s = timeout_s

    def rounds(
        self, jobs: Iterable[Job], stopped: Callable[[], bool]
    ) -> Iterator[list[tuple[Job, Result | WorkerCrashed | WorkerTimedOut]]]:
        """Do all jobs; several times a second, yield those done since (there may be none).

        Args:
            jobs: taken one by one, as workers become free.
            stopped: called in each round; once it returns true, running tasks are ended and the
                remaining jobs are not started.

        Raises:
            Exception: whatever `load` raised.
            RecsysError: the processes die before they have done anything.
        """
        waiting = iter(jobs)
        outstanding: dict[Future[Result], Job] = {}
        context = _SpawnContext()
        pool = self._start(context)
        proven = False  # a process of this pool has finished a task
        try:
            while not stopped():
                free = _OUTSTANDING_PER_WORKER * self.workers - len(outstanding)
                for job in islice(waiting, free):
                    outstanding[self._schedule(pool, job)] = job
                if not outstanding:
                    return
                done, _ = wait(outstanding, timeout=_ROUND_S, return_when=FIRST_COMPLETED)
                if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                    _stop(pool)
                    if not proven:
                        raise _dying_workers(context)
                    context = _SpawnContext()
                    pool, proven = self._start(context), False
                    outstanding = {self._schedule(pool, job): job for job in outstanding.values()}
                    continue
                if done:
                    proven = True
                    context.started.clear()
                yield [(outstanding.pop(future), self._outcome(future)) for future in done]
        finally:
            _stop(pool)

    def _start(self, context: "_SpawnContext") -> Any:
        return ProcessPool(
            max_workers=self.workers,
            initializer=_start_worker,
            initargs=(self.load, os.getpid()),
            context=context,
        )

    def _schedule(self, pool: Any, job: Job) -> "Future[Result]":
        future: Future[Result] = pool.schedule(
            _perform, args=(self.task, job), timeout=self.timeout_s
        )
        return future

    def _outcome(self, future: "Future[Result]") -> Result | WorkerCrashed | WorkerTimedOut:
        error = future.exception()
        if isinstance(error, ProcessExpired):
            crash = WorkerCrashed(
                f"the process that analysed this file {describe_death(error.exitcode)}"
            )
            crash.killed = was_killed(error.exitcode)
            return crash
        if isinstance(error, TimeoutError):
            return WorkerTimedOut(f"the analysis of this file took more than {self.timeout_s:g} s")
        return future.result()


class _SpawnContext(multiprocessing.context.SpawnContext):
    """Starts named processes, and remembers them until one of them has finished a task."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[multiprocessing.process.BaseProcess] = []

    def Process(  # type: ignore[override]  # noqa: N802
        self, *args: Any, **settings: Any
    ) -> multiprocessing.process.BaseProcess:
        process = multiprocessing.context.SpawnProcess(*args, **{**settings, "name": WORKER_NAME})
        self.started.append(process)
        return process


def _stop(pool: Any) -> None:
    pool.stop()
    pool.join()


def _dying_workers(context: _SpawnContext) -> RecsysError:
    if any(process.exitcode == UNGUARDED for process in context.started):
        return RecsysError(
            "ingest starts worker processes, and each of them imports your script, which calls "
            "ingest again. Put the call below 'if __name__ == \"__main__\":', or use one worker "
            "(IngestSettings(workers=1)), which analyses in this process."
        )
    return RecsysError(
        "the worker processes die before they have analysed a file, perhaps for want of memory; "
        "try fewer workers."
    )


# What follows runs in the worker processes. An error of `load` is stored and raised by the first
# task: raised in the initializer itself, it would be lost.
_model: Any = None
_load_error: Exception | None = None


def _start_worker(load: Callable[[], Any], parent: int) -> None:
    global _model, _load_error
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent decides
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        _model = load()
    except Exception as error:
        _load_error = error


def _end_with(parent: int) -> None:
    """End this process soon after its parent has died, even by SIGKILL."""
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_S)
    os._exit(1)


def _perform(task: Callable[[Any, Any], Any], job: Any) -> Any:
    if _load_error is not None:
        raise _load_error
    return task(_model, job)

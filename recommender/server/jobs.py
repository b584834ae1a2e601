"""Ingests as jobs: one at a time, each in a process of its own, so that queries do not wait.

Everything here runs in the event loop.
"""

import asyncio
import json
import logging
import os
import signal
import sys
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from recommender.ingestion.worker_limits import FileLimits
from recommender.server.errors import Problem

logger = logging.getLogger(__name__)

JobState = Literal["queued", "running", "done", "failed", "interrupted"]

_COMMAND = ("-P", "-m", "recommender.server.ingest_process")  # -P: no module of this folder
_KEPT = 50
"""Jobs that have ended and are still known."""

_MOST_WAITING = 16
_STOP_S = 20.0
_LONGEST_LINE = 1 << 20


@dataclass
class IngestJob:
    """One ingest, from its request to its end.

    Attributes:
        id: counts from 1, in this process.
        folders: what is scanned; none for all known folders.
        library_ids: of those folders.
        progress: phase and numbers, as `ingest_process` reports them.
        counts: what came of it.
        error: why it failed.
    """

    id: int
    folders: tuple[Path, ...]
    library_ids: tuple[int, ...]
    queued_at: datetime
    state: JobState = "queued"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    progress: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, Any] | None = None
    error: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing about it will change."""
        return self.state in ("done", "failed", "interrupted")


class IngestJobs:
    """The queue of jobs, and the one that runs."""

    def __init__(
        self,
        database: str | None,
        workers: int = 1,
        limits: FileLimits | None = None,
        on_change: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Run nothing yet.

        Args:
            database: of the catalogue.
            workers: processes that analyse.
            limits: what reading one file may cost; None for the defaults.
            on_change: awaited when an ingest has ended, before its end is announced.
        """
        self._on_change = on_change
        self._database = database
        self._workers = workers
        self._limits = limits or FileLimits()
        self._jobs: OrderedDict[int, IngestJob] = OrderedDict()
        self._changed = asyncio.Condition()
        self._changes = 0
        self._queue: asyncio.Queue[IngestJob] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._is_stopping = self._is_ending = False

    def start(self) -> None:
        """Begin to run jobs."""
        self._task = asyncio.create_task(self._run(), name="recsys-ingest-jobs")

    async def stop(self) -> None:
        """End the job that runs in good order, and drop those that wait."""
        self._is_stopping = True
        for job in self._jobs.values():
            if job.state == "queued":
                self._end(job, "interrupted")
        await self._interrupt()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._announce()

    def add(self, folders: Sequence[Path] = (), library_ids: Sequence[int] = ()) -> IngestJob:
        """Queue an ingest; the one that waits for the same folders already, if there is one.

        Raises `Problem` (429) where too many wait.
        """
        waiting = [job for job in self._jobs.values() if job.state == "queued"]
        for job in waiting:
            if job.folders == tuple(folders):
                return job
        if len(waiting) >= _MOST_WAITING or self._is_stopping:
            raise Problem(429, "Too many ingests wait already.", {"Retry-After": "60"})
        job_id = next(reversed(self._jobs), 0) + 1
        job = IngestJob(job_id, tuple(folders), tuple(library_ids), datetime.now(UTC))
        self._jobs[job.id] = job
        self._forget_old()
        self._queue.put_nowait(job)
        return job

    def jobs(self) -> list[IngestJob]:
        """Every job that is known, the latest first."""
        return list(reversed(self._jobs.values()))

    def job(self, job_id: int) -> IngestJob:
        """The job with this id. Raises `Problem` (404)."""
        job = self._jobs.get(job_id)
        if job is None:
            raise Problem(404, "There is no ingest with this id.")
        return job

    async def cancel(self, job: IngestJob) -> None:
        """End a job in good order; what was analysed is kept."""
        if job.state == "queued":
            self._end(job, "interrupted")
            await self._announce()
        elif job.state == "running" and self._process is not None:
            self._is_ending = True
            self._signal(self._process, job)

    async def changes(self, job: IngestJob) -> AsyncIterator[IngestJob]:
        """The job as it is, and again after each change, until it has ended."""
        while True:
            seen = self._changes
            yield job
            if job.has_ended:
                return
            async with self._changed:
                while self._changes == seen:
                    await self._changed.wait()

    async def _run(self) -> None:
        while True:
            job = await self._queue.get()
            if job.state != "queued":
                continue
            job.state, job.started_at = "running", datetime.now(UTC)
            self._is_ending = self._is_stopping
            await self._announce()
            outcome = await self._outcome(job)
            if self._on_change is not None and not self._is_stopping:
                await self._served(self._on_change)
            self._end(job, outcome or ("interrupted" if self._is_ending else "failed"))
            await self._announce()

    async def _outcome(self, job: IngestJob) -> JobState | None:
        """What came of a job; None where its process did not come to say so.

        Whatever goes wrong, the jobs that wait are run.
        """
        try:
            return await self._ingest(job)
        except OSError as error:
            logger.warning("the ingest %d cannot run: %s", job.id, error)
            job.error = "The process cannot be started; the server's log says why."
        except Exception:
            logger.exception("the ingest %d failed", job.id)
            job.error = "It failed; the server's log says why."
        return None

    @staticmethod
    async def _served(on_change: Callable[[], Awaitable[None]]) -> None:
        try:
            await on_change()
        except Exception:
            logger.exception("the catalogue is served as before")

    async def _ingest(self, job: IngestJob) -> JobState | None:
        """Run the process; what came of it, where it came to say so."""
        outcome: JobState | None = None
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *_COMMAND,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            limit=_LONGEST_LINE,
            start_new_session=True,  # a Ctrl-C in the terminal is passed on by `stop`
        )
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        order = {
            "database": self._database,
            "folders": [str(folder) for folder in job.folders],
            "workers": self._workers,
            "memory_limit_mb": self._limits.memory_mb,
            "timeout_s": self._limits.timeout_s,
        }
        try:
            process.stdin.write(json.dumps(order).encode() + b"\n")
            async for line in process.stdout:
                outcome = self._take(job, json.loads(line))
                await self._announce()
            await process.wait()
        finally:
            self._process = None
            if process.returncode is None:
                process.kill()
        return outcome

    def _take(self, job: IngestJob, event: dict[str, Any]) -> JobState | None:
        """Note an event; its outcome, where it is the last one."""
        kind = event.pop("event")
        if kind == "progress":
            job.progress = event
            return None
        if "error" in event:
            logger.warning("the ingest %d failed: %s", job.id, event["error"])
            job.error = f"It failed ({event['kind']}); the server's log says why."
            return "failed"
        for line in event["notes"]:
            logger.info("after the ingest %d: %s", job.id, line)
        job.counts = event["counts"]
        return "interrupted" if event["interrupted"] else "done"

    def _end(self, job: IngestJob, state: JobState) -> None:
        job.state, job.ended_at = state, datetime.now(UTC)

    async def _interrupt(self) -> None:
        process = self._process
        if process is None:
            return
        self._is_ending = True
        for job in self._jobs.values():
            if job.state == "running":
                self._signal(process, job)
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()

    @staticmethod
    def _signal(process: asyncio.subprocess.Process, job: IngestJob) -> None:
        """Have the process end: in good order, once there is something to leave in good order."""
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT if job.progress else signal.SIGTERM)

    def _forget_old(self) -> None:
        ended = [job.id for job in self._jobs.values() if job.has_ended]
        for job_id in ended[: max(0, len(ended) - _KEPT)]:
            del self._jobs[job_id]

    async def _announce(self) -> None:
        async with self._changed:
            self._changes += 1
            self._changed.notify_all()

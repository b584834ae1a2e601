"""Files analysed on the nodes of a Ray cluster: the counterpart of `process_pool`.

Paths and results go through the cluster, never sound: every node sees the music folders, under its
own path where the catalogue has one for it (`Catalog.map_library`). An actor holds the model and
has its own process that opens files. The driver, which runs the ingest, writes the results. A node
that is lost costs the files that it was at work on; other actors do them again.
"""

import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from recommender.catalog.hosts import this_host
from recommender.errors import RecsysError, UsageError, WorkerCrashed
from recommender.ingestion.file_analysis import FileJob, analyse_file
from recommender.ingestion.isolated_analyser import IsolatedAnalyser
from recommender.ingestion.result_writer import Done, Result

logger = logging.getLogger(__name__)

_OUTSTANDING = 2
"""Files that an actor has at once: one at work, one that waits."""

_ROUND_S = 0.2
_CONNECT_S = 5.0
_START_S = 120.0
"""Seconds for which an ingest waits for a node that takes an actor, while it has none."""

_TRIES = 3
"""Actors that a file may be at when they die, before it is taken for the reason."""

_OF_THIS_MACHINE = ("auto",)
_SCHEME = "ray://"

_SETTINGS, _FRAME_TYPE = b"\x04", 3
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + _SETTINGS + bytes(5)
"""What a client says first, with an empty frame of settings."""

Roots = Mapping[int, Mapping[str, Path]]
"""Library id → host → where it sees the library."""


@contextmanager
def ray_cluster(address: str) -> Iterator[None]:
    """Be connected to a Ray cluster.

    Args:
        address: ``HOST:PORT`` of its head, ``auto`` for the one of this machine, or a ``ray://``
            address.

    Raises:
        UsageError: Ray is not installed, or the address is none.
        RecsysError: nothing answers there, or what does is no Ray of this version.
    """
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            "Ray is not installed: install the package with its extra 'ray', on every node."
        ) from error
    _require_answer(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # whatever Ray raises for an address
        reason = str(error).strip().partition("\n")[0]
        raise RecsysError(
            f"no Ray cluster can be used at {address} ({reason}). Start the head of one there, or "
            "check the address."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _require_answer(address: str) -> None:
    """Raise unless a server of gRPC listens at an address: Ray itself would try for minutes."""
    if address in _OF_THIS_MACHINE:
        return
    host, colon, port = address.removeprefix(_SCHEME).rpartition(":")
    if not (host and colon and port.isdecimal()):
        raise UsageError(f"{address!r} is no address of a Ray cluster; give HOST:PORT or auto.")
    try:
        is_grpc = _speaks_http2(host.strip("[]"), int(port))
    except (OSError, OverflowError) as error:
        raise RecsysError(
            f"nothing answers at {address} ({error}). Start the head of a Ray cluster there, or "
            "check the address."
        ) from error
    if not is_grpc:
        raise RecsysError(
            f"what answers at {address} is no Ray cluster. Give the address that its head printed "
            "when it was started."
        )


def _speaks_http2(host: str, port: int) -> bool:
    """Whether the first frame of a server is one of settings (RFC 9113, section 3.4)."""
    with socket.create_connection((host, port), _CONNECT_S) as connection:
        if os.environ.get("RAY_USE_TLS", "0") != "0":
            return True  # it speaks after a handshake
        connection.sendall(_PREFACE)
        head = b""
        with suppress(TimeoutError, ConnectionError):
            while len(head) <= _FRAME_TYPE and (more := connection.recv(16)):
                head += more
    return head[_FRAME_TYPE : _FRAME_TYPE + 1] == _SETTINGS


class _Analyser:
    """What an actor runs."""

    def __init__(self, load: Callable[[], IsolatedAnalyser], roots: Roots) -> None:
        self._analyser = load()
        self._roots = roots

    def ready(self) -> bool:
        """Answered once the model is loaded."""
        return True

    def analyse(self, job: FileJob) -> Result:
        """As `analyse_file`, where this host sees the file."""
        here = self._roots.get(job.library.id, {}).get(this_host())
        seen = job if here is None else replace(job, library=replace(job.library, root=here))
        return analyse_file(self._analyser, seen)


@dataclass(eq=False)
class _Actor:
    """An actor of the cluster.

    Attributes:
        starting: the reference that is there once it can work; None after that.
        at_work: reference of a result → the job.
    """

    handle: Any
    starting: Any
    at_work: dict[Any, FileJob] = field(default_factory=dict)


class RayPool:
    """Actors on the nodes of a cluster that is connected (`ray_cluster`)."""

    def __init__(
        self, load: Callable[[], IsolatedAnalyser], workers: int, roots: Roots | None = None
    ) -> None:
        """Start nothing yet.

        Args:
            load: called once in each actor.
            workers: number of actors, at most; never more than the cluster has CPUs.
            roots: where other hosts see the libraries.
        """
        self._load = load
        self._workers = workers
        self._roots = roots or {}
        self._actors: list[_Actor] = []
        self._again: deque[FileJob] = deque()
        self._deaths: dict[tuple[int, str], int] = {}
        self._idle_since = time.monotonic()
        self._drained = False

    def rounds(self, jobs: Iterable[FileJob], stopped: Callable[[], bool]) -> Iterator[list[Done]]:
        """Do all jobs; several times a second, yield those done since (there may be none).

        Args:
            jobs: taken one by one, as actors become free.
            stopped: called in each round; once it returns true, the rest is left.

        Raises:
            RecsysError: no node takes work any more; or what `load` raised.
        """
        waiting = iter(jobs)
        self._idle_since = time.monotonic()
        try:
            while not stopped():
                self._start_actors()
                self._hand_out(waiting)
                at_work = any(actor.at_work for actor in self._actors)
                if self._drained and not self._again and not at_work:
                    return
                yield self._collected()
                self._require_nodes()
        finally:
            self._end()

    def _start_actors(self) -> None:
        import ray

        resources: Mapping[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        cpus = int(resources.get("CPU", 0))
        for _ in range(min(self._workers, cpus) - len(self._actors)):
            remote = ray.remote(num_cpus=1, max_restarts=0, scheduling_strategy="SPREAD")
            handle: Any = remote(_Analyser).remote(self._load, self._roots)
            self._actors.append(_Actor(handle, handle.ready.remote()))

    def _hand_out(self, waiting: Iterator[FileJob]) -> None:
        for actor in self._actors:
            while actor.starting is None and len(actor.at_work) < _OUTSTANDING:
                job = self._again.popleft() if self._again else next(waiting, None)
                if job is None:
                    self._drained = True
                    return
                actor.at_work[actor.handle.analyse.remote(job)] = job

    def _collected(self) -> list[Done]:
        """What is done by now, waiting a moment where nothing is."""
        import ray

        of = {
            ref: actor
            for actor in self._actors
            for ref in (*actor.at_work, *([] if actor.starting is None else [actor.starting]))
        }
        if not of:
            time.sleep(_ROUND_S)
            return []
        ready, _ = ray.wait(list(of), num_returns=len(of), timeout=0)
        if not ready:
            ready, _ = ray.wait(list(of), num_returns=1, timeout=_ROUND_S)
        done: list[Done] = []
        for ref in ready:
            actor = of[ref]
            if actor not in self._actors:
                continue
            try:
                result = ray.get(ref)
            except ray.exceptions.RayTaskError as error:  # raised by `load` or `analyse`
                raise error.cause if isinstance(error.cause, RecsysError) else error from None
            except ray.exceptions.RayError as error:
                done += self._lost(actor, error)
                continue
            if ref is actor.starting:
                actor.starting = None
            else:
                done.append((actor.at_work.pop(ref), result))
        return done

    def _lost(self, actor: _Actor, error: Exception) -> list[Done]:
        """Have others do what a lost actor was at; a file at which several died is done with."""
        logger.debug("an actor is lost: %s", error)
        self._actors.remove(actor)
        done: list[Done] = []
        for job in actor.at_work.values():
            key = (job.library.id, job.stat.path)
            self._deaths[key] = self._deaths.get(key, 0) + 1
            if self._deaths[key] < _TRIES:
                self._again.append(job)
            else:
                done.append((job, WorkerCrashed("the nodes that analysed it were lost")))
        if actor.at_work:
            logger.warning(
                "a node of the Ray cluster was lost; %d files are analysed again.",
                len(actor.at_work),
            )
        return done

    def _require_nodes(self) -> None:
        """Raise where no actor has been ready for long."""
        if any(actor.starting is None for actor in self._actors):
            self._idle_since = time.monotonic()
        elif time.monotonic() - self._idle_since > _START_S:
            raise RecsysError(
                "no node of the Ray cluster takes work; what is stored is kept. Check 'ray status',"
                " and run it again."
            )

    def _end(self) -> None:
        import ray

        for actor in self._actors:
            with suppress(Exception):
                ray.kill(actor.handle)
        self._actors = []

"""Open foreign files in another process, within limits of memory, time and output.

A file that takes too much, or that crashes a decoder, ends that process and nothing else; the next
call starts another one. The process is an interpreter of its own: it does not import the caller's
script. It loads no network unless it is given a model.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Concatenate, ParamSpec, TypeVar, cast

from recommender.errors import (
    AudioError,
    RecsysError,
    TooMuchMemory,
    UnreadableAudio,
    WorkerCrashed,
    WorkerTimedOut,
)
from recommender.ingestion.exit_status import describe_death, was_killed
from recommender.ingestion.reader_process import receive, send
from recommender.ingestion.worker_limits import OUT_OF_MEMORY, FileLimits
from recommender.utils.files import AnyPath

if TYPE_CHECKING:
    from recommender.audio.windows import Windowing

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_ENDING_S = 5.0
_START_S = 60.0
_COMMAND = ("-P", "-m", "recommender.ingestion.reader_process")  # -P: no module of this folder


@dataclass(frozen=True)
class ReaderModel:
    """The model that a process analyses files with.

    Attributes:
        model: name of a shipped one, or path of a folder.
        windowing: which windows of a track it analyses; None for the model's own.
    """

    model: AnyPath
    windowing: "Windowing | None" = None

    def as_json(self) -> str:
        """As `reader_process` takes it."""
        windowing = None if self.windowing is None else asdict(self.windowing)
        return json.dumps({"model": os.fspath(self.model), "windowing": windowing})


class FileReader:
    """One process that opens files. Thread-safe: calls wait for one another.

    Attributes:
        limits: what one file may cost.
    """

    def __init__(
        self,
        limits: FileLimits | None = None,
        *,
        decodes: bool = True,
        model: ReaderModel | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            limits: what one file may cost.
            decodes: whether the process loads the decoders at its start.
            model: what it loads besides, for `reader_model.analyse_changed`.
        """
        self.limits = limits or FileLimits()
        self._decodes = decodes
        self._model = model
        self._is_killed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._calling = threading.Lock()

    def start(self) -> None:
        """Start the process, if there is none, without waiting for it."""
        with self._calling:
            self._started()

    def call(
        self,
        function: Callable[Concatenate[Path, _Arguments], _Result],
        path: Path,
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """``function(path, *args)`` in the process.

        Args:
            function: of this package, at the first level of its module; the result must consist of
                classes of this package, arrays and what is built in.
            path: of the file that it opens.
            args: more positional arguments.
            kwargs: none.

        Raises:
            RecsysError: the process does not start, or was killed; `WeightsError` for its model.
            TooMuchMemory, WorkerTimedOut: the file takes more than `limits` permit.
            WorkerCrashed: it made the process die.
            AudioError, OSError: as `function`. Any other error becomes `UnreadableAudio`.
        """
        assert not kwargs
        with self._calling:
            return cast(_Result, self._call(function, path, args))

    def _call(self, function: Callable[..., Any], path: Path, args: tuple[Any, ...]) -> Any:
        process = self._started()
        if not self._is_ready:
            self._await_start(process)
        seconds = self.limits.seconds_for(_size_of(path))
        succeeded, result, goes_on = self._answer(process, seconds, (function, (path, *args)))
        if not goes_on:
            self._end()
        if succeeded:
            return result
        raise result

    def _await_start(self, process: "subprocess.Popen[bytes]") -> None:
        try:
            answer = self._answer(process, _START_S)
        except AudioError as error:
            raise RecsysError(f"the process that opens files does not start: {error}") from None
        if isinstance(answer, RecsysError):
            self._end()
            raise answer
        self._is_ready = True

    def _answer(
        self, process: "subprocess.Popen[bytes]", seconds: float, call: object = None
    ) -> Any:
        """What the process sends, to `call` if that is given, within so many seconds."""
        late = threading.Event()
        timer = threading.Timer(seconds, _end_late, (process, late))
        timer.daemon = True
        timer.start()
        try:
            if call is not None:
                send(cast(BinaryIO, process.stdin), call)
            answer = receive(cast(BinaryIO, process.stdout), self.limits.memory)
        except (EOFError, BrokenPipeError, ConnectionError):
            self._end(wait=True)
            raise self._death(process, seconds, late.is_set()) from None
        except BaseException as error:  # an interruption, or an answer that is none
            self._end()
            if isinstance(error, Exception):
                raise UnreadableAudio(f"reading it gave no valid answer ({error}).") from error
            raise
        finally:
            timer.cancel()
        if late.is_set():
            self._end()
        return answer

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._is_killed:
            raise RecsysError("the process that opens files was ended.")
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._is_ready = False
            self._process = subprocess.Popen(
                [sys.executable, *_COMMAND, *self._options()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                # Ctrl-C does not reach it, also before it can ignore it: the parent decides.
                process_group=0 if os.name == "posix" else None,
            )
        return self._process

    def _options(self) -> list[str]:
        options = ["-m", str(self.limits.memory), "-p", str(os.getpid())]
        if self._model is not None:
            options += ["-a", self._model.as_json()]
        return [*options, "-d"] if self._decodes else options

    def _death(
        self, process: "subprocess.Popen[bytes]", seconds: float, late: bool
    ) -> TooMuchMemory | WorkerTimedOut | WorkerCrashed:
        status = process.returncode
        if late:
            return WorkerTimedOut(
                f"It takes too long: more than {seconds:g} s to read. If it is a good file, allow "
                "more."
            )
        if status == OUT_OF_MEMORY:
            return TooMuchMemory(
                f"It takes too much memory: more than {self.limits.memory_mb} MB to read. If it is "
                "a good file, allow more."
            )
        crash = WorkerCrashed(f"the process that read this file {describe_death(status)}")
        crash.killed = was_killed(status)
        return crash

    def _end(self, *, wait: bool = False) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if wait:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDING_S)
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def close(self) -> None:
        """End the process; a later call starts another one."""
        with self._calling:
            self._end()

    def kill(self) -> None:
        """End the process without waiting for a call to be answered; later calls raise, too."""
        self._is_killed = True
        process = self._process
        if process is not None:
            process.kill()

    def __enter__(self) -> "FileReader":
        """The reader itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self.close()

    def __del__(self) -> None:
        """End the process of a reader that nobody closed."""
        with suppress(Exception):
            self._end()


class ReaderPool:
    """Several readers, started as they are needed, for many threads."""

    def __init__(
        self,
        size: int,
        limits: FileLimits | None = None,
        *,
        decodes: bool = True,
        model: ReaderModel | None = None,
    ) -> None:
        """`size` readers at most; the rest as of `FileReader`."""
        self._readers = [FileReader(limits, decodes=decodes, model=model) for _ in range(size)]
        self._free: queue.LifoQueue[FileReader] = queue.LifoQueue()
        for reader in self._readers:
            self._free.put(reader)

    def call(
        self,
        function: Callable[Concatenate[Path, _Arguments], _Result],
        path: Path,
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """As `FileReader.call`, by the first reader that is free."""
        reader = self._free.get()
        try:
            return reader.call(function, path, *args, **kwargs)
        finally:
            self._free.put(reader)

    def start(self) -> None:
        """Start the first process without waiting for it."""
        reader = self._free.get()
        reader.start()
        self._free.put(reader)

    def close(self) -> None:
        """End all processes."""
        for reader in self._readers:
            reader.close()

    def kill(self) -> None:
        """`FileReader.kill` of all."""
        for reader in self._readers:
            reader.kill()


def _end_late(process: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    late.set()
    process.kill()


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _environment() -> dict[str, str]:
    """This process's, with its import path; the libraries for numbers get one thread."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    single = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **single, "PYTHONPATH": path, "MALLOC_ARENA_MAX": "2"}

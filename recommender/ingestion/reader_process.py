"""A process that opens foreign files for another one: their tags, their hashes, their sound.

It starts in a fraction of a second, and may allocate only so much memory. With a model, it analyses
what it opens, too, on one thread.
`ingestion.file_reader` starts it and talks to it through its standard input and output.

A message is its length (8 bytes, little-endian), a pickle of that length with the sizes of the
buffers that belong to it, and those buffers. Answers are unpickled by a reader that knows results
of this package and arrays only.
"""

import argparse
import io
import json
import os
import pickle
import re
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from recommender.errors import AudioError, RecsysError, UnreadableAudio
from recommender.ingestion.worker_limits import (
    OUT_OF_MEMORY,
    address_space,
    allocated_since,
    limit_memory,
)

_LENGTH = struct.Struct("<Q")
_PARENT_CHECK_S = 0.5
_LONGEST_REASON = 500
_NO_MEMORY = re.compile(r"allocate memory|out of memory|malloc|bad_alloc", re.IGNORECASE)


def send(stream: BinaryIO, message: object) -> None:
    """Write a message; arrays go beside the pickle, without a copy."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    parts = [buffer.raw() for buffer in buffers]
    head = pickle.dumps([len(body), *(part.nbytes for part in parts)])
    stream.write(_LENGTH.pack(len(head)) + head + body)
    for part in parts:
        stream.write(part)
    stream.flush()


def receive(stream: BinaryIO, limit: int | None = None) -> Any:
    """Read a message.

    With `limit` (bytes), only results of this package and arrays are made of it.

    Raises:
        EOFError: the other process is gone.
        ValueError: the message is larger than `limit`.
    """
    load = pickle.Unpickler if limit is None else _ResultUnpickler
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if limit is not None and length > limit:
        raise ValueError("the answer is too large")
    sizes: list[int] = load(io.BytesIO(_exactly(stream, length))).load()
    if limit is not None and sum(sizes) > limit:
        raise ValueError("the answer is too large")
    body, *buffers = [_exactly(stream, size) for size in sizes]
    return load(io.BytesIO(body), buffers=buffers).load()


def _exactly(stream: BinaryIO, count: int) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    done = 0
    while done < count:
        read = cast(io.BufferedReader, stream).readinto(view[done:])
        if not read:
            raise EOFError
        done += read
    return data


class _ResultUnpickler(pickle.Unpickler):
    """Makes results of this package, arrays and errors of the system, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """The class of this name. Raises `pickle.UnpicklingError` for any other."""
        found = super().find_class(module, name) if "." not in name else None
        root = module.partition(".")[0]
        if root == "numpy" and name in {"_reconstruct", "_frombuffer", "ndarray", "dtype"}:
            return found
        is_ours = root == "recommender" and getattr(found, "__module__", "") == module
        is_error = isinstance(found, type) and issubclass(found, OSError)
        if isinstance(found, type) and (is_ours or is_error):
            return found
        raise pickle.UnpicklingError(f"{module}.{name} is no result")


def main() -> None:
    """Answer calls until the other process closes the pipe."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-m", dest="memory", type=int, required=True)
    parser.add_argument("-p", dest="parent", type=int, required=True)
    parser.add_argument("-d", dest="decodes", action="store_true")
    parser.add_argument("-a", dest="model", help="model and windowing, as JSON")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides about Ctrl-C
    threading.Thread(target=_end_with, args=(options.parent,), daemon=True).start()
    answers = _own_output()
    if options.decodes:
        _load_decoders()
    try:
        if options.model is not None:
            _load_model(**json.loads(options.model))
    except RecsysError as error:
        send(answers, error)
        return
    size = address_space()
    limit_memory(options.memory)
    calls = sys.stdin.buffer
    send(answers, "ready")
    while True:
        try:
            function, arguments = receive(calls)
        except EOFError:
            return
        answer = _answer(function, arguments)
        grown = allocated_since(size) > options.memory // 2  # the next file is to have its due
        send(answers, (*answer, not grown))
        del answer


def _own_output() -> BinaryIO:
    """Standard output for answers alone: what libraries print goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return answers


def _load_decoders() -> None:
    """Load what every file needs before memory is counted."""
    import av  # noqa: F401

    import recommender.audio.reader
    import recommender.audio.tags  # noqa: F401
    from recommender.utils.malloc import reuse_memory_while_analysing

    reuse_memory_while_analysing()


def _load_model(model: str, windowing: dict[str, Any] | None) -> None:
    from recommender.audio.windows import Windowing
    from recommender.ingestion.reader_model import load_model

    load_model(model, None if windowing is None else Windowing(**windowing))


def _answer(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    """Whether the call succeeded, and its result or its error."""
    try:
        return True, function(*arguments)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except (AudioError, OSError) as error:
        _end_without_memory(error)
        return False, error
    except Exception as error:  # whatever a decoder throws costs this file alone
        _end_without_memory(error)
        reason = f"unexpected {type(error).__name__}: {error}"[:_LONGEST_REASON]
        return False, UnreadableAudio(reason)


def _end_without_memory(error: BaseException | None) -> None:
    """End this process where the error, or what caused it, was want of memory."""
    while error is not None:
        if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
            os._exit(OUT_OF_MEMORY)
        error = error.__cause__ or error.__context__


def _end_with(parent: int) -> None:
    """End this process soon after its parent has died, even by SIGKILL."""
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_S)
    os._exit(1)


if __name__ == "__main__":
    main()

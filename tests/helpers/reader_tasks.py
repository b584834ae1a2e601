"""What reading processes do in tests. Functions take the path of a file, as all that they call."""

import mmap
import os
import resource
import time
from pathlib import Path

from recommender.ingestion import worker_limits


def allocate(path: Path, megabytes: int) -> int:
    return len(bytearray(megabytes << 20))


def hang(path: Path) -> None:
    time.sleep(1_000)


def die(path: Path, number: int) -> None:
    os.kill(os.getpid(), number)


def end(path: Path) -> None:
    os._exit(3)


def answer_with_code(path: Path) -> object:
    return _Code()


def answer_much(path: Path, megabytes: int) -> str:
    return "x" * (megabytes << 20)


def print_much(path: Path) -> str:
    print("a line that is no answer\n" * 1000, flush=True)
    os.write(1, b"nor is this\n" * 1000)
    os.write(2, b"nor this\n" * 100_000)
    return "an answer"


def process_id(path: Path) -> int:
    return os.getpid()


def write_file(path: Path, megabytes: int) -> None:
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(bytes(1 << 20))


class _Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/recsys-was-here",)


_kept: list[bytearray] = []


def keep(path: Path, megabytes: int) -> None:
    _kept.append(bytearray(megabytes << 20))


def watch_resident_memory(path: Path, megabytes: int) -> None:
    """Lift the system's limit, and go on as where there is none."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    worker_limits._address_space = lambda: None
    worker_limits.limit_memory(megabytes << 20)


def walk(path: Path) -> float:
    """As decoders do with an mp3, slowly: they map the file, and it shrinks meanwhile."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        time.sleep(0.2)
        return float(data[len(data) - 1])

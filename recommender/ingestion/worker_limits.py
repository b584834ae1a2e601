"""Limits of what one file may cost: memory, time and output of the process that opens it.

The defaults are 1024 MB and 60 s. Memory counts what is allocated above the process's size once it
has started. Time grows with the true length: beyond `FULL_SPEED_MB` of file, in proportion.
"""

import importlib
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender.errors import UsageError

FULL_SPEED_MB = 100
"""Megabytes of file up to which the limit of time is the one that is set."""

OUT_OF_MEMORY = 80
"""Exit status of a process that needed more memory than it may have."""

_WATCH_S = 0.05
_LEAST_MB = 128


@dataclass(frozen=True)
class FileLimits:
    """What reading one file may cost.

    Attributes:
        memory_mb: megabytes that the process may allocate above its size at its start; also the
            most that it may answer.
        timeout_s: seconds for a file of up to `FULL_SPEED_MB`; more, in proportion, for a larger.

    Raises `UsageError` for values out of range.
    """

    memory_mb: int = 1024
    timeout_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.memory_mb < _LEAST_MB:
            raise UsageError(f"a file needs {_LEAST_MB} MB at least, not {self.memory_mb} MB.")
        if not 0 < self.timeout_s < float("inf"):
            raise UsageError(f"the timeout must be above 0 s, not {self.timeout_s:g}.")

    @property
    def memory(self) -> int:
        """Bytes."""
        return self.memory_mb << 20

    def seconds_for(self, size: int) -> float:
        """Seconds that a file of `size` bytes may take."""
        return self.timeout_s * max(1.0, size / (FULL_SPEED_MB << 20))


def limit_memory(memory: int) -> None:
    """Let this process allocate `memory` bytes more than it has.

    Where the system enforces it (Linux), allocation fails beyond that; elsewhere a thread watches
    the resident memory and ends the process. Neither writes a dump of memory or large files.
    """
    resource = _resource()
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _lower(resource, resource.RLIMIT_FSIZE, memory)
    size = _address_space()
    if resource is None or size is None:
        threading.Thread(target=_watch, args=(memory,), daemon=True).start()
    else:
        _lower(resource, resource.RLIMIT_AS, size + memory)


def allocated_since(size: int) -> int:
    """Bytes of address space above `size`; 0 where the system does not tell."""
    return max((_address_space() or size) - size, 0)


def address_space() -> int:
    """Bytes of address space of this process; 0 where the system does not tell."""
    return _address_space() or 0


def _resource() -> Any:
    """The module that only Unix has; None without it."""
    try:
        return importlib.import_module("resource")
    except ImportError:
        return None


def _lower(resource: Any, kind: int, value: int) -> None:
    """Set a soft limit, within the hard one."""
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard < 0 else min(value, hard), hard))


def _address_space() -> int | None:
    """Bytes of address space on Linux, where a limit of it is enforced; None elsewhere."""
    return _statm(0)


def _statm(field: int) -> int | None:
    """Bytes in a field of what Linux tells of this process's memory; None elsewhere."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[field])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _watch(memory: int) -> None:
    """End this process once its resident memory has grown by more than `memory` bytes."""
    start = _resident()
    while _resident() - start <= memory:
        time.sleep(_WATCH_S)
    os._exit(OUT_OF_MEMORY)


def _resident() -> int:
    """Bytes in memory now, or the most there were; 0 where the system does not tell (Windows)."""
    if (now := _statm(1)) is not None:
        return now
    resource = _resource()
    if resource is None:
        return 0
    peak: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if os.uname().sysname == "Darwin" else peak << 10

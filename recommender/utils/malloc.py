"""Settings of glibc's memory allocator; without effect where the C library is another one.

By default glibc maps large blocks anew for every allocation and unmaps them when they are freed;
the kernel then clears all of their pages again, which can cost more than the computation in them.
"""

import ctypes

# <malloc.h>
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -2, -3, -4

KEPT_WHILE_ANALYSING = 2**26
"""Bytes of freed memory kept at the top of each arena by a process that analyses music: 64 MB."""

LARGEST_REUSED = 2**25
"""Bytes of the largest block that is reused then, the most that glibc allows. Five windows take
11 MB."""


def reuse_memory_while_training() -> None:
    """Keep all freed memory for the next step: in training every batch needs the same again."""
    _set(M_MMAP_MAX, 0)
    _set(M_TRIM_THRESHOLD, 2**31 - 1)
    _set(M_TOP_PAD, 2**28)


def reuse_memory_while_analysing() -> None:
    """Keep `KEPT_WHILE_ANALYSING` bytes for the next track, in blocks up to `LARGEST_REUSED`."""
    _set(M_MMAP_THRESHOLD, LARGEST_REUSED)
    _set(M_TRIM_THRESHOLD, KEPT_WHILE_ANALYSING)


def _set(parameter: int, value: int) -> None:
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(parameter, value)

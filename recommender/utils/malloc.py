"""How the C library hands memory out.

glibc maps large blocks anew each time they are taken and gives them back when they are freed;
every page of them then has to be cleared again, which can cost more than what is computed in them.
Elsewhere than on glibc nothing here does anything.
"""

import ctypes

# <malloc.h>
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -2, -3, -4

KEPT_WHILE_ANALYSING = 2**26
"""Bytes of freed memory at the top of each arena that a process which analyses music keeps: 64 MB."""

LARGEST_REUSED = 2**25
"""Bytes of the largest block that is kept then: glibc allows no more. Five windows take 11 MB."""


def reuse_memory_while_training() -> None:
    """Keep whatever is freed for the next step, as training needs: every batch takes the same.

    An epoch of the 2D CNN takes 68 s with this, 110 s without.
    """
    _set(M_MMAP_MAX, 0)
    _set(M_TRIM_THRESHOLD, 2**31 - 1)
    _set(M_TOP_PAD, 2**28)


def reuse_memory_while_analysing() -> None:
    """Keep `KEPT_WHILE_ANALYSING` bytes for the next track, in blocks up to `LARGEST_REUSED`.

    The default model analyses a track in two thirds of the time it takes without.
    """
    _set(M_MMAP_THRESHOLD, LARGEST_REUSED)
    _set(M_TRIM_THRESHOLD, KEPT_WHILE_ANALYSING)


def _set(parameter: int, value: int) -> None:
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(parameter, value)

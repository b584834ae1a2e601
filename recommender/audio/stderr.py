"""Keep C libraries from writing to the terminal."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_depth = 0
_saved = -1


@contextmanager
def silenced_stderr() -> Iterator[None]:
    """Send file descriptor 2 to the null device: decoders (mpg123) print warnings there from C.

    The descriptor is the process's, so what other threads write to stderr meanwhile is lost too.
    Nested and simultaneous uses share one redirection: the first to enter makes it and the last
    to leave undoes it. A worker process may therefore enter once, for its whole life.
    """
    global _depth, _saved
    with _lock:
        if _depth == 0:
            _saved = _redirect_stderr()
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0 and _saved >= 0:
                os.dup2(_saved, 2)
                os.close(_saved)


def _redirect_stderr() -> int:
    """Point descriptor 2 at the null device; a copy of what it was, -1 when it was closed."""
    try:
        saved = os.dup(2)
    except OSError:  # a service without stderr
        return -1
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return saved

"""Paths as callers give them, CSV, and replacing a file whole or not at all."""

import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

AnyPath = str | os.PathLike[str]
"""What every function that takes a path accepts."""


def as_path(path: AnyPath, what: str = "a path") -> Path:
    """`path` as a `Path`.

    Args:
        path: as the caller of a public function gave it.
        what: names the argument in the error.

    Raises:
        TypeError: it is neither a `str` nor an `os.PathLike` of `str`; the message says so.
    """
    if isinstance(path, str | os.PathLike):
        plain = os.fspath(path)
        if isinstance(plain, str):
            return Path(plain)
    raise TypeError(f"{what} must be a str or an os.PathLike of str, not {type(path).__name__}.")


class IrregularFile(OSError):
    """A folder, device or pipe in the place of a file."""


def require_regular(path: Path) -> None:
    """Raise `OSError` for a device, pipe or socket, which may never end; and if it is absent."""
    path.stat()
    if _is_special(path):
        raise OSError(errno.EINVAL, "Not a regular file", str(path))


def _is_special(path: Path) -> bool:
    """Whether it exists and is neither a file nor a folder."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def replace_file(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically; see `replacing_file`. Raises `OSError`."""
    with replacing_file(path) as file:
        file.write(content)


@contextmanager
def replacing_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which replaces `path` once the body has ended.

    Its folder is created if needed. The bytes go to a temporary file there, are flushed to
    the disk and renamed, so that neither a crash nor a loss of power leaves half a file; when the
    body raises, `path` stays as it was. A device or a pipe is written to at the end, not replaced.
    Raises `OSError`.
    """
    if _is_special(path):
        with tempfile.TemporaryFile() as whole:  # the body may seek, which a pipe cannot
            yield whole
            whole.seek(0)
            with path.open("wb") as device:
                shutil.copyfileobj(whole, device)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # A plain open, not tempfile, so that the file gets the permissions of the user's umask.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Flush a folder to the disk: only then does a renaming in it outlast a loss of power."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_small(path: Path, most: int) -> bytes:
    """The content of a regular file of at most `most` bytes; one byte more of a larger one.

    Raises:
        IrregularFile: it is a folder, or a pipe or a device, which may never end.
        OSError: it cannot be read; a socket has the number ENXIO.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IrregularFile(errno.EINVAL, "Not a regular file", str(path))
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most + 1)


def lies_in(path: str, folder: str) -> bool:
    """Whether a relative path lies in a folder, at whatever depth; all do in ``""``."""
    return not folder or path.startswith(f"{folder}/")


def folders_of(path: str) -> list[str]:
    """The folders that a relative path lies in, from ``""`` downwards."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(len(parts))]


def real_path(path: Path) -> Path:
    """`path` absolute and without links; a link that leads to itself stays as it is.

    `Path.resolve` raises `RuntimeError` for such a link before Python 3.13.
    """
    return Path(os.path.realpath(path))

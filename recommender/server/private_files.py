"""Files with secrets: only their owner may read them, and they are replaced whole or not at all."""

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from recommender.errors import UsageError
from recommender.utils.files import flush_folder, read_small

logger = logging.getLogger(__name__)

_WAIT_S = 10.0


def read_private(file: Path, most: int) -> bytes:
    """The content of a file that nobody else may change; that others may read it is logged.

    Raises:
        FileNotFoundError: there is none.
        UsageError: others may change it, it is larger than `most` bytes, or cannot be read.
    """
    try:
        mode = file.stat().st_mode if os.name == "posix" else 0
        content = read_small(file, most)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    if mode & 0o022:
        raise UsageError(
            f"{file} can be changed by other users of this machine: check what is in it, then give "
            "it the mode 0600 (chmod 600)."
        )
    if mode & 0o044:
        logger.warning(
            "%s can be read by other users of this machine, and holds secrets: chmod 600", file
        )
    if len(content) > most:
        raise UsageError(f"{file} is larger than {most} bytes.")
    return content


def write_private(file: Path, content: bytes) -> None:
    """Replace a file, which only its owner reads. Raises `UsageError` if it cannot be written."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Born with this mode: nobody else can open it before it is changed.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        temporary.replace(file)
        flush_folder(file.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise UsageError(f"{file} cannot be written: {error.strerror}.") from error


@contextmanager
def changing(file: Path) -> Iterator[None]:
    """Keep other processes from changing a file between reading and replacing it.

    Raises `UsageError` where another one takes too long, or the lock beside it cannot be made.
    """
    lock = FileLock(file.with_name(f".{file.name}.lock"), timeout=_WAIT_S)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise UsageError(f"{file} is being changed by another process: try again.") from error
    except NotImplementedError:  # a file system without locks
        logger.warning("the file system of %s has no locks", file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}.") from error
    try:
        yield
    finally:
        lock.release()

"""Files of tracks, opened where music lies and nowhere else.

A file is opened if what its path leads to lies, without links, under the root of a library or under
a folder that a link led an ingest to (`Library.linked_folders`). That is checked of the file as it
is opened: what is sent is the very file that was checked, whatever happens to its path meanwhile.
"""

import hashlib
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from recommender.catalog import Library
from recommender.catalog.records import Track
from recommender.server.errors import Problem
from recommender.utils.files import real_path

NO_FILE = "The file of this track cannot be had at present."
_DESCRIPTORS = Path("/dev/fd")


class OpenFile:
    """A file that was opened and checked.

    Attributes:
        path: by which this very file can be opened again, as long as this one is open.
        elsewhere: likewise, in another process of the same user.
        found: what the system says of it.
    """

    def __init__(self, descriptor: int, checked: Path, version: str | None = None) -> None:
        """Takes over the descriptor.

        Args:
            descriptor: of the file.
            checked: its path, for systems that have none for a descriptor.
            version: what its content depends on; None for size and time.
        """
        self._descriptor = descriptor
        self._version = version
        self.found = os.fstat(descriptor)
        by_descriptor = _DESCRIPTORS / str(descriptor)
        self.path = by_descriptor if by_descriptor.exists() else checked
        by_process = Path(f"/proc/{os.getpid()}/fd/{descriptor}")
        self.elsewhere = by_process if by_process.exists() else checked

    @property
    def entity_tag(self) -> str:
        """Of its content, as far as size and time tell."""
        found = self.found
        version = self._version or f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"
        return f'"{hashlib.blake2b(version.encode(), digest_size=12).hexdigest()}"'

    def close(self) -> None:
        """Close it; once more does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)


def open_file(track: Track, libraries: Iterable[Library]) -> OpenFile:
    """Open the file of a track, for reading.

    Raises `Problem` (404) where it is missing, no regular file, or does not lie, without links,
    where music lies.
    """
    folders = [
        folder
        for library in libraries
        for folder in (real_path(library.root), *library.linked_folders)
    ]
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    flags |= getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(track.file, flags)
    except (OSError, ValueError):
        raise Problem(404, NO_FILE) from None
    try:
        found = os.fstat(descriptor)
        checked = real_path(track.file)
        is_allowed = stat.S_ISREG(found.st_mode) and any(map(checked.is_relative_to, folders))
        # The path may lead elsewhere by now: only the file that lies there is sent.
        if is_allowed and os.path.samestat(found, checked.lstat()):
            return OpenFile(descriptor, checked)
    except OSError:
        pass
    os.close(descriptor)
    raise Problem(404, NO_FILE)

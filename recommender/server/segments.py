"""Files of the tracks that cue sheets divide files into, cut when they are asked for."""

import hashlib
import os
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path

from recommender.audio.segment_writer import SUFFIX, write_segment
from recommender.catalog.records import Track
from recommender.errors import AudioError
from recommender.ingestion.file_reader import FileReader
from recommender.ingestion.worker_limits import FileLimits
from recommender.server.errors import Problem
from recommender.server.open_file import NO_FILE, OpenFile

_MOST_BYTES = 2 << 30
_MOST_FILES = 64


class SegmentFiles:
    """Cuts segments, in another process with limits, and keeps the latest of them in a temporary
    folder, so that a player may ask for one range after another. Thread-safe."""

    def __init__(self, limits: FileLimits) -> None:
        """Make nothing yet.

        Args:
            limits: what one file may cost; what is written of it, too.
        """
        self._reader = FileReader(limits)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files: OrderedDict[str, Path] = OrderedDict()
        self._cutting = threading.Lock()
        self._is_closed = False

    def opened(self, track: Track, file: OpenFile) -> OpenFile:
        """The file of a track that is a segment of an open file; blocks.

        Raises `Problem` where it cannot be cut.
        """
        version = f"{file.entity_tag} {track.start} {track.end}"
        key = hashlib.blake2b(version.encode(), digest_size=12).hexdigest()
        with self._cutting:
            if self._is_closed:
                raise Problem(503, "The server is stopping.", {"Retry-After": "5"})
            if key not in self._files:
                self._files[key] = self._cut(track, file, key)
            self._files.move_to_end(key)
            try:
                descriptor = os.open(self._files[key], os.O_RDONLY | getattr(os, "O_BINARY", 0))
            except OSError:  # somebody has tidied up the temporary folders
                del self._files[key]
                raise Problem(503, NO_FILE, {"Retry-After": "1"}) from None
            self._drop_old(key)
        return OpenFile(descriptor, self._files.get(key, file.elsewhere), version)

    def close(self) -> None:
        """Cut no more, and delete what was cut; what is open can still be sent."""
        self._reader.kill()
        with self._cutting:
            self._is_closed = True
            if self._folder is not None:
                self._folder.cleanup()

    def _cut(self, track: Track, file: OpenFile, key: str) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(
                prefix="recsys-segments-", ignore_cleanup_errors=True
            )
        target = Path(self._folder.name) / f"{key}{SUFFIX}"
        try:
            self._reader.call(
                write_segment, file.elsewhere, target, (track.start or 0.0, track.end)
            )
        except (AudioError, OSError):
            target.unlink(missing_ok=True)
            raise Problem(404, NO_FILE) from None
        return target

    def _drop_old(self, kept: str) -> None:
        sizes = {key: _size_of(path) for key, path in self._files.items()}
        for key in list(self._files):
            is_room = sum(sizes.values()) <= _MOST_BYTES and len(sizes) <= _MOST_FILES
            if is_room or key == kept:
                return
            del sizes[key]
            self._files.pop(key).unlink(missing_ok=True)


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

"""The length that the header of a wma claims: ffmpeg shortens it to what the file can hold."""

import struct
from typing import BinaryIO

_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_FIELDS = struct.Struct("<40x24xQ8xQI")  # play time (100 ns), preroll (ms), flags
_SEARCHED = 1 << 16
_BROADCAST = 1


def asf_seconds(file: BinaryIO) -> float | None:
    """Seconds by the file properties object; None without one, or of a broadcast."""
    file.seek(0)
    start = file.read(_SEARCHED)
    at = start.find(_FILE_PROPERTIES)
    if at < 0 or len(start) < at + _FIELDS.size:
        return None
    play_time, preroll, flags = _FIELDS.unpack_from(start, at)
    seconds: float = play_time / 1e7 - preroll / 1e3
    return seconds if seconds > 0 and not flags & _BROADCAST else None

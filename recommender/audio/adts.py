"""The frames of a bare AAC stream (ADTS), walked without decoding."""

import re
from typing import BinaryIO

from recommender.audio.damage import Faults
from recommender.audio.file_views import ByteWindow

_SYNC = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]")
_HEADER = 7  # bytes
_LONGEST_FRAME = 1 << 13
_MOST_FALSE_HEADERS = 100_000


def walk_adts(file: BinaryIO) -> Faults:
    """Count frames; errors are places between them where none stands, skipped what was lost there.

    A file that ends inside a frame is cut off.

    Args:
        file: can seek.
    """
    faults, data = Faults(), ByteWindow(file, 2 * _LONGEST_FRAME)
    position = end = false_headers = frame_bytes = 0
    in_step = False
    while True:
        at = data.hold(position)
        chunk = data.chunk
        if at > len(chunk) - _HEADER:
            faults.cut_off = bool(faults.packets) and at > len(chunk)
            return faults
        length = _length(chunk, at)
        if length and (in_step or _length(chunk, at + length)):
            if faults.packets and position > end:
                faults.errors += 1
                faults.skipped += round((position - end) * faults.packets / frame_bytes)
            faults.packets += 1
            frame_bytes += length
            position = end = position + length
            in_step = True
            continue
        in_step = False
        false_headers += bool(length)
        if false_headers > _MOST_FALSE_HEADERS:
            return faults
        found = _SYNC.search(chunk, at + 1)
        position = data.first + (found.start() if found else max(len(chunk) - 1, at + 1))


def _length(chunk: bytes, at: int) -> int:
    """Bytes of the frame that begins there; 0 where none does."""
    if at > len(chunk) - _HEADER or not _SYNC.match(chunk, at) or chunk[at + 2] >> 2 & 15 > 12:
        return 0
    length = (chunk[at + 3] & 3) << 11 | chunk[at + 4] << 3 | chunk[at + 5] >> 5
    return length if length > _HEADER else 0

"""How long an mp3 really is, by walking its frame headers without decoding.

An mp3 has no reliable length: a header that gives it (Xing, Info, VBRI) is optional, survives
cutting and joining unchanged, and is missing from many files, whose decoders then guess from the
first frame's bit rate. A walk over the headers costs about 3 ms for a song.

Header fields: ISO/IEC 11172-3 section 2.4.2.3, ISO/IEC 13818-3 for the lower sample rates.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import BinaryIO, NamedTuple

from recommender.audio.damage import Faults
from recommender.audio.file_views import ByteWindow

_V1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_V2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_LAYER_3 = 1
_MPEG_1 = 3
_HEADER = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xeb]")  # and some that are none

_LONGEST_FRAME = 1_441 * 2
_COMPLETE = 0.995
"""Share of the claimed length from which on no frame counts as lost."""

_MOST_FALSE_HEADERS = 100_000
"""Bytes that look like a header where no other follows, until a file counts as no mp3: in junk
there is one in some 10 KB."""


class _Frame(NamedTuple):
    bytes: int
    samples: int
    rate: int


@dataclass
class Mp3Walk:
    """What `walk_mp3` found.

    Attributes:
        seconds: of sound in the frames; 0.0 when there is none.
        claimed_seconds: by a Xing or Info header; None without one.
        faults: packets are frames, errors places between frames where none stands, skipped as many
            frames as would have stood there.
    """

    seconds: float = 0.0
    claimed_seconds: float | None = None
    faults: Faults = field(default_factory=Faults)


def walk_mp3(file: BinaryIO) -> Mp3Walk:
    """Seconds of sound in the layer III frames of a whole mp3 file.

    Encoder delay and padding (up to about 0.1 s), which players trim, are counted in. Bytes that
    are no frame (tags, damage) are skipped.

    Args:
        file: can seek; `io.BufferedReader` reads fast enough.
    """
    frames, walk, data = _frames_by_header(), Mp3Walk(), ByteWindow(file, 2 * _LONGEST_FRAME)
    file.seek(0)
    position = end = _after_id3v2(file.read(10))  # end: of the frames until now
    false_headers = frame_bytes = 0
    while True:
        at = data.hold(position)
        chunk = data.chunk
        if at > len(chunk) - 4:
            return _without_insertions(walk)
        frame = frames[chunk[at + 1] << 8 | chunk[at + 2]] if chunk[at] == 0xFF else None
        if frame and _followed(chunk, at, frame):
            if not walk.faults.packets:
                walk.claimed_seconds, end = _claimed(chunk[at : at + frame.bytes], frame), position
            gap, began = position - end, position
            position = end = _walk_in_step(data, position, walk)
            frame_bytes += position - began
            if gap > 0:
                walk.faults.errors += 1
                walk.faults.skipped += round(gap * walk.faults.packets / frame_bytes)
            at = data.hold(position)
            end += _after_id3v2(data.chunk[at : at + 10])  # of an mp3 that was appended
            continue
        false_headers += frame is not None
        if false_headers > _MOST_FALSE_HEADERS:
            return walk
        found = _HEADER.search(chunk, at + 1)
        position = data.first + (found.start() if found else max(len(chunk) - 2, at + 1))


def _without_insertions(walk: Mp3Walk) -> Mp3Walk:
    """Where all frames that the header claims are there, what lay between them replaced none."""
    if walk.claimed_seconds and walk.seconds >= _COMPLETE * walk.claimed_seconds:
        walk.faults.skipped = 0
    return walk


def _walk_in_step(data: ByteWindow, position: int, walk: Mp3Walk) -> int:
    """Count frames that follow one another; the position after the last."""
    frames, seconds, count = _frames_by_header(), walk.seconds, 0
    while (at := data.hold(position)) <= len(data.chunk) - 4:
        chunk, first = data.chunk, data.first
        limit = len(chunk) - 4 if data.is_last else len(chunk) - 2 * _LONGEST_FRAME
        frame = None
        while at <= limit:
            frame = frames[chunk[at + 1] << 8 | chunk[at + 2]] if chunk[at] == 0xFF else None
            if frame is None:
                break
            seconds += frame.samples / frame.rate
            at += frame.bytes
            count += 1
        position = first + at
        if frame is None:
            break
    walk.seconds = seconds
    walk.faults.packets += count
    return position


def _followed(data: bytes, position: int, frame: _Frame) -> bool:
    """Whether another frame stands where this one ends: two bytes alone look like one by chance."""
    following = position + frame.bytes
    if following + 4 > len(data):
        return False
    key = data[following + 1] << 8 | data[following + 2]
    return data[following] == 0xFF and _frames_by_header()[key] is not None


def _claimed(data: bytes, frame: _Frame) -> float | None:
    """Seconds that a Xing or Info header in a file's first frame claims."""
    for name in (b"Xing", b"Info"):
        at = data.find(name, 4, 48)
        if at >= 0 and len(data) >= at + 12 and data[at + 7] & 1:
            return int.from_bytes(data[at + 8 : at + 12], "big") * frame.samples / frame.rate
    return None


def _after_id3v2(data: bytes) -> int:
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    size = data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]  # seven bits a byte
    return 10 + size


@cache
def _frames_by_header() -> list[_Frame | None]:
    """What each value of a header's second and third byte means; None where it is no header."""
    return [_frame(second, third) for second in range(256) for third in range(256)]


def _frame(second: int, third: int) -> _Frame | None:
    version, layer = second >> 3 & 3, second >> 1 & 3
    bit_rate, rate, padding = third >> 4, third >> 2 & 3, third >> 1 & 1
    is_sync = second & 0xE0 == 0xE0
    if not is_sync or layer != _LAYER_3 or version not in _RATES or rate == 3:
        return None
    if bit_rate in (0, 15):  # free format, forbidden
        return None
    hertz = _RATES[version][rate]
    kbps = (_V1_KBPS if version == _MPEG_1 else _V2_KBPS)[bit_rate]
    samples = 1152 if version == _MPEG_1 else 576
    return _Frame(samples // 8 * kbps * 1000 // hertz + padding, samples, hertz)

"""How long an mp3 really is, by walking its frame headers without decoding.

An mp3 has no reliable length: a header that gives it (Xing, Info, VBRI) is optional, survives
cutting and joining unchanged, and is missing from many files, whose decoders then guess from the
first frame's bit rate. A walk over the headers costs about 3 ms for a song.

Header fields: ISO/IEC 11172-3 section 2.4.2.3, ISO/IEC 13818-3 for the lower sample rates.
"""

from functools import cache
from mmap import mmap
from typing import NamedTuple

_V1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_V2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_LAYER_3 = 1
_MPEG_1 = 3


class _Frame(NamedTuple):
    bytes: int
    samples: int
    rate: int


def mp3_seconds(data: bytes | mmap) -> float:
    """Seconds of sound in the layer III frames of a whole mp3 file's bytes.

    Encoder delay and padding (up to about 0.1 s), which players trim, are counted in. Bytes that
    are no frame (tags, damage) are skipped. 0.0 when there is no frame.
    """
    frames = _frames_by_header()
    position = _after_id3v2(data)
    end = len(data) - 4
    seconds = 0.0
    in_step = False  # the previous bytes were a frame that ended exactly here
    while position <= end:
        frame = frames[data[position + 1] << 8 | data[position + 2]]
        if data[position] == 0xFF and frame and (in_step or _followed(data, position, frame)):
            seconds += frame.samples / frame.rate
            position += frame.bytes
            in_step = True
            continue
        in_step = False
        position = data.find(b"\xff", position + 1)
        if position < 0:
            break
    return seconds


def _followed(data: bytes | mmap, position: int, frame: _Frame) -> bool:
    """Whether another frame stands where this one ends: two bytes alone look like one by chance."""
    following = position + frame.bytes
    if following + 4 > len(data):
        return False
    key = data[following + 1] << 8 | data[following + 2]
    return data[following] == 0xFF and _frames_by_header()[key] is not None


def _after_id3v2(data: bytes | mmap) -> int:
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

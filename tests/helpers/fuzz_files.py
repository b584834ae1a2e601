"""Files that mean harm: tags, names, bombs of time and memory, playlists, ignore files."""

import os
import random
import struct
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import soundfile as sf
import sounds

NAMES = (
    *("line\nbreak", "tab\there", "bell\a", "escape\x1b[31mred\x1b]0;title\a", "delete\x7f"),
    *('=HYPERLINK("x")', "-rf", "--db", "~", "$(touch x)", "`id`", "; drop table tracks"),
    *(
        "\u202ereversed",
        "\u200bnothing",
        "\U0001f3f4\u200d☠️",
        "e\u0301",
        "\u00e9",
        "ｆｕｌｌ",
        "日本語",
    ),
    *(
        "a" * 240,
        " spaces ",
        "dots...",
        "%s%n%x",
        "C:\\x",
        "CON",
        "\u2028line",
        "\x85next",
        "\x9bCSI",
    ),
    *("'quote", '"double', "comma,semi;", "#hash", "*star?", "[brackets]", "{0}", "\ufeffmark"),
)
_TEXTS = (
    *("title", "\0nul", "a\x1b[2Jb", "x" * 100_000, "=1+1", "\u202e\u202d", "\ud83d\ude00"),
    *("\x9b31m", "\r\nInjected: 1", "' OR 1=1 --", "\ufffe\uffff", "%d%s", "é" * 3_000),
)


def names(rng: random.Random) -> str:
    """The stem of a file's name, with bytes that are not UTF-8 now and then."""
    name = rng.choice(NAMES)[:200]
    if rng.random() < 0.2:
        name = os.fsdecode(rng.randbytes(12).replace(b"\0", b"0").replace(b"/", b"1")) + name[:100]
    return name


def tags(base: bytes, rng: random.Random) -> tuple[str, bytes]:
    """A good mp3 with tags that are not."""
    return "mp3", rng.choice((_id3, _ape, _garbage))(rng) + base + rng.choice((b"", _id3v1(rng)))


def synchsafe(number: int) -> bytes:
    """Four bytes of seven bits each."""
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def _id3(rng: random.Random) -> bytes:
    frames = b""
    for _ in range(rng.choice((1, 3, 50))):
        name = rng.choice((b"TIT2", b"TPE1", b"TALB", b"TCON", b"TRCK", b"TDRC", b"APIC", b"COMM"))
        text = rng.choice(_TEXTS).encode("utf-8", "surrogatepass")
        body = bytes([rng.choice((0, 1, 2, 3, 9))]) + rng.choice((text, rng.randbytes(100)))
        size = rng.choice((len(body), len(body), len(body), 0, 1 << 27))
        frames += name + synchsafe(size) + struct.pack(">H", rng.choice((0, 0, 0, 2, 8, 9))) + body
    claimed = rng.choice((len(frames), len(frames), len(frames) // 2, 1 << 27))
    return (
        b"ID3"
        + bytes([rng.choice((2, 3, 4, 9)), 0, rng.choice((0, 0x80, 0x40))])
        + synchsafe(claimed)
        + frames
    )


def _ape(rng: random.Random) -> bytes:
    text = rng.choice(_TEXTS).encode("utf-8", "surrogatepass")
    item = struct.pack("<II", rng.choice((len(text), 0xFFFF_FFFF)), 0) + b"Title\0" + text
    count = rng.choice((1, 1_000_000))
    return b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, count, 0) + bytes(8) + item


def _garbage(rng: random.Random) -> bytes:
    return rng.choice((b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")) + rng.randbytes(300)


def _id3v1(rng: random.Random) -> bytes:
    return b"TAG" + rng.randbytes(125)


@cache
def _inflating(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(megabytes)]
    return b"".join(parts) + packer.flush()


def _sound(tmp: Path, channels: int, seconds: int, kind: tuple[str, str], rate: int) -> bytes:
    path = tmp / "bomb"
    with sf.SoundFile(path, "w", rate, channels, kind[1], format=kind[0]) as file:
        for second in range(seconds):
            block = np.zeros((rate, channels), np.float32)
            block[0] = 0.5 if second % 7 == 3 else 0
            for start in range(0, rate, 2_000):
                file.write(block[start : start + 2_000])
    data = path.read_bytes()
    path.unlink()
    return data


@cache
def _many_channels(tmp: Path, channels: int) -> bytes:
    return _sound(tmp, channels, 12, ("OGG", "VORBIS"), 8_000)


@cache
def _hours(tmp: Path, hours: int) -> bytes:
    return _sound(tmp, 1, 3_600 * hours, ("FLAC", "PCM_16"), 8_000)


def bombs(base: bytes, tmp: Path, rng: random.Random) -> tuple[str, bytes]:
    """A small file that takes much: memory, time, or both."""
    kind = rng.randrange(9)
    if kind == 0:
        packed = _inflating(rng.choice((50, 400, 1_400)))
        body = b"\x7f\x7f\x7f\x7f" + packed
        frame = b"TIT2" + synchsafe(len(body)) + struct.pack(">H", 9) + body
        return "mp3", b"ID3\x04\0\0" + synchsafe(len(frame)) + frame + base
    if kind == 1:
        return "ogg", _many_channels(tmp, rng.choice((32, 255)))
    if kind == 2:
        return "mp3", rng.choice((b"\xff", b"\xff\xfb", b"\xff\xfb\x90\x64")) * (2 << 20)
    if kind == 3:
        return "flac", _hours(tmp, rng.choice((1, 6)))
    if kind == 4:  # a table of so many samples
        box = struct.pack(">I4sIII", 20, b"stsz", 0, 1, 0xFFFF_FFF0)
        return "m4a", b"\0\0\0\x18ftypM4A " + bytes(12) + struct.pack(">I4s", 28, b"moov") + box
    if kind == 5:
        channels, rate = rng.choice(((65_535, 8_000), (255, 0x7FFF_FFFF), (1_024, 768_000)))
        fmt = struct.pack("<HHIIHH", 1, channels, rate, 0xFFFF_FFFF, channels * 2 % 65_536, 16)
        return (
            "wav",
            b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0"
            + fmt
            + b"data\xff\xff\xff\xff"
            + bytes(1 << 20),
        )
    if kind == 6:  # an Ogg that begins again and again
        return "ogg", _many_channels(tmp, 1) * rng.choice((20, 300))
    if kind == 7:
        return "mp3", base * rng.choice((10, 60))
    return "mka", b"\x1a\x45\xdf\xa3\xff" + b"\xa3\x01\xff\xff\xff\xff\xff\xff\xff" * (1 << 17)


def playlists(port: int, rng: random.Random) -> tuple[str, bytes]:
    """A list of addresses and files that poses as a sound."""
    address = f"{rng.choice(('http', 'tcp', 'rtmp', 'rtsp', 'udp', 'ftp'))}://127.0.0.1:{port}/x"
    target = rng.choice((address, address, "file:///etc/passwd", "concat:/etc/passwd|/etc/hosts"))
    text = rng.choice(
        (
            f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n",
            f"ffconcat version 1.0\nfile '{target}'\n",
            f'<?xml version="1.0"?><MPD><BaseURL>{target}</BaseURL></MPD>',
            f'<smil><body><audio src="{target}"/></body></smil>',
            f"[playlist]\nFile1={target}\nNumberOfEntries=1\n",
            f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n",
            f'<asx><entry><ref href="{target}"/></entry></asx>',
        )
    )
    return rng.choice(
        ["mp3", "wav", "flac", "ogg", "m4a", "aac", "wma", "mka", "ts"]
    ), text.encode()


def write_ignore_file(path: Path, rng: random.Random) -> None:
    """An ignore file that takes long, is no text, no file, or too much."""
    lines = ["x.mp3", "*" + "a*" * rng.choice((5, 50)) + "b", "**/" * 30 + "b", "!", "[z-a]", "\\"]
    makers: tuple[Callable[[], object], ...] = (
        lambda: path.write_text(
            "\n".join(rng.sample(lines, 3)),
            encoding=rng.choice(("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "latin-1")),
        ),
        lambda: path.write_bytes(rng.randbytes(rng.choice((1, 100, 10_000)))),
        lambda: path.write_bytes(b"*a" * 20_000),
        lambda: path.write_bytes(b"a\n" * 1_000_000),
        lambda: os.mkfifo(path),
        lambda: path.symlink_to("/dev/zero"),
        lambda: path.symlink_to(path),
        lambda: path.mkdir(),
    )
    rng.choice(makers)()


def base_sounds(folder: Path, seconds: float) -> dict[str, Path]:
    """Twelve encodings of one piece of music."""
    files = {}
    for number, name in enumerate(sounds.FORMATS):
        rate = sounds.native_rate(name)
        path = folder / f"base {name}{sounds.ending(name)}"
        music = sounds.music(seconds, rate, number)
        files[name] = sounds.write_sound(path, music, rate, format_name=name)
    path = folder / "base vbr.mp3"
    files["vbr"] = sounds.write_mp3_vbr(path, sounds.music(seconds, 44_100, 99))
    return files

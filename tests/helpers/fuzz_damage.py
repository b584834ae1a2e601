"""Damaged copies of good sounds, and sounds that were never good; the same for the same seed."""

import random
import struct
from collections.abc import Callable

Damage = Callable[[bytes, random.Random], bytes]

SHARES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
LENGTHS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)


def _flips(share: float) -> Damage:
    def damage(data: bytes, rng: random.Random) -> bytes:
        out = bytearray(data)
        for _ in range(max(1, round(len(out) * 8 * share))):
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
        return bytes(out)

    return damage


def flip_header(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        out[rng.randrange(min(len(out), 200))] ^= 1 << rng.randrange(8)
    return bytes(out)


def set_length(data: bytes, rng: random.Random) -> bytes:
    """A field of four bytes, most often in the header, claims another number."""
    out = bytearray(data)
    reach = len(out) if rng.random() < 0.3 else 400
    place = rng.randrange(0, max(4, min(reach, len(out)) - 4))
    out[place : place + 4] = struct.pack(rng.choice("<>") + "I", rng.choice(LENGTHS))
    return bytes(out)


def truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(1, len(data))]


def splice(data: bytes, rng: random.Random) -> bytes:
    a, b = sorted(rng.randrange(len(data)) for _ in range(2))
    start = rng.randrange(len(data))
    return data[:start] + data[a : min(b, a + 20_000)] + data[start:]


def hole(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    length = min(rng.choice((16, 512, 4096, 65_536)), len(data) - start)
    return data[:start] + bytes(length) + data[start + length :]


def insert(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + rng.randbytes(rng.choice((1, 7, 512, 10_000))) + data[start:]


def behead(data: bytes, rng: random.Random) -> bytes:
    return data[rng.choice((1, 4, 12, 44, 200, 1_000, 5_000)) :]


def append(data: bytes, rng: random.Random) -> bytes:
    return data + rng.choice((bytes(5_000), rng.randbytes(50_000), b"TAG" + bytes(125), b"OggS"))


DAMAGE: dict[str, Damage] = {
    **{f"flips {share:g}": _flips(share) for share in SHARES},
    "header flips": flip_header,
    "length fields": set_length,
    "truncated": truncate,
    "spliced": splice,
    "holes": hole,
    "inserted": insert,
    "no header": behead,
    "tail": append,
}


def _numbers(rng: random.Random, count: int, order: str, width: str) -> bytes:
    size = {"B": 0xFF, "H": 0xFFFF, "I": 0xFFFF_FFFF, "Q": 2**64 - 1}[width]
    usual = (0, 1, 2, 3, 8, 16, 24, 255, 8_000, 44_100, 65_535, 0x7FFF_FFFF, size)
    return b"".join(struct.pack(order + width, min(rng.choice(usual), size)) for _ in range(count))


_MAGIC = (
    *(b"RIFF\xff\xff\xff\xffWAVEfmt ", b"RF64\xff\xff\xff\xffWAVEds64", b"RIFX\0\0\xff\0WAVEfmt "),
    *(
        b"FORM\0\x01\0\0AIFFCOMM",
        b"FORM\0\x01\0\0AIFCFVER",
        b".snd",
        b"fLaC\0\0\0\x22",
        b"ID3\x04\0",
    ),
    *(b"OggS\0\x02" + bytes(8), b"OggS\0\x02" + bytes(20) + b"\x01\x1e\x01vorbis", b"MAC \x96\x0f"),
    *(b"OggS\0\x02" + bytes(20) + b"\x01\x13OpusHead", b"wvpk", b"caff\0\x01\0\0desc", b"TTA1"),
    *(b"\0\0\0\x18ftypM4A ", b"\0\0\0\x08free\0\0\0\x20ftypisom", b"DSD \x1c" + bytes(7)),
    *(b"0&\xb2u\x8ef\xcf\x11\xa6\xd9\0\xaa\0b\xcel", b"\x1a\x45\xdf\xa3", b"\xff\xfb\x90\x64"),
    *(
        b"\xff\xf1\x50\x80",
        b"\x0b\x77",
        b"\x7f\xfe\x80\x01",
        b"#!AMR\n",
        b"Creative Voice File\x1a",
    ),
    *(
        b"riff\x2e\x91\xcf\x11",
        b"ajkg",
        b"FRM8" + bytes(8) + b"DSD ",
        b"MThd\0\0\0\x06",
        b"MP+\x07",
    ),
    *(b"FLV\x01\x05", b"\x47" + bytes(187), b"NUT/multimedia container\0", b"tBaK", b"2BIT"),
)


def headers(rng: random.Random) -> tuple[str, bytes]:
    """A file made by hand: a container's first bytes and then numbers of the wrong sort."""
    order = rng.choice("<>")
    data = rng.choice(_MAGIC) + _numbers(rng, rng.randint(2, 40), order, rng.choice("BHIQ"))
    for _ in range(rng.randint(0, 4)):
        name = rng.choice((b"data", b"fmt ", b"SSND", b"mdat", b"moov", b"trak", b"stsz", b"LIST"))
        data += name + _numbers(rng, rng.randint(1, 12), order, "I")
    data += rng.choice((b"", bytes(20_000), rng.randbytes(20_000)))
    ending = rng.choice(
        [
            "wav",
            "aiff",
            "au",
            "flac",
            "mp3",
            "ogg",
            "opus",
            "m4a",
            "aac",
            "wma",
            "caf",
            "wv",
            "ape",
            "dsf",
            "mka",
            "tta",
            "ac3",
        ]
    )
    return ending, data


def chains(rng: random.Random) -> tuple[str, bytes]:
    """Very many chunks, or boxes within boxes."""
    count = rng.choice((10, 1_000, 30_000, 200_000))
    small = struct.pack("<4sI", b"abcd", 0)
    if (kind := rng.randrange(7)) == 0:
        return "wav", b"RIFF\xff\xff\xff\xffWAVE" + small * count
    if kind == 1:
        return "aiff", b"FORM\xff\xff\xff\xffAIFF" + struct.pack(">4sI", b"abcd", 0) * count
    if kind == 2:  # each box holds the next one
        depth = min(count, 60_000)
        boxes = b"".join(
            struct.pack(">I4s", 8 * (depth - i), rng.choice((b"moov", b"udta", b"trak")))
            for i in range(depth)
        )
        return "m4a", b"\0\0\0\x18ftypM4A " + bytes(12) + boxes
    if kind == 3:
        return "m4a", b"\0\0\0\x18ftypM4A " + bytes(12) + struct.pack(">I4s", 8, b"free") * count
    if kind == 4:
        return "flac", b"fLaC" + b"\x01\0\0\0" * count + b"\x81\0\0\0"
    if kind == 5:
        return "mp3", b"ID3\x04\0\0\0\0\0\0" * count
    return "ogg", (b"OggS\0\x02" + bytes(20) + b"\0") * count

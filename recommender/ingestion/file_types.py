"""The type of a file by its ending or, without a known one, by its first bytes.

Files with an audio ending are always tried, so that one that cannot be analysed is reported; videos
are tried for their audio stream; files of unknown type are tried when their first bytes are those
of an audio container.
"""

import mimetypes
from enum import Enum
from functools import lru_cache
from pathlib import Path

VIDEO_WITHOUT_SOUND = "video-without-sound"
"""`kind` of the failure row of a video without an audio stream: it is no failure, but the row keeps
later runs from opening the file again."""


def _endings(*lines: str) -> frozenset[str]:
    return frozenset(f".{ending}" for line in lines for ending in line.split())


_AUDIO = _endings(
    "3ga aac ac3 aif aifc aiff alac amr ape au caf dff dsf dts eac3 flac m4a m4b m4p m4r mka mp1",
    "mp2 mp3 mpa mpc mpga oga ogg opus ra rf64 shn snd spx tak tta voc w64 wav wave wma wv",
)
_VIDEO = _endings(
    "3g2 3gp asf avi divx f4v flv m2ts m2v m4v mkv mov mp4 mpe mpeg mpg mts ogm ogv qt rm rmvb",
    "vob webm wmv",
)
# Endings the standard table lacks and music folders have; also MIDI and tracker modules, which
# hold notes, not sound.
_OTHER = _endings(
    "7z abc accurip als asd asx bak bib bin cfg cpr cue db ds_store ffp flp fpl gp5 gz ini it jxl",
    "kar log lrc lst m3u m3u8 md md5 mid midi mod mscz musx nfo npy npz nzb par2 part pls ptx rar",
    "rpp rst s3m sfk sfv sha1 sha256 sqlite srr tmp toml torrent url wpl xm xspf yaml yml zip",
)
# The table built into Python, not the machine's own: a folder gives the same answer anywhere.
_KNOWN = mimetypes.MimeTypes()
_SNIFFED_BYTES = 64
_LONGEST_ENDING = 8


class FileType(Enum):
    """What an ending stands for."""

    AUDIO = "audio"
    VIDEO = "video"
    OTHER = "other"
    UNKNOWN = "unknown"


def file_type_of(path: str) -> FileType:
    """The type that the ending of `path` stands for; `FileType.UNKNOWN` without a known ending."""
    return type_of_ending(ending_of(path))


def ending_of(path: str) -> str:
    """The ending of a path, with its dot and in lower case; "" where there is none."""
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    return name[dot:].lower() if 0 < dot < len(name) - 1 else ""


@lru_cache(maxsize=1024)
def type_of_ending(ending: str) -> FileType:
    """The type that an ending (`ending_of`) stands for; `FileType.UNKNOWN` for no known one."""
    if ending in _AUDIO:
        return FileType.AUDIO
    if ending in _VIDEO:
        return FileType.VIDEO
    if ending in _OTHER:
        return FileType.OTHER
    guessed = _KNOWN.types_map[True].get(ending, "") or _KNOWN.types_map[False].get(ending, "")
    is_other = guessed and not guessed.startswith(("audio/", "video/"))
    return FileType.OTHER if is_other else FileType.UNKNOWN


def is_cue_sheet(path: str) -> bool:
    """Whether the ending of `path` is that of a cue sheet."""
    return path[-4:].lower() == ".cue"


def ending_label(path: str) -> str:
    """The ending under which a skipped file is counted, e.g. ``.txt``; always printable."""
    ending = ending_of(path)
    if not ending[1:].isalnum() or not ending.isascii() or len(ending) > _LONGEST_ENDING:
        return "(no ending)"
    return ending


def looks_like_audio(path: Path) -> bool:
    """Whether the first bytes of a file are those of an audio or video container.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_SNIFFED_BYTES)
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        return head[8:12] in (b"WAVE", b"AVI ")
    if head[:4] == b"FORM":
        return head[8:12] in (b"AIFF", b"AIFC")
    if head[4:8] == b"ftyp":
        return head[8:12] not in (b"avif", b"heic", b"heix", b"mif1", b"msf1")
    return head.startswith(_MAGIC) or _is_mpeg_frame(head)


_MAGIC = (
    b"fLaC",
    b"OggS",
    b"ID3",
    b".snd",
    b"MAC ",
    b"wvpk",
    b"caff",
    b"DSD ",
    b"FRM8",
    b"TTA1",
    b"riff\x2e\x91\xcf\x11",  # Sony Wave64
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: wma, wmv
    b"\x1a\x45\xdf\xa3",  # EBML: mka, mkv, webm
)


def _is_mpeg_frame(head: bytes) -> bool:
    """Whether `head` begins with a valid MPEG audio (layer II or III) or ADTS AAC frame header.

    Layer I is left out: text in UTF-16 begins like it.
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if head[1] & 0xF6 == 0xF0:  # ADTS: layer bits are zero, frequency index below 13
        return head[2] >> 2 & 0xF < 13
    bit_rate, frequency = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer in (1, 2) and bit_rate not in (0, 15) and frequency != 3

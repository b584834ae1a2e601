"""The picture in the tags of a sound file."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from recommender.audio.bounded_file import BoundedFile
from recommender.audio.tag_fields import limit_inflation

_BUDGET = 64 * 2**20
_LARGEST = 16 * 2**20
_FRONT = 3
"""Number of the front cover among the kinds of pictures, in ID3 and FLAC alike."""

_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
)


@dataclass(frozen=True)
class Cover:
    """A picture.

    Attributes:
        media_type: by its first bytes, whatever the tag says.
    """

    data: bytes
    media_type: str


def read_cover(file: BinaryIO) -> Cover | None:
    """The front cover, or else the first picture, in the tags of an open file that can seek.

    None where there is none that is a JPEG, PNG, GIF or WebP. Never raises: damaged files make
    libraries raise anything.
    """
    try:
        end = file.seek(0, 2)
        pictures = sorted(_pictures(BoundedFile(file, end, _BUDGET)), key=lambda one: one[0])
    except Exception:
        return None
    for _, data in pictures:
        media_type = _media_type(data)
        if media_type is not None and len(data) <= _LARGEST:
            return Cover(data, media_type)
    return None


def _pictures(file: BoundedFile) -> Iterator[tuple[bool, bytes]]:
    """Whether it is another than the front cover, and the picture."""
    import mutagen

    limit_inflation()
    audio = mutagen.File(file)
    if audio is None:
        return
    for picture in getattr(audio, "pictures", ()):  # FLAC
        yield picture.type != _FRONT, picture.data
    tags: Any = audio.tags
    if tags is None:
        return
    if hasattr(tags, "getall"):  # ID3
        for frame in tags.getall("APIC"):
            yield frame.type != _FRONT, frame.data
        return
    for key, values in tags.items():
        yield from _of_field(key.lower(), values if isinstance(values, list) else [values])


def _of_field(key: str, values: list[Any]) -> Iterator[tuple[bool, bytes]]:
    """Pictures in a field of Vorbis comments, MP4, ASF or APEv2."""
    from mutagen import flac

    read: Any = flac.Picture
    for value in values:
        if key == "metadata_block_picture":
            picture = read(base64.b64decode(value))
            yield picture.type != _FRONT, picture.data
        elif key == "covr":
            yield False, bytes(value)
        elif key == "wm/picture":
            size = int.from_bytes(value.value[1:5], "little")  # the picture comes last
            yield value.value[0] != _FRONT, value.value[-size:]
        elif key.startswith("cover art ("):
            yield "front" not in key, bytes(value.value).partition(b"\0")[2]


def _media_type(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)

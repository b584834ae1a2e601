"""The picture in the tags of a file, of every format that has them."""

import base64
from pathlib import Path
from typing import Any

import mutagen
import pytest
from containers import write_container
from mutagen import asf, flac, id3, mp4
from sounds import flip_bits, music, truncate

from recommender.audio.cover import Cover, read_cover

FRONT = Cover(b"\x89PNG\r\n\x1a\n" + bytes(range(200)), "image/png")
BACK = Cover(b"\xff\xd8\xff\xe0" + bytes(range(99)), "image/jpeg")


def block(cover: Cover, kind: int) -> Any:
    picture = flac.Picture()
    picture.type, picture.mime, picture.data = kind, "text/html", cover.data
    return picture


def with_pictures(path: Path) -> Path:
    """The back cover first, then the front."""
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    if isinstance(file, flac.FLAC):
        file.add_picture(block(BACK, 4))
        file.add_picture(block(FRONT, 3))
    elif isinstance(file.tags, id3.ID3):
        for kind, cover in ((4, BACK), (3, FRONT)):
            file.tags.add(id3.APIC(3, "image/png", kind, str(kind), cover.data))
    elif isinstance(file, mp4.MP4):
        file["covr"] = [mp4.MP4Cover(FRONT.data, mp4.MP4Cover.FORMAT_PNG)]
    elif isinstance(file, asf.ASF):
        head = b"\x03" + len(FRONT.data).to_bytes(4, "little")
        value = head + "image/png".encode("utf-16-le") + bytes(4) + FRONT.data
        file["WM/Picture"] = asf.ASFByteArrayAttribute(value)
    elif path.suffix in (".wv", ".tta"):
        file["Cover Art (Front)"] = mutagen.apev2.APEValue(b"a.png\0" + FRONT.data, 1)
    else:
        blocks = [block(BACK, 4), block(FRONT, 3)]
        file["metadata_block_picture"] = [base64.b64encode(one.write()).decode() for one in blocks]
    file.save()
    return path


def cover_of(path: Path) -> Cover | None:
    with path.open("rb") as file:
        return read_cover(file)


NAMES = ("flac", "mp3", "ogg", "opus", "m4a-alac", "wma", "wav", "aiff", "wv")


@pytest.mark.parametrize("name", NAMES)
def test_the_front_cover_is_found(tmp_path: Path, name: str) -> None:
    path = write_container(tmp_path, name, music(1)[:, None])
    assert cover_of(path) is None
    assert cover_of(with_pictures(path)) == FRONT


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_have_a_cover_or_none(tmp_path: Path, name: str) -> None:
    path = with_pictures(write_container(tmp_path, name, music(1)[:, None]))
    for seed in range(10):
        cover_of(flip_bits(path, 40, seed))
    for share in (0.5, 0.1, 0.0):
        cover_of(truncate(path, share))


def test_what_is_no_picture_is_none(tmp_path: Path) -> None:
    path = write_container(tmp_path, "flac", music(1)[:, None])
    file = mutagen.File(path)
    file.add_picture(block(Cover(b"<html><script>", "image/png"), 3))
    file.save()
    assert cover_of(path) is None
    path.write_bytes(b"no music")
    assert cover_of(path) is None

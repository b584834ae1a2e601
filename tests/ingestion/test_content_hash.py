"""The content digest stays when tags change, and changes when the sound does."""

import shutil
from pathlib import Path

import mutagen
import numpy as np
import pytest
import sounds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.id3 import APIC, TIT2, ParseID3v1
from mutagen.mp4 import MP4

from recommender.ingestion.content_hash import hash_content, hash_file

UNTAGGED = ("au", "aac")  # formats without tags, or none that mutagen writes
TAGGED = tuple(name for name in sounds.FORMATS if name not in UNTAGGED)
LONG = "a title that needs far more room than any padding left in the file " * 1_500


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sound of 6 s in every format, and an mp3 of variable bit rate."""
    folder = tmp_path_factory.mktemp("formats")
    music = sounds.music(6, 48_000)
    for name in sounds.FORMATS:
        sounds.write_sound(folder / name, music, 48_000, format_name=name)
    sounds.write_mp3_vbr(folder / "vbr", sounds.music(6))
    return folder


def retag(path: Path, title: str) -> None:
    audio = mutagen.File(path)
    if audio.tags is None:
        audio.add_tags()
    if isinstance(audio, MP4):
        audio["©nam"] = title
    elif isinstance(audio, ASF):
        audio["Title"] = title[:30_000]  # its lengths have 16 bits
    elif hasattr(audio.tags, "getall"):
        audio.tags.add(TIT2(text=title))
        audio.tags.add(APIC(mime="image/png", type=3, data=title.encode()))
    else:
        audio["title"] = title
    audio.save()


def overwrite(path: Path, position: int, length: int) -> None:
    data = bytearray(path.read_bytes())
    data[position : position + length] = bytes(
        byte ^ 0x55 for byte in data[position : position + length]
    )
    path.write_bytes(data)


@pytest.mark.parametrize("name", [*TAGGED, "vbr"])
def test_tags_do_not_matter(library: Path, tmp_path: Path, name: str) -> None:
    file = Path(shutil.copy(library / name, tmp_path))
    before, whole_before = hash_content(file), hash_file(file)
    retag(file, "short")
    assert hash_content(file) == before
    retag(file, LONG)
    assert hash_content(file) == before
    assert hash_file(file) != whole_before
    mutagen.File(file).delete()
    assert hash_content(file) == before


@pytest.mark.parametrize("name", ["mp3", "vbr"])
def test_tags_at_the_end_of_an_mp3_do_not_matter(library: Path, tmp_path: Path, name: str) -> None:
    file = Path(shutil.copy(library / name, tmp_path))
    before = hash_content(file)
    tags = APEv2()
    tags["Title"] = "an APEv2 title"
    tags.save(file)
    assert hash_content(file) == before
    with file.open("ab") as end:
        end.write(b"LYRICSBEGININD00002110000021LYRICS200"[:28] + b"000028LYRICS200")
        end.write(b"TAG" + b"an ID3v1 title".ljust(125, b"\0"))
    assert ParseID3v1(file.read_bytes()[-128:]) is not None
    assert hash_content(file) == before


@pytest.mark.parametrize("name", [*sounds.FORMATS, "vbr"])
def test_another_middle_is_another_recording(library: Path, tmp_path: Path, name: str) -> None:
    file = Path(shutil.copy(library / name, tmp_path))
    before = hash_content(file)
    overwrite(file, file.stat().st_size // 2, 64)
    assert hash_content(file) != before


@pytest.mark.parametrize("name", [*sounds.FORMATS, "vbr"])
def test_a_shorter_copy_is_another_recording(library: Path, tmp_path: Path, name: str) -> None:
    file = Path(shutil.copy(library / name, tmp_path))
    before = hash_content(file)
    sounds.truncate(file, 0.9)
    assert hash_content(file) != before


def test_all_recordings_differ(library: Path) -> None:
    files = [path for path in library.iterdir() if path.is_file()]
    assert len({hash_content(path) for path in files}) == len(files)


def test_name_and_folder_do_not_matter(library: Path, tmp_path: Path) -> None:
    copy = shutil.copy(library / "flac", tmp_path / "other.wav")
    assert hash_content(Path(copy)) == hash_content(library / "flac")


def test_few_bytes_are_read_of_a_long_file(tmp_path: Path) -> None:
    """Only the three blocks count: a change elsewhere is for `file_hash` to find."""
    file = sounds.write_sound(tmp_path / "a.wav", sounds.noise(30))
    before, whole_before = hash_content(file), hash_file(file)
    overwrite(file, file.stat().st_size // 3, 64)
    assert hash_content(file) == before
    assert hash_file(file) != whole_before


def test_pages_numbered_anew_that_straddle_a_block(tmp_path: Path) -> None:
    """A page header anywhere around a block's edge is masked: try every offset of one."""
    header = (
        b"OggS" + bytes(2) + (1).to_bytes(8, "little") + b"SERI" + b"NUMB" + b"CSUM" + b"\x01\xff"
    )
    body = np.random.default_rng(0).integers(0, 255, 100_000, dtype=np.uint8).tobytes()
    file = tmp_path / "a.ogg"
    for offset in range(0, 40):
        position = 25_000 - 8_192 - 30 + offset
        digests = set()
        for number in (b"0001crc1", b"0002crc2"):
            page = header[:18] + number + header[26:]
            data = header + body[len(header) : position] + page + body[position + len(page) :]
            file.write_bytes(data)
            digests.add(hash_content(file))
        assert len(digests) == 1, offset


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    for digest in (hash_content, hash_file):
        with pytest.raises(FileNotFoundError):
            digest(tmp_path / "gone.mp3")


def test_digests_do_not_change_between_releases(tmp_path: Path) -> None:
    """Catalogues hold them: a change here makes every file look new."""
    file = tmp_path / "x"
    file.write_bytes(b"")
    assert hash_content(file) == "c804ce198ec337e3dc762bdd1a09aece"
    file.write_bytes(b"RIFF" + bytes(4) + b"WAVEdata" + (4).to_bytes(4, "little") + b"abcdLIST")
    assert hash_content(file) == "52361565dd417e989b3817a144a7d06e"


MAGIC = (b"ID3\x04\0\0", b"OggS", b"RIFF\0\0\0\0WAVE", b"RF64\0\0\0\0WAVEds64", b"FORM\0\0\0\0AIFF")
MORE_MAGIC = (
    b"fLaC",
    b".snd",
    b"\0\0\0\x18ftypM4A ",
    bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
)


@given(head=st.sampled_from([b"", *MAGIC, *MORE_MAGIC]), rest=st.binary(max_size=400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_garbage_has_a_digest(tmp_path: Path, head: bytes, rest: bytes) -> None:
    file = tmp_path / "garbage"
    for content in (
        head + rest,
        head + rest + b"TAG" + bytes(125),
        head + rest + b"APETAGEX" + rest[:24],
    ):
        file.write_bytes(content)
        assert len(hash_content(file)) == len(hash_file(file)) == 32


@pytest.mark.parametrize("name", [*sounds.FORMATS, "vbr"])
def test_damaged_files_have_a_digest(library: Path, tmp_path: Path, name: str) -> None:
    for seed in range(20):
        file = Path(shutil.copy(library / name, tmp_path))
        head = bytearray(file.read_bytes())
        rng = np.random.default_rng(seed)
        for position in rng.integers(0, 600, 20):
            head[position] = int(rng.integers(256))
        file.write_bytes(head[: int(rng.integers(1, len(head)))])
        assert len(hash_content(file)) == 32

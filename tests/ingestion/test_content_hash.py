"""The content digest stays when tags change, and changes when the sound does."""

import shutil
from itertools import pairwise
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

from recommender.ingestion import content_hash
from recommender.ingestion.content_hash import (
    has_content,
    hash_content,
    hash_file,
    hash_payload,
    is_older,
)
from recommender.ingestion.three_block_hash import hash_three_blocks

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


LONG_S = 60.0


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A wav of a minute: 5.3 MB, of which 81 blocks are taken."""
    file = tmp_path_factory.mktemp("song") / "a.wav"
    return sounds.write_sound(file, sounds.noise(LONG_S), 44_100).read_bytes()


LONGEST_GAP = 61 * 1024
"""Bytes between two blocks of a payload, at most, as the docstring states."""


@pytest.mark.parametrize("position", np.linspace(0.001, 0.98, 23))
def test_a_change_longer_than_the_gap_is_found_anywhere(
    tmp_path: Path, song: bytes, position: float
) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(song)
    before = hash_content(file)
    length = LONGEST_GAP
    overwrite(file, 44 + int(position * (len(song) - 44 - length)), length)
    assert hash_content(file) != before


@pytest.mark.parametrize("length", [2**22 + 1, 5_000_000, 40_000_000, 10**10])
def test_blocks_are_spread_over_all_of_the_payload(length: int) -> None:
    blocks = list(content_hash._blocks(length))
    assert len(blocks) >= 64
    assert sum(end - start for start, end in blocks) >= length / 16
    assert (blocks[0][0], blocks[-1][1]) == (0, length)
    gaps = [after[0] - before[1] for before, after in pairwise(blocks)]
    assert max(gaps) <= LONGEST_GAP


def test_a_shorter_change_is_left_to_the_hash_of_the_whole_payload(
    tmp_path: Path, song: bytes
) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(song)
    before, payload_before, whole_before = hash_content(file), hash_payload(file), hash_file(file)
    blocks = list(content_hash._blocks(len(song) - 44))
    overwrite(file, 44 + blocks[10][1] + 1, 64)
    assert hash_content(file) == before
    assert hash_payload(file) != payload_before
    assert hash_file(file) != whole_before


def test_four_fifths_of_the_sound_exchanged(tmp_path: Path) -> None:
    """All but what the three blocks of the older hash took."""
    first, second = sounds.noise(LONG_S), sounds.noise(LONG_S, seed=1)
    kept = np.zeros(len(first), bool)
    for centre in (0.25, 0.5, 0.75):
        middle = int(centre * len(first))
        kept[middle - 88_000 : middle + 88_000] = True
    assert 0.15 < kept.mean() < 0.25
    one = sounds.write_sound(tmp_path / "one.wav", first)
    other = sounds.write_sound(tmp_path / "other.wav", np.where(kept, first, second))
    assert hash_three_blocks(one) == hash_three_blocks(other)
    assert hash_content(one) != hash_content(other)


@pytest.mark.parametrize("format_name", ["wav", "aiff", "au"])
def test_jingles_in_silence(tmp_path: Path, format_name: str) -> None:
    """However short the sound and wherever it lies: silence is taken whole."""
    hashes, older = set(), set()
    for number, at in enumerate((0.013, 0.37, 0.611)):
        samples = np.zeros(44_100 * 60, np.float32)
        samples[int(at * len(samples)) :][:2_000] = sounds.noise(1, seed=number)[:2_000]
        file = sounds.write_sound(tmp_path / f"{number}.{format_name}", samples)
        hashes.add(hash_content(file))
        older.add(hash_three_blocks(file))
    assert (len(hashes), len(older)) == (3, 1)


def test_flac_says_itself_what_its_samples_are(tmp_path: Path) -> None:
    """Its MD5 tells two files apart that were sampled where they are equal."""
    file = sounds.write_sound(tmp_path / "a.flac", sounds.noise(30))
    before = hash_content(file)
    overwrite(file, 8 + 18, 16)  # the MD5 in the first block of metadata
    assert hash_content(file) != before


def test_pages_numbered_anew_that_straddle_a_block(tmp_path: Path) -> None:
    """A page header anywhere around a block's edge is masked: try every offset of one."""
    header = (
        b"OggS" + bytes(2) + (1).to_bytes(8, "little") + b"SERI" + b"NUMB" + b"CSUM" + b"\x01\xff"
    )
    body = np.random.default_rng(0).integers(0, 255, 100_000, dtype=np.uint8).tobytes()
    file = tmp_path / "a.ogg"
    for offset in range(0, 40):
        position = 25_000 + offset
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


def test_digests_do_not_change_between_releases(tmp_path: Path, song: bytes) -> None:
    """Catalogues hold them: a change here makes every file look new."""
    file = tmp_path / "x"
    file.write_bytes(b"")
    assert hash_three_blocks(file) == "c804ce198ec337e3dc762bdd1a09aece"
    assert hash_content(file) == "2w:c804ce198ec337e3dc762bdd1a09aece"
    file.write_bytes(b"RIFF" + bytes(4) + b"WAVEdata" + (4).to_bytes(4, "little") + b"abcdLIST")
    assert hash_three_blocks(file) == "52361565dd417e989b3817a144a7d06e"
    assert hash_content(file) == "2w:52361565dd417e989b3817a144a7d06e"
    noise = np.random.default_rng(0).integers(0, 256, 5_000_000, dtype=np.uint8)
    file.write_bytes(noise.tobytes())
    assert hash_three_blocks(file) == "c70f3d8a66f96b6bfbc55913b3ef4181"
    assert hash_content(file) == "2s:9a6b688671e494b035aaca5e7f449b56"


def test_hashes_of_both_schemes_are_compared_with_their_own(tmp_path: Path) -> None:
    file = sounds.write_sound(tmp_path / "a.wav", sounds.noise(2))
    found, older = hash_content(file), hash_three_blocks(file)
    assert (is_older(found), is_older(older)) == (False, True)
    assert has_content(file, found, found)
    assert has_content(file, found, older)
    assert not has_content(file, found, older[::-1])
    assert not has_content(file, found, found[:-1])


MAGIC = (b"ID3\x04\0\0", b"OggS", b"RIFF\0\0\0\0WAVE", b"RF64\0\0\0\0WAVEds64", b"FORM\0\0\0\0AIFF")
MORE_MAGIC = (
    b"fLaC",
    b".snd",
    b"\0\0\0\x18ftypM4A ",
    bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
    b"caff\0\1\0\0",
    b"FRM8\0\0\0\0\0\0\0\0DSD ",
    b"DSD \x1c" + bytes(23),
    bytes.fromhex("726966662e91cf11a5d628db04c10000"),
    bytes.fromhex("1a45dfa38018538067ff1f43b675ff"),
    bytes.fromhex("1a45dfa3801853806701ffffffffffffff1f43b67581e7"),
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
        assert len(hash_content(file)) == len(hash_payload(file)) == 35
        assert len(hash_three_blocks(file)) == len(hash_file(file)) == 32


@pytest.mark.parametrize("name", [*sounds.FORMATS, "vbr"])
def test_damaged_files_have_a_digest(library: Path, tmp_path: Path, name: str) -> None:
    for seed in range(20):
        file = Path(shutil.copy(library / name, tmp_path))
        head = bytearray(file.read_bytes())
        rng = np.random.default_rng(seed)
        for position in rng.integers(0, 600, 20):
            head[position] = int(rng.integers(256))
        file.write_bytes(head[: int(rng.integers(1, len(head)))])
        assert len(hash_content(file)) == 35
        assert len(hash_three_blocks(file)) == 32

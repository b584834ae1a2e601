"""The sound payload is found in every container, and is the same under other tags."""

import shutil
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
import sounds
from mutagen.ogg import OggPage
from mutagen.oggvorbis import OggVorbis

from recommender.ingestion.containers import file_size
from recommender.ingestion.content_hash import hash_content
from recommender.ingestion.payload import find_payload

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}

CONTAINERS = {
    "mka": ("matroska", "flac", {}),
    "opus in mka": ("matroska", "libopus", {}),
    "webm": ("webm", "libopus", {}),
    "live webm": ("webm", "libopus", {"live": "1"}),
    "caf": ("caf", "pcm_s16be", {}),
    "m4a": ("ipod", "aac", {}),
    "m4a, moov first": ("ipod", "aac", {"movflags": "faststart"}),
    "fragmented m4a": ("mp4", "aac", FRAGMENTED),
    "wma": ("asf", "wmav2", {}),
    "wav": ("wav", "pcm_s16le", {}),
    "wav with id3": ("wav", "pcm_s16le", {"write_bext": "1"}),
    "aiff": ("aiff", "pcm_s16be", {"write_id3v2": "1"}),
    "w64": ("w64", "pcm_s16le", {}),
    "flac": ("flac", "flac", {}),
    "mp3": ("mp3", "libmp3lame", {"write_id3v1": "1"}),
    "oga": ("ogg", "flac", {}),
    "ogg": ("ogg", "libvorbis", {}),
    "opus": ("opus", "libopus", {}),
    "wv": ("wv", "wavpack", {}),
    "tta": ("tta", "tta", {}),
}


def write(path: Path, name: str, samples: sounds.FloatArray, title: str) -> Path:
    """Encode samples at 48 kHz with a title; the same samples give the same packets."""
    container, codec, options = CONTAINERS[name]
    if codec == "libvorbis":  # PyAV has none
        sounds.write_sound(path, samples, 48_000, format_name="ogg")
        _set_serial(path)
        tags = OggVorbis(path)
        tags["title"], tags["comment"] = title, title * 20
        tags.save()
        return path
    flags = {**options, "fflags": "+bitexact"}
    with path.open("wb") as file, av.open(file, "w", format=container, options=flags) as output:
        output.metadata["title"] = title
        output.metadata["comment"] = title * 20
        sounds._encode(output, codec, samples[:, None], 48_000)
    return path


def _set_serial(path: Path) -> None:
    """Give an ogg stream a number that is not drawn by lot."""
    pages = []
    with path.open("rb") as file:
        while file.tell() < path.stat().st_size:
            pages.append(OggPage(file))
    for page in pages:
        page.serial = 7
    path.write_bytes(b"".join(page.write() for page in pages))


@pytest.fixture(params=CONTAINERS)
def name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_titles_do_not_matter_and_all_of_the_sound_does(tmp_path: Path, name: str) -> None:
    music = sounds.music(6, 48_000)
    hashes = {
        hash_content(write(tmp_path / str(number), name, music, title))
        for number, title in enumerate(("a", "another title", "long " * 3_000))
    }
    assert len(hashes) == 1
    spoken = music.copy()
    for second in range(6):  # each in a part of its own, where there are several
        spoken[second * 48_000 + 9_000 :][:2_000] = sounds.noise(1, 48_000, seed=second)[:2_000]
        hashes.add(hash_content(write(tmp_path / "b", name, spoken, "a")))
    assert len(hashes) == 7


def test_the_payload_is_nearly_all_of_the_file(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / "a", name, sounds.noise(6, 48_000), "title")
    with file.open("rb") as opened:
        size = file_size(opened)
        payload = find_payload(opened, size)
        whole = payload.read(opened, 0, payload.length)
    assert 0.9 * size < payload.length < size
    assert len(whole) == payload.length
    assert b"title" not in whole


def test_what_parts_hold_is_read_across_their_edges(tmp_path: Path) -> None:
    file = write(tmp_path / "a", "fragmented m4a", sounds.noise(6, 48_000), "title")
    data = file.read_bytes()
    with file.open("rb") as opened:
        payload = find_payload(opened, len(data))
        assert len(payload.parts) > 5
        whole = b"".join(data[begin:end] for begin, end in payload.parts)
        for start, end in ((0, len(whole)), (17, len(whole) - 5), (payload.length // 2, 9**9)):
            assert payload.read(opened, start, min(end, len(whole))) == whole[start:end]


@pytest.mark.parametrize("length", [0, 0xFFFF_FFFF, 0x7FFF_FFFF])
def test_a_wav_whose_size_was_never_written(tmp_path: Path, length: int) -> None:
    file = sounds.write_sound(tmp_path / "a.wav", sounds.noise(3))
    data = bytearray(file.read_bytes())
    data[40:44] = length.to_bytes(4, "little")
    file.write_bytes(data)
    with file.open("rb") as opened:
        assert find_payload(opened, len(data)).parts == ((44, len(data)),)


def dsf(sound: bytes, tag: bytes) -> bytes:
    """A file of Sony's format for direct streams, whose tag comes last."""
    length = 28 + 52 + 12 + len(sound)
    numbers = [28, length + len(tag), length if tag else 0]
    head = b"DSD " + b"".join(number.to_bytes(8, "little") for number in numbers)
    fmt = b"fmt " + (52).to_bytes(8, "little") + bytes(40)
    return head + fmt + b"data" + (12 + len(sound)).to_bytes(8, "little") + sound + tag


def dff(sound: bytes, tag: bytes) -> bytes:
    """A file of Philips' format for direct streams."""
    chunks = b"".join(
        name + len(body).to_bytes(8, "big") + body
        for name, body in ((b"FVER", bytes(4)), (b"COMT", tag), (b"DSD ", sound))
    )
    return b"FRM8" + (4 + len(chunks)).to_bytes(8, "big") + b"DSD " + chunks


@pytest.mark.parametrize("make", [dsf, dff])
def test_direct_stream_digital(tmp_path: Path, make: Callable[[bytes, bytes], bytes]) -> None:
    sound = np.random.default_rng(0).integers(0, 256, 50_000, dtype=np.uint8).tobytes()
    hashes = []
    for tag in (b"", b"ID3\x04" + bytes(6), b"ID3\x04" + bytes(996)):
        (tmp_path / "a").write_bytes(make(sound, tag))
        hashes.append(hash_content(tmp_path / "a"))
    (tmp_path / "a").write_bytes(make(sound[:-1] + b"!", b""))
    assert len({*hashes}) == 1
    assert hash_content(tmp_path / "a") != hashes[0]


def test_an_appended_id3v2_tag(tmp_path: Path) -> None:
    file = sounds.write_sound(tmp_path / "a.mp3", sounds.noise(3))
    before = hash_content(file)
    size = bytes((0, 0, 3, 116))  # 500 in sevens of bits
    with file.open("ab") as end:
        end.write(b"ID3\x04\0\x10" + size + bytes(500) + b"3DI\x04\0\x10" + size)
    assert hash_content(file) == before


def test_a_wav_in_several_data_chunks(tmp_path: Path) -> None:
    file = sounds.write_sound(tmp_path / "a.wav", sounds.noise(3))
    data = file.read_bytes()
    more = data + b"data" + (1000).to_bytes(4, "little") + bytes(range(250)) * 4
    file.write_bytes(more)
    before = hash_content(file)
    file.write_bytes(more[:-4] + b"else")
    assert hash_content(file) != before


@pytest.mark.parametrize("ending", [".w64", ".rf64", ".caf", ".voc", ".aiff"])
def test_what_soundfile_writes(tmp_path: Path, ending: str) -> None:
    first = sounds.noise(3)
    second = first.copy()
    second[70_000:70_200] = 0
    kind = ending[1:].upper()
    for name, samples in (("a", first), ("b", first), ("c", second)):
        sf.write(tmp_path / name, samples, 44_100, format=kind, subtype="PCM_16")
    a, b, c = (hash_content(tmp_path / name) for name in "abc")
    assert a == b != c
    shutil.copy(tmp_path / "a", tmp_path / "d")
    assert hash_content(tmp_path / "d") == a

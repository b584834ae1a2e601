"""Damage that decoders pass over is counted; ordinary faults of ordinary files are not."""

import json
from pathlib import Path

import containers
import numpy as np
import pytest
import sounds

from recommender.audio.damage import Damage, Faults, assess
from recommender.audio.ogg_pages import walk_ogg
from recommender.audio.reader import read_windows
from recommender.audio.windows import Windowing

SECONDS = 40.0
WITHOUT_LENGTH = ("aac",)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    stereo = np.repeat(sounds.music(SECONDS)[:, None], 2, axis=1)
    return containers.write_containers(tmp_path_factory.mktemp("whole"), stereo)


def damaged(folder: Path, file: Path, data: bytes) -> Path:
    path = folder / file.name
    path.write_bytes(data)
    return path


PLAYABLE_WHEN_CUT = [name for name in containers.CONTAINERS if not name.startswith("m4a")]


@pytest.mark.parametrize("name", [n for n in PLAYABLE_WHEN_CUT if n not in WITHOUT_LENGTH])
def test_a_truncated_file_is_damaged_and_says_how_much_was_found(
    tmp_path: Path, files: dict[str, Path], name: str
) -> None:
    data = files[name].read_bytes()
    path = damaged(tmp_path, files[name], data[: round(len(data) * 0.6) + 1])
    analysed = read_windows(path, Windowing())
    assert analysed.damage is not None
    assert analysed.damage.found_seconds == pytest.approx(analysed.duration)
    assert analysed.duration < 0.8 * SECONDS
    if name not in ("ogg", "opus", "ogg-flac"):  # whose length stands at their end
        assert analysed.damage.claimed_seconds == pytest.approx(SECONDS, abs=0.2)


@pytest.mark.parametrize(
    "name",
    [name for name in containers.CONTAINERS if name not in ("wav", "w64", "aiff", "au", "caf")],
)
def test_a_hole_is_damage(tmp_path: Path, files: dict[str, Path], name: str) -> None:
    data = bytearray(files[name].read_bytes())
    start, end = round(len(data) * 0.4), round(len(data) * 0.7)
    data[start:end] = bytes(end - start)
    damage = read_windows(damaged(tmp_path, files[name], bytes(data)), Windowing()).damage
    assert damage is not None
    assert str(damage)


@pytest.mark.parametrize("name", containers.CONTAINERS)
def test_bytes_after_the_sound_are_no_damage(
    tmp_path: Path, files: dict[str, Path], name: str
) -> None:
    junk = np.random.default_rng(0).bytes(5_000)
    path = damaged(tmp_path, files[name], files[name].read_bytes() + junk)
    assert read_windows(path, Windowing()).damage is None


def test_mp3s_joined_with_their_tags_are_no_damage(tmp_path: Path) -> None:
    one = sounds.write_mp3_vbr(tmp_path / "a.mp3", sounds.music(20.0), header=False).read_bytes()
    picture = np.random.default_rng(0).bytes(200_000).replace(b"\xff", b"\xfe")
    tag = b"ID3\x03\0\0" + bytes((len(picture) >> 7 * k) & 127 for k in (3, 2, 1, 0)) + picture
    path = tmp_path / "b.mp3"
    path.write_bytes(tag + one + tag + one + tag + one + b"TAG" + bytes(125))
    analysed = read_windows(path, Windowing())
    assert analysed.damage is None
    assert analysed.duration == pytest.approx(60, abs=0.3)


def test_a_header_that_claims_more_than_there_is(tmp_path: Path) -> None:
    path = sounds.write_mp3_vbr(tmp_path / "a.mp3", sounds.music(30.0))
    sounds.rewrite_mp3_length(path, 1.05)
    assert read_windows(path, Windowing()).damage is None
    sounds.rewrite_mp3_length(path, 2.0)
    damage = read_windows(path, Windowing()).damage
    assert damage is not None
    assert damage.claimed_seconds == pytest.approx(63, abs=0.2)
    assert damage.found_seconds == pytest.approx(30, abs=0.2)


def test_pages_that_are_lost_or_changed_are_counted(tmp_path: Path, files: dict[str, Path]) -> None:
    data = files["ogg"].read_bytes()
    pages = [at for at in range(len(data)) if data.startswith(b"OggS", at)]
    with files["ogg"].open("rb") as file:
        assert walk_ogg(file).faults == Faults(packets=len(pages))
    lost = data[: pages[10]] + data[pages[15] :]
    with damaged(tmp_path, files["ogg"], lost).open("rb") as file:
        assert walk_ogg(file).faults == Faults(packets=len(pages), skipped=5)
    changed = bytearray(data)
    for page in pages[10:15]:
        changed[page + 200] ^= 1
    with damaged(tmp_path, files["ogg"], bytes(changed)).open("rb") as file:
        assert walk_ogg(file).faults.errors == 5


def test_the_threshold() -> None:
    assert assess(100.0, 90.5, Faults(1000)) is None
    assert assess(100.0, 89.0, Faults(1000)) == Damage(100.0, 89.0)
    assert assess(None, 89.0, Faults(1000, skipped=5, errors=4)) is None
    assert assess(None, 89.0, Faults(1000, skipped=5, errors=5)) == Damage(None, 89.0, 5, 5)
    assert assess(None, 9.0, Faults(10, errors=2)) is None
    assert assess(10.0, 20.0) is None


def test_damage_survives_json_and_says_what_it_is() -> None:
    damage = Damage(100.0, 50.0, 1, 20)
    assert Damage.from_json(json.loads(json.dumps(damage.to_json()))) == damage
    assert str(damage) == "50.0 of 100.0 s found, 1 packet lost, 20 errors"


def test_a_blast_that_one_wrong_bit_makes_is_damage(tmp_path: Path, files: dict[str, Path]) -> None:
    """Frames are whole by their headers, and the sound is thousands of times too loud."""
    data = bytearray(files["mp3"].read_bytes())
    header = data[:4]
    frames = [at for at in range(len(data)) if data[at : at + 2] == header[:2]]
    generator = np.random.default_rng(3)
    for at in frames[200:260]:  # the side information of each holds its gains
        data[at + 4 : at + 36] = generator.bytes(32)
    analysed = read_windows(damaged(tmp_path, files["mp3"], bytes(data)), Windowing(0))
    assert max(float(np.abs(clip.samples).max()) for clip in analysed.clips) > 8
    assert analysed.damage is not None


def test_loud_floating_point_sound_is_no_damage(tmp_path: Path) -> None:
    path = sounds.write_float_wav(tmp_path / "loud.wav", 1000 * sounds.music(20.0))
    assert read_windows(path, Windowing()).damage is None


def test_a_bare_aac_that_ends_inside_a_frame_is_cut_off(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    data = files["aac"].read_bytes()
    tagged = damaged(tmp_path, files["aac"], data + b"TAG" + bytes(125))
    assert read_windows(tagged, Windowing()).damage is None
    assert read_windows(damaged(tmp_path, files["aac"], data[:-50]), Windowing()).damage is not None


def test_an_insertion_that_replaces_no_frame_is_no_damage(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    data = files["mp3"].read_bytes()
    junk = bytes(len(data) // 10)
    path = damaged(tmp_path, files["mp3"], data[:200_000] + junk + data[200_000:])
    assert read_windows(path, Windowing()).damage is None


def test_a_flac_whose_beginning_is_missing_is_damaged(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    data = files["flac"].read_bytes()
    damage = read_windows(damaged(tmp_path, files["flac"], data[len(data) // 5 :]), Windowing())
    assert damage.damage is not None
    assert damage.damage.skipped_packets > 50

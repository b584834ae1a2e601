"""A sample of the benchmark of damaged and malicious files, and files that once broke things."""

import contextlib
import os
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import fuzz_files
import numpy as np
import pytest
import soundfile as sf
import sounds

from recommender.audio.reader import read_windows
from recommender.audio.tags import read_tags
from recommender.audio.windows import Windowing
from recommender.catalog import Catalog
from recommender.errors import Silent, TooMuchMemory, UnreadableAudio
from recommender.ingestion import IngestSettings, ingest
from recommender.ingestion.content_hash import hash_content
from recommender.ingestion.file_reader import FileReader

BENCHMARK = Path(__file__).parents[1] / "bench" / "fuzz.py"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_a_sample_of_damaged_and_malicious_files() -> None:
    command = [sys.executable, str(BENCHMARK), "--files", "300", "--seed", "14"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.stdout.splitlines()[-1] == "all holds", run.stdout + run.stderr


def compressed_title(folder: Path) -> Path:
    """An ID3 title that inflates to 1.4 GB."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1_400)) + packer.flush()
    body = struct.pack(">I", 1_400 << 20) + packed
    frame = b"TIT2" + struct.pack(">IH", len(body), 0x80) + body
    sound = sounds.write_sound(folder / "sound.mp3", sounds.music(5)).read_bytes()
    path = folder / "title.mp3"
    path.write_bytes(b"ID3\x03\0\0" + fuzz_files.synchsafe(len(frame)) + frame + sound)
    return path


def many_channels(folder: Path) -> Path:
    path = folder / "255.ogg"
    with sf.SoundFile(path, "w", 44_100, 255, "VORBIS", format="OGG") as file:
        for _ in range(25 * 12):
            file.write(np.zeros((1_764, 255), np.float32))
    return path


def ones(folder: Path) -> Path:
    path = folder / "ones.mp3"
    path.write_bytes(b"\xff" * 100_000_000)
    return path


def silent_frames(folder: Path) -> Path:
    """Nothing but the headers of frames that lie."""
    path = folder / "frames.mp3"
    path.write_bytes(b"\xff\xfb\x90\x64" * 5_000_000)
    return path


def endless_packets(folder: Path) -> Path:
    """A Musepack file whose demuxer goes on for ever beyond its end."""
    path = folder / "endless.m4a"
    numbers = (1, 0, 0x18, 3, 0x7472616B, 1, 0xFFFF_FFFF, 0xFFFF, 1, 0x18, 1, 0x18, 0x53534E44)
    path.write_bytes(b"MP+\x07" + struct.pack(">13I", *numbers) + bytes(88))
    return path


def hole(folder: Path) -> Path:
    """A wav of 100 GB that takes no room on the disk."""
    path = folder / "hole.wav"
    sounds.write_sound(path, sounds.music(5))
    os.truncate(path, 100 << 30)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    "make", [compressed_title, many_channels, ones, silent_frames, endless_packets, hole]
)
def test_what_once_took_gigabytes_and_minutes(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)
    started = time.monotonic()
    with FileReader() as reader:
        reader.call(hash_content, path)
        reader.call(read_tags, path)
        with contextlib.suppress(UnreadableAudio, TooMuchMemory, Silent):
            reader.call(read_windows, path, Windowing())
    assert time.monotonic() - started < 20


@pytest.mark.slow
def test_a_file_that_takes_too_much_is_named_and_the_rest_is_analysed(
    tmp_path: Path,
) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for number in range(3):
        sound = sounds.music(2, 22_050, number)
        sounds.write_sound(music / f"{number}.wav", sound, 22_050)
    long = np.random.default_rng(0).uniform(-0.5, 0.5, 40 * 60 * 22_050).astype(np.float32)
    sf.write(music / "1 long.wav", long, 22_050, subtype="PCM_U8")
    windowing = Windowing(count=0)  # all of it, which is 200 MB of samples
    settings = IngestSettings(workers=1, memory_limit_mb=128, windowing=windowing)
    with Catalog.open(str(tmp_path / "catalog.db")) as catalog:
        report = ingest(catalog, [music], settings)
        assert (report.analysed, report.failed) == (3, 1)
        (failure,) = catalog.failures()
    assert (failure.path, failure.kind) == ("1 long.wav", "too-much-memory")
    assert "128 MB" in failure.reason

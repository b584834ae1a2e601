"""Processes that open foreign files: what they may take, and that they can harm nobody."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import reader_tasks
import soundfile as sf
import sounds

from recommender.audio.reader import read_whole, read_windows
from recommender.audio.tags import read_tags
from recommender.audio.windows import Windowing
from recommender.errors import (
    FileVanished,
    TooMuchMemory,
    UnreadableAudio,
    UsageError,
    WorkerCrashed,
    WorkerTimedOut,
)
from recommender.ingestion.content_hash import hash_content
from recommender.ingestion.file_reader import FileReader, ReaderPool
from recommender.ingestion.isolated_analyser import named
from recommender.ingestion.worker_limits import FileLimits

LIMITS = FileLimits(memory_mb=256, timeout_s=5)


@pytest.fixture(scope="module")
def reader() -> Iterator[FileReader]:
    with FileReader(LIMITS) as reader:
        yield reader


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sounds") / "a.mp3"
    return sounds.write_sound(file, sounds.music(40))


def test_results_are_those_of_this_process(reader: FileReader, sound: Path) -> None:
    assert reader.call(hash_content, sound) == hash_content(sound)
    assert reader.call(read_tags, sound) == read_tags(sound)
    here = read_windows(sound, Windowing())
    there = reader.call(read_windows, sound, Windowing())
    assert (there.starts, there.duration) == (here.starts, here.duration)
    assert [clip.samples.tobytes() for clip in there.clips] == [
        clip.samples.tobytes() for clip in here.clips
    ]


def test_errors_are_those_of_this_process(reader: FileReader, tmp_path: Path) -> None:
    with pytest.raises(FileVanished):
        reader.call(read_windows, tmp_path / "absent", Windowing())
    with pytest.raises(FileNotFoundError):
        reader.call(hash_content, tmp_path / "absent")
    text = tmp_path / "text.mp3"
    text.write_text("no music" * 100)
    with pytest.raises(UnreadableAudio, match="No decoder"):
        reader.call(read_windows, text, Windowing())


def test_memory_is_limited(reader: FileReader, sound: Path) -> None:
    assert reader.call(reader_tasks.allocate, sound, 100) == 100 << 20
    with pytest.raises(TooMuchMemory, match=r"too much memory: more than 256 MB.*allow more"):
        reader.call(reader_tasks.allocate, sound, 300)
    assert reader.call(hash_content, sound)  # by another process


@pytest.mark.slow
def test_time_is_limited_and_grows_with_the_file(sound: Path, tmp_path: Path) -> None:
    with FileReader(FileLimits(256, 4), decodes=False) as reader:
        with pytest.raises(WorkerTimedOut, match=r"too long: more than 4 s"):
            reader.call(reader_tasks.hang, sound)
        assert reader.call(hash_content, sound)
    assert FileLimits(256, 60).seconds_for(50 << 20) == 60
    assert FileLimits(256, 60).seconds_for(1000 << 20) == 600


def test_output_is_limited(reader: FileReader, sound: Path, tmp_path: Path) -> None:
    assert reader.call(reader_tasks.print_much, sound) == "an answer"
    with pytest.raises((UnreadableAudio, TooMuchMemory)):
        reader.call(reader_tasks.answer_much, sound, 300)
    with pytest.raises(OSError, match="too large"):
        reader.call(reader_tasks.write_file, tmp_path / "large", 257)
    assert (tmp_path / "large").stat().st_size <= 256 << 20


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGBUS, signal.SIGKILL])
def test_a_process_that_dies_costs_its_file_alone(
    reader: FileReader, sound: Path, number: signal.Signals
) -> None:
    with pytest.raises(WorkerCrashed, match=number.name) as crash:
        reader.call(reader_tasks.die, sound, number)
    assert crash.value.killed == (number is signal.SIGKILL)
    with pytest.raises(WorkerCrashed, match="status 3"):
        reader.call(reader_tasks.end, sound)
    assert reader.call(hash_content, sound)


def test_answers_that_would_run_code_are_refused(reader: FileReader, sound: Path) -> None:
    with pytest.raises(UnreadableAudio, match="is no result"):
        reader.call(reader_tasks.answer_with_code, sound)
    assert not Path("/tmp/recsys-was-here").exists()


def test_a_process_that_has_grown_is_replaced(sound: Path) -> None:
    with FileReader(LIMITS, decodes=False) as reader:
        first = reader.call(reader_tasks.process_id, sound)
        assert reader.call(reader_tasks.process_id, sound) == first
        reader.call(reader_tasks.keep, sound, 150)
        assert reader.call(reader_tasks.process_id, sound) != first


def test_a_mapped_file_that_shrinks_kills_nobody_else(sound: Path, tmp_path: Path) -> None:
    copy = tmp_path / "shrinks.mp3"
    copy.write_bytes(sound.read_bytes())
    with FileReader(LIMITS, decodes=False) as reader:
        reader.call(hash_content, copy)
        threading.Timer(0.05, os.truncate, (copy, 100)).start()
        with pytest.raises(WorkerCrashed, match="SIGBUS"):
            reader.call(reader_tasks.walk, copy)


def test_many_threads_share_a_few_processes(sound: Path) -> None:
    pool = ReaderPool(2, LIMITS, decodes=False)
    with ThreadPoolExecutor(8) as threads:
        hashes = list(threads.map(lambda _: pool.call(hash_content, sound), range(40)))
    assert set(hashes) == {hash_content(sound)}
    assert sum(reader._process is not None for reader in pool._readers) <= 2
    pool.close()
    assert all(reader._process is None for reader in pool._readers)


def test_a_file_object_is_copied_to_a_path_of_its_own(sound: Path) -> None:
    with sound.open("rb") as file:
        file.read(10)
        with named(file) as path:
            assert path.read_bytes() == sound.read_bytes()
            assert [entry.name for entry in path.parent.iterdir()] == [path.name]
        assert not path.parent.exists()
    with named(sound) as path:
        assert path == sound


def test_processes_end_with_their_parent(sound: Path) -> None:
    script = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        import reader_tasks
        from recommender.ingestion.file_reader import FileReader
        reader = FileReader(decodes=False)
        print(reader.call(reader_tasks.process_id, Path({str(sound)!r})), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    environment = {**os.environ, "PYTHONPATH": str(Path(reader_tasks.__file__).parent)}
    command = [sys.executable, "-c", script]
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    process = int(run.stdout)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{process}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{process}").exists()


def test_modules_of_the_current_folder_are_not_imported(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    with FileReader(LIMITS) as reader:
        assert reader.call(hash_content, sound)


def test_limits_out_of_range() -> None:
    for wrong in ((1, 60.0), (1024, 0.0), (1024, float("nan")), (1024, float("inf"))):
        with pytest.raises(UsageError):
            FileLimits(*wrong)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit is lifted on Linux")
def test_resident_memory_is_watched_where_the_system_sets_no_limit(
    sound: Path, tmp_path: Path
) -> None:
    """The limit of address space is lifted, and an hour decoded at once."""
    long = tmp_path / "long.wav"
    sf.write(long, np.full(8_000 * 3_600, 0.1, np.float32), 8_000)
    with FileReader(FileLimits(128, 60)) as reader:
        reader.call(reader_tasks.watch_resident_memory, sound, 128)
        assert reader.call(read_windows, sound, Windowing()).clips
        with pytest.raises(TooMuchMemory, match="128 MB"):
            reader.call(read_whole, long)
        assert reader.call(hash_content, sound)

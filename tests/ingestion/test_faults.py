"""Damaged files, crashing and hanging workers, interruptions: each costs what it must, no more."""

import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import reader_tasks
import sounds
import worker_tasks

from recommender.catalog import Catalog, FileStat
from recommender.errors import RecsysError, WeightsError, WorkerCrashed, WorkerTimedOut
from recommender.ingestion import IngestReport, IngestSettings, file_analysis, ingest, pipeline
from recommender.ingestion.file_analysis import load_analyser
from recommender.ingestion.process_pool import WorkerPool
from recommender.ingestion.report import NoProgress
from recommender.ingestion.worker_limits import FileLimits

SETTINGS = IngestSettings(workers=1)
LATIN1_NAME = os.fsdecode(b"caf\xe9.wav")


def damaged_folder(folder: Path) -> Path:
    music = sounds.music(3, 22_050)
    write = partial(sounds.write_sound, samples=music, rate=22_050)
    sounds.truncate(write(folder / "truncated.mp3"), 0.6)
    sounds.truncate(write(folder / "beheaded.flac"), 0.001)
    sounds.flip_bits(write(folder / "flipped.mp3"), 200, skip=500)
    sounds.flip_bits(write(folder / "flipped.ogg"), 200, skip=4_500)
    write(folder / "really ogg.mp3", format_name="ogg")
    (folder / "empty.wav").touch()
    (folder / "text.mp3").write_text("words, not music\n" * 100)
    sounds.write_float_wav(folder / "nan.wav", np.full(66_150, np.nan, np.float32), 22_050)
    write(folder / "silent.wav", samples=np.zeros(66_150, np.float32))
    write(folder / "short.wav", samples=music[:2_000])
    (folder / "folder.mp3").mkdir()
    write(folder / "folder.mp3" / "inside.wav")
    write(folder / "line\nbreak.wav")
    write(folder / LATIN1_NAME)
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere.mp3").symlink_to(folder / "absent")
    os.mkfifo(folder / "pipe.mp3")
    return folder


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[IngestReport, Catalog]:
    root = tmp_path_factory.mktemp("damaged")
    (root / "music").mkdir()
    folder = damaged_folder(root / "music")
    catalog = Catalog.open(str(root / "catalog.db"))
    return ingest(catalog, [folder], SETTINGS), catalog


def test_no_damaged_file_stops_the_rest(damaged: tuple[IngestReport, Catalog]) -> None:
    report, catalog = damaged
    analysed = {track.path for track in catalog.all_tracks()}
    assert {"really ogg.mp3", "folder.mp3/inside.wav", "line\nbreak.wav", LATIN1_NAME} <= analysed
    failed = {failure.path: failure.kind for failure in catalog.failures()}
    certain = {
        "empty.wav": "empty",
        "text.mp3": "unreadable",
        "beheaded.flac": "unreadable",
        "nan.wav": "not-finite",
        "silent.wav": "silent",
        "short.wav": "too-short",
    }
    assert certain.items() <= failed.items()
    either = {"truncated.mp3", "flipped.mp3", "flipped.ogg"}  # as much as the decoders save
    assert set(failed) - set(certain) | analysed >= either
    assert report.analysed == len(analysed)
    assert report.failed == len(failed)
    assert report.analysed + report.failed == 13
    assert report.skipped_by_ending == {"(broken link)": 1, "(not a regular file)": 1}


def test_damaged_files_are_not_tried_again(damaged: tuple[IngestReport, Catalog]) -> None:
    report, catalog = damaged
    again = ingest(catalog, [catalog.libraries()[0].root], SETTINGS)
    assert (again.failed, again.still_failing, again.unchanged) == (
        0,
        report.failed,
        report.analysed,
    )


def never() -> bool:
    return False


def test_a_crash_or_a_hang_costs_its_file_alone() -> None:
    pool = WorkerPool(worker_tasks.load_reader, worker_tasks.misbehave, workers=2)
    jobs = ["a", "crash", "b", "segfault", "hang", "c", "d", "e", "f"]
    results = dict(pair for done in pool.rounds(jobs, never) for pair in done)
    assert all(isinstance(results.pop(job), int) for job in "abcdef")
    assert isinstance(results["crash"], WorkerCrashed)
    assert "status 3" in str(results["crash"])
    assert "SIGSEGV" in str(results["segfault"])
    assert isinstance(results["hang"], WorkerTimedOut)
    assert "2 s" in str(results["hang"])


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_is_one_error(tmp_path: Path) -> None:
    pool = WorkerPool(worker_tasks.load_in_vain, worker_tasks.misbehave, 2)
    with pytest.raises(WeightsError, match="the weights are gone"):
        list(pool.rounds(["a"] * 100, never))
    missing = partial(load_analyser, tmp_path / "no model", None, FileLimits())
    pool = WorkerPool(missing, lambda analyser, path: analyser.analyse(path), 2)
    with pytest.raises(WeightsError, match="no folder of that name"):
        list(pool.rounds([worker_tasks.ANYWHERE] * 100, never))


def test_stopping_ends_what_is_running() -> None:
    pool = WorkerPool(worker_tasks.load_reader, worker_tasks.misbehave, 2)
    rounds = pool.rounds(["a", "hang", "hang", "b"], never)
    (first,) = next(done for done in rounds if done)
    process = first[1]
    rounds.close()
    assert not Path(f"/proc/{process}").exists()


def test_jobs_are_taken_as_workers_become_free() -> None:
    taken: list[int] = []

    def jobs() -> Iterator[str]:
        for number in range(1_000):
            taken.append(number)
            yield str(number)

    pool = WorkerPool(worker_tasks.load_reader, worker_tasks.misbehave, 1)
    for done in pool.rounds(jobs(), lambda: len(taken) > 20):
        assert len(done) <= 2
    assert len(taken) < 30


@pytest.fixture(scope="module")
def kills() -> ModuleType:
    """The benchmark script that kills ingests, as a module."""
    path = Path(__file__).parents[1] / "bench" / "kills.py"
    spec = importlib.util.spec_from_file_location("kills", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kills"] = module
    spec.loader.exec_module(module)
    return module


def wait_until(condition: partial[bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def has_tracks(database: Path, minimum: int) -> bool:
    if not database.exists():
        return False
    try:
        with Catalog.open(str(database)) as catalog:
            return catalog.counts().analysed >= minimum
    except RecsysError:  # its tables are being made
        return False


class Order(NoProgress):
    """Records which files are begun."""

    def __init__(self) -> None:
        self.files: list[str] = []

    def started(self, path: Path) -> None:
        self.files.append(path.name)


def test_files_that_a_worker_held_when_it_died_are_tried_again_first(tmp_path: Path) -> None:
    """A file analysed well this time is a track, whoever killed the worker that held it."""
    folder = tmp_path / "music"
    folder.mkdir()
    for number, name in enumerate(("a.wav", "suspect.wav")):
        sounds.write_sound(folder / name, sounds.music(1.5, 22_050, number), 22_050)
    with Catalog.open(str(tmp_path / "catalog.db")) as catalog:
        library, _ = catalog.scope_of(folder)
        found = (folder / "suspect.wav").stat()
        stat = FileStat("suspect.wav", found.st_size, found.st_mtime_ns)
        with catalog.writing() as write:
            write.failed(library, stat, "crashed", "the process died of SIGKILL")
        order = Order()
        report = ingest(catalog, folder, SETTINGS, order)
        assert (report.analysed, report.failed, report.still_failing) == (2, 0, 0)
        assert order.files == ["suspect.wav", "a.wav"]
        assert catalog.failures() == []


def test_a_file_that_kills_the_process_that_opens_it_twice_stays_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_analysis, "hash_content", reader_tasks.end)
    (tmp_path / "crash.wav").write_bytes(b"RIFF")
    with Catalog.open(str(tmp_path / "catalog.db")) as catalog:
        for kind in ("crashed", "crashed-alone", "crashed-alone"):
            order = Order()
            ingest(catalog, tmp_path, SETTINGS, order)
            assert [failure.kind for failure in catalog.failures()] == [kind]
        assert order.files == []  # not opened the third time


def test_a_file_that_kills_its_worker_also_alone_stays_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "analyse_file", worker_tasks.analyse_or_die)
    monkeypatch.setattr(pipeline, "load_analyser", worker_tasks.load_reader_of)
    for name in ("segfault.wav", "killed.wav", "short.wav"):
        (tmp_path / name).write_bytes(b"RIFF")
    with Catalog.open(str(tmp_path / "catalog.db")) as catalog:

        def kinds() -> dict[str, str]:
            return {failure.path: failure.kind for failure in catalog.failures()}

        ingest(catalog, tmp_path, SETTINGS)
        assert kinds() == {
            "segfault.wav": "crashed",
            "killed.wav": "crashed",
            "short.wav": "too-short",
        }
        report = ingest(catalog, tmp_path, SETTINGS)
        assert (report.still_failing, report.failed) == (2, 1)  # for another reason than before
        for _ in range(2):  # what was killed from outside is tried again and again
            assert kinds()["segfault.wav"] == "crashed-alone"
            assert kinds()["killed.wav"] == "crashed"
            order = Order()
            assert ingest(catalog, tmp_path, SETTINGS, order).still_failing == 3
            assert order.files == ["killed.wav"]
        retry = replace(SETTINGS, retry_failed=True)
        assert ingest(catalog, tmp_path, retry, order).still_failing == 3
        assert order.files[1:] == ["killed.wav", "segfault.wav", "short.wav"]


@pytest.mark.slow
def test_interrupted_and_killed_runs_are_continued(tmp_path: Path, kills: ModuleType) -> None:
    """Ctrl-C, then SIGKILL, then to the end: the same catalogue as in one go."""
    folder = tmp_path / "music"
    folder.mkdir()
    for number in range(48):
        noise = sounds.noise(1.2, 22_050, seed=number)
        sounds.write_sound(folder / f"{number:02}.wav", noise, 22_050)
    (folder / "text.mp3").write_text("no music")
    kills.ingest_here(tmp_path / "whole.db", folder, SETTINGS)

    database = tmp_path / "stopped.db"
    child = kills.start_ingest(database, folder, SETTINGS)
    assert "49 files" in child.stdout.readline()  # files planned: from here on Ctrl-C is a request
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: the workers get it, too
    output, _ = child.communicate()
    assert child.returncode == 0
    assert "interrupted=True" in output
    kills.wait_for_workers_to_end(child.pid)

    child = kills.start_ingest(database, folder, SETTINGS)
    wait_until(partial(has_tracks, database, 32))
    child.send_signal(signal.SIGKILL)
    child.communicate()
    kills.wait_for_workers_to_end(child.pid)

    kills.ingest_here(database, folder, SETTINGS)
    assert kills.contents_of(database) == kills.contents_of(tmp_path / "whole.db")

"""Trials of processes: killed, ended, locked out, two at once, many threads, other clocks."""

import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from faulty_world import MODEL, FaultyWorld, Verdict, lists_of, start
from kills import wait_for_workers_to_end

from recommender.recommendation.service import SimilarityService

THREADS = 16


def killed(world: FaultyWorld, number: signal.Signals, trials: int) -> Verdict:
    """A signal to the ingest at random moments; the next run must complete it."""
    verdict = Verdict()
    duration = _duration(world)
    for _ in range(trials):
        db = world.fresh() / "catalog.db"
        process = start("ingest", world.music, "--model", MODEL, db=db)
        try:
            process.communicate(timeout=world.draw.uniform(0, duration))
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            process.communicate()
        wait_for_workers_to_end(process.pid)
        _completed(world, db, verdict)
    return verdict


def killed_worker(world: FaultyWorld, trials: int) -> Verdict:
    """SIGKILL to one worker; the run goes on, and what the worker held is tried again."""
    verdict = Verdict()
    duration = _duration(world)
    for _ in range(trials):
        db = world.fresh() / "catalog.db"
        process = start("ingest", world.music, "--model", MODEL, "--workers", 2, db=db)
        time.sleep(world.draw.uniform(0.5, duration))
        for child in _children(process.pid)[:1]:
            os.kill(child, signal.SIGKILL)
            verdict.note("workers killed")
        _, err = process.communicate()
        if "Traceback" in err:
            verdict.bad.append(f"traceback: {err.splitlines()[-1]}")
        if world.unlike(db):
            verdict.note("completed by the next run")
        _completed(world, db, verdict)
    return verdict


def locked(world: FaultyWorld, seconds: float) -> Verdict:
    """Another process has the database locked for longer than 30 s."""
    verdict = Verdict()
    db = world.fresh() / "catalog.db"
    world.recsys("library", "list", db=db)
    half = world.recsys("ingest", world.music, "--model", MODEL, "--exclude", "*.mp3", db=db)
    assert half.status == 0, half.err
    holder = sqlite3.connect(db, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    release = threading.Timer(seconds, lambda: holder.execute("COMMIT"))
    release.start()
    run = world.ingest(db)
    release.join()
    holder.close()
    verdict.trials = 1
    if run.problem or run.status:
        verdict.bad.append(run.problem or run.err)
    if "locked by another process" not in run.err:
        verdict.bad.append("it waited without a word")
    verdict.bad += world.unlike(db)
    return verdict


def two_ingests(world: FaultyWorld, trials: int) -> Verdict:
    """Two at once: one is refused in one line, or has nothing left to do."""
    verdict = Verdict()
    for _ in range(trials):
        db = world.fresh() / "catalog.db"
        processes = [start("ingest", world.music, "--model", MODEL, db=db) for _ in range(2)]
        for process in processes:
            _, err = process.communicate()
            verdict.note("refused", "another ingest is running" in err)
            if process.returncode and "another ingest is running" not in err:
                verdict.bad.append(err.strip()[-200:])
        verdict.trials += 1
        verdict.bad += world.unlike(db)
    return verdict


def threads_beside_an_ingest(world: FaultyWorld) -> Verdict:
    """16 threads query one service while another process ingests the other half."""
    verdict = Verdict(trials=THREADS)
    db = world.fresh() / "catalog.db"
    world.recsys("ingest", world.music, "--model", MODEL, "--exclude", "*.flac", db=db)
    waits: list[float] = []
    with SimilarityService.open(str(db)) as service:
        ids = [track.id for track in service.catalog.all_tracks()]
        service.similar(ids[0])
        ingest = start("ingest", world.music, "--model", MODEL, db=db)

        def ask(number: int) -> None:
            while ingest.poll() is None:
                for position in range(number, len(ids), THREADS):
                    begun = time.monotonic()
                    try:
                        if not service.similar(ids[position]):
                            verdict.bad.append("an empty list")
                    except Exception as error:
                        verdict.bad.append(f"{type(error).__name__}: {error}")
                    waits.append(time.monotonic() - begun)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        ingest.communicate()
        for thread in threads:
            thread.join()
        service.index()
        verdict.note("queries", len(waits))
        verdict.note("longest ms", round(1000 * max(waits, default=0.0)))
    verdict.bad += world.unlike(db)
    if lists_of(db) != world.lists:
        verdict.bad.append("the lists differ")
    return verdict


def clock_set_back(world: FaultyWorld) -> Verdict:
    """All that the catalogue and the folders date lies in the future."""
    verdict = Verdict(trials=1)
    folder = world.fresh(catalogue=True)
    db = folder / "catalog.db"
    with sqlite3.connect(db) as connection:
        for table, column in (("analyses", "analysed_at"), ("projections", "stored_at")):
            connection.execute(f"UPDATE {table} SET {column} = '2199-01-01 00:00:00.000000'")
    connection.close()
    future = time.time() + 40 * 365 * 86400
    for file in folder.iterdir():
        os.utime(file, (future, future))
    run = world.ingest(db)
    if run.problem or run.status:
        verdict.bad.append(run.problem or run.err)
    if lists_of(db) != world.lists:
        verdict.bad.append("the lists differ")
    verdict.bad += world.unlike(db)
    return verdict


def _completed(world: FaultyWorld, db: Path, verdict: Verdict) -> None:
    """Ingest again, and compare."""
    verdict.trials += 1
    run = world.ingest(db, "--retry-failed")
    if run.problem or run.status:
        verdict.bad.append(run.problem or run.err)
    verdict.bad += world.unlike(db)


def _duration(world: FaultyWorld) -> float:
    started = time.monotonic()
    world.ingest(world.fresh() / "catalog.db")
    return time.monotonic() - started


def _children(parent: int) -> list[int]:
    """The processes that `parent` started, the oldest first; Linux only."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            stat = (entry / "stat").read_text() if entry.name.isdigit() else ""
        except OSError:
            continue
        if stat and int(stat.rpartition(")")[2].split()[1]) == parent:
            command = (entry / "cmdline").read_bytes()
            if b"resource_tracker" not in command:
                found.append(int(entry.name))
    return sorted(found, reverse=True)


Trial = Callable[[FaultyWorld], Verdict]

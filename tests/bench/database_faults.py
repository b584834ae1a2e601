"""Trials of a damaged database: cut off, or with flipped bits and pages of zeros."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from faulty_world import MODEL, QUERIES, FaultyWorld, Run, Verdict, flip, vectors_in


def truncated_database(world: FaultyWorld, trials: int) -> Verdict:
    """A database that was cut off: never taken for an empty one, never a traceback."""
    verdict = Verdict()
    size = world.whole.stat().st_size
    lengths = [0, 1, 99, 100, 512, 4095, 4096]
    lengths += [world.draw.randrange(size) for _ in range(trials)]
    for length in lengths:
        db = world.fresh(catalogue=True) / "catalog.db"
        os.truncate(db, length)
        verdict.trials += 1
        for query in (*QUERIES, ("ingest", world.music, "--model", MODEL)):
            run = world.recsys(*query, db=db)
            verdict.note("commands refused", run.status != 0)
            if run.problem:
                verdict.bad.append(f"{length} bytes: {query[0]}: {run.problem}")
            elif length == 0 and not run.status:
                verdict.bad.append(f"{length} bytes: {query[0]} took it for an empty catalogue")
    return verdict


def flipped_vectors(world: FaultyWorld, trials: int, zero: bool) -> Verdict:
    """A flipped bit, or a page of zeros, in stored activations: named, and repaired."""
    verdict = Verdict()
    for _ in range(trials):
        db = world.fresh(catalogue=True) / "catalog.db"
        at = world.draw.choice(vectors_in(db)) + world.draw.randrange(64)
        if zero:
            with db.open("rb+") as file:
                file.seek(at // 4096 * 4096 + 512)
                file.write(bytes(4096 - 512))
        else:
            flip(db, at, world.draw.randrange(8))
        _named_and_repaired(world, db, verdict)
    return verdict


def flipped_database(world: FaultyWorld, trials: int) -> Verdict:
    """A flipped bit, or a page of zeros, in any table of the database: never a traceback."""
    verdict = Verdict()
    pages = _pages_of(world.whole)
    for number in range(trials):
        db = world.fresh(catalogue=True) / "catalog.db"
        table = world.draw.choice(sorted(pages))
        offset, length = world.draw.choice(pages[table])
        at = offset + world.draw.randrange(length)
        if number % 2:
            with db.open("rb+") as file:
                file.seek(at // 4096 * 4096)
                file.write(bytes(4096))
        else:
            flip(db, at, world.draw.randrange(8))
        verdict.trials += 1
        _without_index(db)
        found = world.recsys("verify", db=db)
        for run in (found, *(world.recsys(*query, db=db) for query in QUERIES[:3])):
            if run.problem:
                verdict.bad.append(f"{table}, byte {at}: {run.problem}")
        repaired = world.recsys("verify", "--repair", db=db)
        again = world.ingest(db)
        for run in (repaired, again):
            if run.problem:
                verdict.bad.append(f"{table}, byte {at}: after repair: {run.problem}")
        if again.status:
            verdict.note("beyond repair, in one line")
        else:
            lists = _lists(db)
            if lists.problem or lists.status or json.loads(lists.out) != _as_json(world):
                verdict.bad.append(
                    f"{table}, byte {at}: after repair: {lists.problem or 'other lists'}"
                )
            verdict.note("named by verify", found.status != 0)
            verdict.note("equal after repair", not world.unlike(db))
            verdict.note("no harm done", not found.status and not world.unlike(db))
    return verdict


def _pages_of(db: Path) -> dict[str, list[tuple[int, int]]]:
    """Offset and length of the pages of each table and index: the largest has nearly all pages."""
    found: dict[str, list[tuple[int, int]]] = {}
    with closing(sqlite3.connect(db)) as connection:
        for name, offset, size in connection.execute("SELECT name, pgoffset, pgsize FROM dbstat"):
            found.setdefault(name, []).append((offset, size))
    return found


def _named_and_repaired(world: FaultyWorld, db: Path, verdict: Verdict) -> None:
    verdict.trials += 1
    _without_index(db)
    lists = _lists(db)
    if lists.problem:
        verdict.bad.append(f"lists: {lists.problem}")
    elif lists.status:
        verdict.note("refused by name", "damaged" in lists.err)
    elif json.loads(lists.out) != _as_json(world):
        verdict.note("left out with a word", "damaged" in lists.err)
        if "damaged" not in lists.err:
            verdict.bad.append("other lists, without a word")
    found = world.recsys("verify", db=db)
    if not found.status or found.problem:
        verdict.bad.append(found.problem or "verify found nothing")
    world.recsys("verify", "--repair", db=db)
    again = world.ingest(db)
    if again.status or again.problem:
        verdict.bad.append(again.problem or again.err)
    unlike = world.unlike(db)
    verdict.bad += unlike
    verdict.note("equal after repair", not unlike)


def _without_index(db: Path) -> None:
    """Delete the index, so that it is built of the damaged database."""
    for file in db.parent.glob("*.index"):
        file.unlink()


def _as_json(world: FaultyWorld) -> Any:
    return json.loads(json.dumps(world.lists))


def _lists(db: Path) -> Run:
    """`lists_of` in a process of its own."""
    script = (
        "import json, logging, sys; sys.path.insert(0, sys.argv[1]); "
        "from faulty_world import lists_of; print(json.dumps(lists_of(sys.argv[2])))"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parent), str(db)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if "recommender.errors." in done.stderr:  # an error of ours, on purpose
        return Run(done.returncode, "", f"recsys: {done.stderr.strip().splitlines()[-1]}")
    return Run(done.returncode, done.stdout, done.stderr)

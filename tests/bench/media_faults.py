"""Trials of media: full, read-only, cut off, flipped, unmounted, swapped."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

from faulty_world import MODEL, FaultyWorld, Run, Verdict, flip, lists_of, vectors_in
from kills import contents_of

QUERIES: tuple[tuple[object, ...], ...] = (
    ("status",),
    ("list",),
    ("similar", 3, "--json"),
    ("failures",),
    ("library", "list"),
    ("verify",),
)


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own, mounted in `folder`; needs root, and raises `OSError` without."""
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"mount: {done.stderr.strip()}")


def full_disk(world: FaultyWorld, sizes: range) -> Verdict:
    """The disk is full at some write of an ingest; with space it goes on."""
    verdict = Verdict()
    for kilobytes in sizes:
        with disk(world.fresh() / "disk", f"{kilobytes}k") as folder:
            db = folder / "catalog.db"
            run = world.ingest(db)
            verdict.trials += 1
            verdict.note("refused", run.status != 0)
            if run.problem:
                verdict.bad.append(f"{kilobytes} kB: {run.problem}")
            if db.exists() and (wrong := world.recsys("verify", db=db).problem):
                verdict.bad.append(f"{kilobytes} kB: verify: {wrong}")
            _mount("-o", "remount,size=64m", str(folder))
            again = world.ingest(db)
            if again.status:
                verdict.bad.append(f"{kilobytes} kB: {again.err.strip()}")
            verdict.bad += world.unlike(db)
    return verdict


def read_only(world: FaultyWorld) -> Verdict:
    """A catalogue on a read-only disk is listed, queried and exported, and not changed."""
    verdict = Verdict()
    with disk(world.fresh() / "disk", "64m") as folder:
        for file in world.whole.parent.iterdir():
            shutil.copy2(file, folder / file.name)
        _mount("-o", "remount,ro", str(folder))
        db = folder / "catalog.db"
        for query in (*QUERIES, ("export", folder.parent / "export.npz")):
            run = world.recsys(*query, db=db)
            verdict.trials += 1
            if run.problem or run.status:
                verdict.bad.append(f"{query[0]}: {run.problem or run.err}")
        for change in (("ingest", world.music), ("prune",), ("db", "upgrade")):
            run = world.recsys(*change, db=db)
            verdict.trials += 1
            verdict.note("refused", run.status != 0)
            if run.problem:
                verdict.bad.append(f"{change[0]}: {run.problem}")
        if lists_of(db) != world.lists:
            verdict.bad.append("the lists differ")
    return verdict


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
    """A flipped bit, or a page of zeros, anywhere in the database: never a traceback."""
    verdict = Verdict()
    size = world.whole.stat().st_size
    for number in range(trials):
        db = world.fresh(catalogue=True) / "catalog.db"
        at = world.draw.randrange(size)
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
                verdict.bad.append(f"byte {at}: {run.problem}")
        repaired = world.recsys("verify", "--repair", db=db)
        again = world.ingest(db)
        for run in (repaired, again):
            if run.problem:
                verdict.bad.append(f"byte {at}: after repair: {run.problem}")
        if again.status:
            verdict.note("beyond repair, in one line")
        else:
            lists = _lists(db)
            if lists.problem or lists.status or json.loads(lists.out) != _as_json(world):
                verdict.bad.append(f"byte {at}: after repair: {lists.problem or 'other lists'}")
            verdict.note("named by verify", found.status != 0)
            verdict.note("equal after repair", not world.unlike(db))
            verdict.note("no harm done", not found.status and not world.unlike(db))
    return verdict


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


def damaged_index(world: FaultyWorld, trials: int) -> Verdict:
    """An index that is flipped, cut off or something else: the lists stay."""
    verdict = Verdict()
    for number in range(trials):
        folder = world.fresh(catalogue=True)
        (index,) = folder.glob("*.index")
        if number % 3 == 0:
            os.truncate(index, world.draw.randrange(index.stat().st_size))
        else:
            size = index.stat().st_size if number % 3 == 1 else 3000  # where the facts are
            flip(index, world.draw.randrange(min(size, index.stat().st_size)), number % 8)
        verdict.trials += 1
        if lists_of(folder / "catalog.db") != world.lists:
            verdict.bad.append(f"{index.name}: the lists differ")
    return verdict


def damaged_model(world: FaultyWorld, trials: int) -> Verdict:
    """Weights, head, projection or card flipped or cut off: refused in one line, or harmless."""
    from recommender.embedding.model_files import find_model

    verdict = Verdict()
    for number in range(trials):
        folder = world.fresh()
        shutil.copytree(find_model(MODEL).folder, folder / MODEL)
        file = world.draw.choice(sorted((folder / MODEL).iterdir()))
        at = world.draw.randrange(file.stat().st_size)
        if number % 3 == 0:
            os.truncate(file, at)
        else:
            flip(file, at, world.draw.randrange(8))
        db = folder / "catalog.db"
        run = world.recsys("ingest", world.music, "--model", folder / MODEL, db=db)
        verdict.trials += 1
        verdict.note("refused", run.status != 0)
        if run.problem:
            verdict.bad.append(f"{file.name} at {at}: {run.problem}")
        if not run.status and world.unlike(db):
            settings = [x for x in world.unlike(db) if not x.startswith("active")]
            if settings and file.name != "card.json":
                verdict.bad.append(f"{file.name} at {at}: other results without a word")
    return verdict


def roots(world: FaultyWorld) -> Verdict:
    """Two libraries: one unmounted while pruning, then both swapped."""
    verdict = Verdict()
    folder = world.fresh(music=True)
    (folder / "other").mkdir()
    for artist in sorted((folder / "music").iterdir())[::2]:
        artist.rename(folder / "other" / artist.name)
    db = folder / "catalog.db"
    both = [folder / "music", folder / "other"]
    world.recsys("ingest", *both, "--model", MODEL, db=db)
    before = _by_name(db)
    both[1].rename(folder / "away")
    ingest = ("ingest", "--model", MODEL)
    for command in (ingest, ("prune",), ("prune", "--force"), ("verify", "--repair")):
        run = world.recsys(*command, db=db)
        if run.problem:
            verdict.bad.append(f"{command[0]}: {run.problem}")
    (folder / "away").rename(both[1])
    world.recsys(*ingest, db=db)
    verdict.trials += 1
    verdict.bad += [f"unmounted: {name}" for name in _unlike(before, _by_name(db))]
    both[0].rename(folder / "away")
    both[1].rename(both[0])
    (folder / "away").rename(both[1])
    run = world.recsys(*ingest, db=db)
    verdict.trials += 1
    if run.problem:
        verdict.bad.append(run.problem)
    verdict.bad += [f"swapped: {name}" for name in _unlike(before, _by_name(db))]
    return verdict


_Tracks = dict[str, tuple[object, ...]]


def _by_name(db: Path) -> _Tracks:
    """Duration, state and a digest of the embedding of each track by artist, album and file."""
    return {
        "/".join(Path(path).parts[-3:]): (*facts[3:], blake2b(vector or b"").hexdigest()[:8])
        for path, (facts, _, vector) in contents_of(db)["tracks"].items()
    }


def _unlike(
    before: dict[str, tuple[object, ...]], after: dict[str, tuple[object, ...]]
) -> list[str]:
    return [
        f"{name}: {before.get(name)} became {after.get(name)}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]

"""Trials of media: full and read-only disks, damaged indexes and models, roots that move."""

import gc
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from faulty_world import MODEL, QUERIES, FaultyWorld, Verdict, flip, lists_of
from kills import contents_of


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own, mounted in `folder`; needs root, and raises `OSError` without."""
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        gc.collect()  # a closed service that is part of a cycle holds the map of its index
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

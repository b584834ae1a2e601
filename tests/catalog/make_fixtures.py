"""Makes the catalogues of older schemas, and the lists that were recommended from them then.

    python tests/catalog/make_fixtures.py CHECKOUT

CHECKOUT is a checkout of version 0.1 (schema 0002) with its virtual environment in ``.venv``. Its
program renders demo music, analyses it and computes the lists; schema 0001 is the same catalogue
downgraded by that version's migrations, and schemas 0003, 0004, 0006 and 0008 the same upgraded by
the migrations of this version. Written beside this file:

- ``default_0001.db.gz``, ``default_0002.db.gz``: 14 tracks of the default model, among them a copy,
  a missing one and a failed one. The model's own projection is left out of the second (4 MB): such
  a catalogue is what schema 0001 gives on its upgrade.
- ``conv2d-encoder_0001.db.gz``, ``conv2d-encoder_0002.db.gz``: 126 tracks, enough for reranking, of
  a model whose projection is small enough to stay.
- ``lists.json.gz``: of each model, its space and, by ranking, each track's neighbours as
  [track id, similarity, score].
- ``*_0003.db.gz``, ``*_0004.db.gz``, ``*_0006.db.gz``, ``*_0008.db.gz``: the catalogues of schema
  0002, upgraded.
"""

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = "/music"
NEIGHBOURS = 5

RENDER = """
import sys
from pathlib import Path
from recommender.demo import render_library
for seed in range(int(sys.argv[2])):
    render_library(Path(sys.argv[1]) / f"seed {seed}", seed=seed)
"""

LISTS = """
import json, sys
from recommender.similarity import SimilarityService
lists = {}
with SimilarityService.open(sys.argv[1]) as service:
    space = str(service.projector.space)
    for name, today in (("reranked", "neighbourhood"), ("cosine", "cosine")):
        lists[name] = {
            track.id: [
                [found.track.id, round(found.similarity, 9), round(found.score, 9)]
                for found in service.similar(track.id, k=int(sys.argv[2]), ranking=today)
            ]
            for track in service.catalog.all_tracks()
        }
print(json.dumps({"space": space, "lists": lists}))
"""


def main() -> None:
    """Render, analyse, rewrite and compress."""
    checkout = Path(sys.argv[1]).resolve()
    lists = {}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        python(checkout, RENDER, work / "all", "4")
        few = work / "few"
        for number, file in enumerate(sorted((work / "all" / "seed 0").rglob("*.*"))):
            if number % 2 == 0:
                few.mkdir(exist_ok=True)
                shutil.copy(file, few / file.name)
        for model, music in (("default", few), ("conv2d-encoder", work / "all")):
            database = work / f"{model}.db"
            analyse(checkout, music, model, database)
            lists[model] = json.loads(python(checkout, LISTS, database, str(NEIGHBOURS)))
            save(checkout, model, database)
    text = json.dumps(lists, separators=(",", ":"))
    (HERE / "lists.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def analyse(checkout: Path, music: Path, model: str, database: Path) -> None:
    """Ingest `music`, with one copy; then once more with a lost file and a damaged one."""
    copied, lost, damaged = sorted(music.rglob("*.flac"))[:3]
    shutil.copy(copied, copied.with_name("copy.flac"))
    ingest = [checkout / ".venv/bin/recsys", "ingest", music, "--model", model, "--db", database]
    subprocess.run(ingest, check=True)
    lost.unlink()
    damaged.write_bytes(b"no sound")
    subprocess.run(ingest, check=True)


def save(checkout: Path, model: str, database: Path) -> None:
    """Compress the catalogue as schema 0002, then as 0001."""
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE libraries SET root = ?", (ROOT,))
        if model == "default":
            connection.execute("DELETE FROM projections")
    connection.close()
    compress(database, HERE / f"{model}_0002.db.gz")
    newer = database.with_name("newer.db")
    shutil.copy(database, newer)
    for schema in ("0003", "0004", "0006", "0008"):
        subprocess.run(
            [sys.executable, "-m", "alembic", "upgrade", schema],
            cwd=HERE.parents[1],
            env={**os.environ, "RECSYS_DB": str(newer)},
            check=True,
        )
        compress(newer, HERE / f"{model}_{schema}.db.gz")
    subprocess.run(
        [checkout / ".venv/bin/python", "-m", "alembic", "downgrade", "0001"],
        cwd=checkout,
        env={**os.environ, "RECSYS_DB": str(database)},
        check=True,
    )
    compress(database, HERE / f"{model}_0001.db.gz")


def compress(database: Path, into: Path) -> None:
    """One file without a journal beside it, whose bytes depend on its content alone."""
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("VACUUM")
    connection.close()
    into.write_bytes(gzip.compress(database.read_bytes(), mtime=0))


def python(checkout: Path, script: str, *arguments: Path | str) -> str:
    """What `script` prints, run by the checkout's interpreter."""
    run = subprocess.run(
        [checkout / ".venv/bin/python", "-c", script, *arguments],
        cwd=checkout,  # whose package is found first
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return run.stdout


if __name__ == "__main__":
    main()

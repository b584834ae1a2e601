"""The memory of all processes of an ingest of very many very short files (Linux).

    python tests/bench/many_files.py --files 100000

Writes sounds of a second, each its own, ingests them with `recsys ingest`, and adds up the
memory of the command and of all processes below it, every quarter of a second: what is private
(anonymous), and all of it (proportional set size, with the mapped files). A row for each fifth of
the files, by the time when it was done, shows whether anything grows with their number; the last
row is of the index, built at the end. The exit status is 1 where more than `--most` MB were
private at any time.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import wave
from contextlib import closing, suppress
from pathlib import Path

import numpy as np

RATE = 8_000
FILES_PER_FOLDER = 100
EVERY_S = 0.25
COMMAND = "from recommender.cli import main; main()"


def write_sounds(folder: Path, files: int) -> None:
    """Tones of falling loudness in noise."""
    random = np.random.default_rng(0)
    seconds = np.arange(RATE) / RATE
    for number in range(files):
        below = folder / f"{number // FILES_PER_FOLDER:04d}"
        below.mkdir(parents=True, exist_ok=True)
        tone = np.sin(2 * np.pi * random.uniform(80, 2000) * seconds) * np.exp(-3 * seconds)
        samples = 0.5 * tone + 0.05 * random.standard_normal(len(seconds))
        with wave.open(str(below / f"{number:06d}.wav"), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(RATE)
            sound.writeframes((20_000 * np.clip(samples, -1, 1)).astype("<i2").tobytes())


def below(process: int) -> list[int]:
    """A process and all that it has started."""
    found = [process]
    for one in found:
        for of_thread in Path(f"/proc/{one}/task").glob("*/children"):
            with suppress(OSError):  # it has ended since
                found += map(int, of_thread.read_text().split())
    return found


def memory_mb(process: int) -> tuple[float, float]:
    """Private memory and proportional set size of a process and those below it."""
    private = whole = 0
    for one in below(process):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        fields = {line.split(":")[0]: line.split()[1] for line in lines[1:]}
        private += int(fields["Anonymous"])
        whole += int(fields["Pss"])
    return private / 1024, whole / 1024


def analysed(database: Path) -> int:
    """Tracks in the database now."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM tracks").fetchone()[0])
    except sqlite3.Error:
        return 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--most", type=float, default=1024, help="private MB")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        music, database = Path(scratch) / "music", Path(scratch) / "catalog.db"
        write_sounds(music, options.files)
        arguments = ["ingest", str(music), "--db", str(database)]
        started = time.monotonic()
        ingest = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        fifths: dict[int, list[tuple[float, float]]] = {}
        looked, done = 0.0, 0
        while ingest.poll() is None:
            time.sleep(EVERY_S)
            if time.monotonic() - looked > 2:
                looked, done = time.monotonic(), analysed(database)
            fifths.setdefault(5 * done // options.files, []).append(memory_mb(ingest.pid))
        took, found = time.monotonic() - started, analysed(database)
        size = database.stat().st_size / 1e6
    if ingest.returncode:
        print(f"the ingest ended with status {ingest.returncode}")
        return 1
    print("| files done | private, MB, most | with mapped files, MB, most |\n|---|---:|---:|")
    for fifth, samples in sorted(fifths.items()):
        private, whole = (max(values) for values in zip(*samples, strict=True))
        done_text = f"{20 * fifth} to {20 * fifth + 20} %" if fifth < 5 else "all; the index"
        print(f"| {done_text} | {private:.0f} | {whole:.0f} |")
    most = max(private for samples in fifths.values() for private, _ in samples)
    print(f"\n{found:,} of {options.files:,} analysed in {took:.0f} s; database {size:.0f} MB")
    return int(most > options.most)


if __name__ == "__main__":
    sys.exit(main())

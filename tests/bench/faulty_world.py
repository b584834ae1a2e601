"""What the fault trials share: an undisturbed catalogue to compare with, and the command line.

Each trial is a function that takes a `FaultyWorld` and returns a `Verdict`.
"""

import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kills import contents_of

MODEL = "fast"
"""Analyses without a network, so that a trial takes seconds."""

QUERIES: tuple[tuple[object, ...], ...] = (
    ("status",),
    ("list",),
    ("similar", 3, "--json"),
    ("failures",),
    ("library", "list"),
    ("verify",),
)
"""Commands that only read."""

_TRACEBACK = re.compile(r"^Traceback|^  File \"", re.MULTILINE)
_LONGEST_S = 300


@dataclass
class Verdict:
    """What came of the trials of one kind of fault.

    Attributes:
        trials: how many there were.
        bad: what went wrong, in words; empty where all was well.
        notes: what else to report: how many were refused, say.
    """

    trials: int = 0
    bad: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)

    def note(self, what: str, number: int = 1) -> None:
        """Count something for the table."""
        self.notes[what] = self.notes.get(what, 0) + number


@dataclass
class Run:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def problem(self) -> str | None:
        """A traceback, a death by signal, or a failure without a word; None for none of these."""
        if _TRACEBACK.search(self.err) or _TRACEBACK.search(self.out):
            return "traceback: " + self.err.strip().splitlines()[-1][:200]
        if self.status < 0:
            return f"died of {signal.Signals(-self.status).name}"
        if self.status and "recsys: " not in self.err and "Usage" not in self.err and not self.out:
            return f"status {self.status} without a word"
        return None


class FaultyWorld:
    """A music folder, an undisturbed catalogue of it, and scratch copies of both.

    Attributes:
        music: the folder; trials do not change it.
        scratch: an empty folder for each trial; see `fresh`.
        draw: seeded.
        whole: the undisturbed database, with its index beside it.
        expected: its `kills.contents`.
        lists: its recommendations for each track, by path.
    """

    def __init__(self, music: Path, scratch: Path, seed: int) -> None:
        """Ingest `music` once, undisturbed."""
        self.music = music
        self.scratch = scratch
        self.draw = random.Random(seed)
        self.whole = scratch / "whole" / "catalog.db"
        self.whole.parent.mkdir()
        done = self.recsys("ingest", music, "--model", MODEL, db=self.whole)
        assert done.status == 0, done.err
        self.expected = contents_of(self.whole)
        self.lists = lists_of(self.whole)
        self._number = 0

    def fresh(self, *, catalogue: bool = False, music: bool = False) -> Path:
        """An empty folder; with the undisturbed catalogue, or a copy of the music, in it."""
        self._number += 1
        folder = self.scratch / f"trial {self._number}"
        folder.mkdir()
        if catalogue:
            for file in self.whole.parent.iterdir():
                shutil.copy2(file, folder / file.name)
        if music:
            shutil.copytree(self.music, folder / "music")
        return folder

    def recsys(self, *arguments: object, db: Path, limit_s: float = _LONGEST_S) -> Run:
        """Run the command line on a catalogue."""
        process = start(*arguments, db=db)
        try:
            out, err = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += f"\nTraceback: not ended after {limit_s:.0f} s"
        return Run(process.returncode, out, err)

    def ingest(self, db: Path, *options: object) -> Run:
        """Ingest the music into a catalogue."""
        return self.recsys("ingest", self.music, "--model", MODEL, *options, db=db)

    def unlike(self, db: Path) -> list[str]:
        """What differs from the undisturbed catalogue."""
        try:
            return differences(self.expected, contents_of(db))
        except Exception as error:
            return [f"cannot be compared: {type(error).__name__}: {error}"]


def start(*arguments: object, db: Path) -> "subprocess.Popen[str]":
    """Start the command line in a process group of its own."""
    program = Path(sys.executable).with_name("recsys")
    command = [str(program), *map(str, arguments), "--db", str(db)]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def lists_of(db: Path) -> dict[str, Any]:
    """The recommendations for every track: path → [(path, similarity)], to nine digits."""
    from recommender.recommendation.service import SimilarityService

    with SimilarityService.open(str(db)) as service:
        return {
            track.path: [
                (found.track.path, round(found.similarity, 9))
                for found in service.similar(track.id)
            ]
            for track in service.catalog.all_tracks()
        }


def differences(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """The paths whose tracks or failures differ, and what else does."""
    unlike = []
    for part, wanted in expected.items():
        if isinstance(wanted, dict):
            keys = sorted(wanted.keys() | found[part].keys())
            unlike += [f"{part}: {k}" for k in keys if wanted.get(k) != found[part].get(k)]
        elif wanted != found[part]:
            unlike.append(f"{part}: {found[part]} instead of {wanted}")
    return unlike


def vectors_in(db: Path) -> list[int]:
    """Offsets in a database at which 64 bytes of a stored vector begin."""
    content = db.read_bytes()
    with closing(sqlite3.connect(db)) as connection:
        blobs = [blob for (blob,) in connection.execute("SELECT activations FROM analyses")]
    parts = [blob[at : at + 64] for blob in blobs for at in range(0, len(blob) - 64, 64)]
    return [at for part in parts if (at := content.find(part)) >= 0]


def flip(file: Path, at: int, bit: int) -> None:
    """Flip one bit of a file."""
    with file.open("rb+") as opened:
        opened.seek(at)
        byte = opened.read(1)[0]
        opened.seek(at)
        opened.write(bytes([byte ^ (1 << bit)]))

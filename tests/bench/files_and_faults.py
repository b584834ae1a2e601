"""What goes wrong with files, tags, disks and catalogues, one command for each kind of fault.

    python tests/bench/files_and_faults.py [--program RECSYS] [NAME …]

Each case makes its own files, runs the command in a new process, and prints a row of a Markdown
table: what was done, and what came of it. NAME is a case, such as `unmounted`. With `--program`,
the same of another version of the program, as far as its options and columns are the same.
"""

import argparse
import json
import os
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
import sounds
import tagged

LIMIT_S = 100.0
MODEL = "fast"
RATE = 22_050


@dataclass
class Trial:
    """A folder of music, a catalogue, and the program that is tried on them."""

    program: str
    folder: Path
    status: int = 0
    text: str = ""
    output: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Make the folders."""
        self.music = self.folder / "music"
        self.music.mkdir(parents=True)
        self.db = self.folder / "catalog.db"

    def run(self, *arguments: object, db: Path | None = None) -> str:
        """What a command prints, both streams; its status and seconds are kept."""
        command = [self.program, *map(str, arguments), "--db", str(db or self.db)]
        started = time.monotonic()
        environment = {**os.environ, "COLUMNS": "300"}
        done = subprocess.run(
            command, capture_output=True, errors="replace", timeout=LIMIT_S, env=environment
        )
        self.status, self.text = done.returncode, done.stdout + done.stderr
        self.output = done.stdout
        self.seconds = time.monotonic() - started
        return self.text

    def ingest(self, *folders: Path) -> str:
        """Ingest the music, or other folders; the lines of the report that count files."""
        text = self.run("ingest", *(folders or (self.music,)), "--model", MODEL)
        counts = [line.strip() for line in text.splitlines() if re.match(r" +\d", line)]
        return " ".join(" ".join(counts).split()) or text

    def tracks(self) -> list[dict[str, Any]]:
        """As `recsys list --json` gives them."""
        self.run("list", "--json")
        return list(json.loads(self.output))

    def wav(self, name: str, seed: int, seconds: float = 6) -> Path:
        """A wav of its own sound."""
        path = self.music / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return sounds.write_sound(path, sounds.music(seconds, RATE, seed), RATE)

    def wav_with_info(self, name: str, seed: int, values: dict[str, bytes]) -> Path:
        """A wav of its own sound, with RIFF INFO behind it."""
        path = self.wav(name, seed)
        data = path.read_bytes() + tagged.info(values)
        path.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
        return path

    def mp3(self, path: Path, seed: int, version: int, frames: bytes) -> Path:
        """An mp3 of its own sound, longer for higher seeds, behind a tag of ID3v2.3 or 2.4."""
        sounds.write_sound(path, sounds.music(6 + seed, 44_100, seed))
        header = b"ID3" + bytes([version, 0, 0]) + tagged.synchsafe(len(frames))
        path.write_bytes(header + frames + path.read_bytes())
        return path

    @property
    def last_line(self) -> str:
        """The last that was printed."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return f"status {self.status}: {lines[-1] if lines else 'nothing'}"


def same_blocks(trial: Trial) -> str:
    """Four fifths of a wav of 60 s exchanged, between three blocks that stay: `ingest`"""
    sound = np.random.default_rng(0).integers(-9000, 9000, 44_100 * 60).astype(np.int16)
    soundfile.write(trial.music / "a.wav", sound, 44_100)
    trial.ingest()
    before = _activations(trial.db)
    quarter, kept = len(sound) // 4, len(sound) // 40
    for start in range(0, len(sound), quarter):
        part = slice(start + kept * (start > 0), start + quarter - kept)
        sound[part] = 9000 * np.sin(np.arange(part.stop - part.start) / 20)
    soundfile.write(trial.music / "a.wav", sound, 44_100)
    trial.ingest()
    return "the old embedding stays" if before == _activations(trial.db) else "analysed again"


def swapped(trial: Trial) -> str:
    """Two files of one size and time exchanged: `verify --content`, twice"""
    one, other = trial.wav("0.wav", 0), trial.wav("1.wav", 1)
    trial.ingest()
    times = {path: path.stat().st_mtime_ns for path in (one, other)}
    one.rename(trial.music / "x")
    other.rename(one)
    (trial.music / "x").rename(other)
    for path, at in times.items():
        os.utime(path, ns=(at, at))
    named = trial.run("verify", "--content").count(".wav")
    status = trial.status
    trial.run("verify", "--content")
    return f"status {status}, {named} files named; status {trial.status}"


def relinked(trial: Trial) -> str:
    """`mv v1 v2` behind a link: `ingest LINK`, `similar 1 --m3u -`"""
    folder, link = trial.folder / "v1", trial.folder / "link"
    trial.music.rename(folder)
    link.symlink_to(folder)
    for number in range(3):
        sounds.write_sound(folder / f"{number}.wav", sounds.music(6, RATE, number), RATE)
    trial.ingest(link)
    folder.rename(trial.folder / "v2")
    link.unlink()
    link.symlink_to(trial.folder / "v2")
    counts = trial.ingest(link)
    names = [x for x in trial.run("similar", 1, "--m3u", "-").splitlines() if x.endswith(".wav")]
    dead = sum(not (Path.cwd() / name).exists() for name in names)
    return f"{counts}; {len(trial.tracks())} tracks; {dead} dead entries in the playlist"


def unmounted(trial: Trial) -> str:
    """The smaller of two disks away: `ingest BOTH`, `prune`; then with it: `ingest BOTH`"""
    other, away = trial.folder / "other", trial.folder / "away"
    for number in range(5):
        trial.wav(f"{number}.wav", number)
    other.mkdir()
    for number in range(2):
        sounds.write_sound(other / f"{number}.wav", sounds.music(6, RATE, 9 + number), RATE)
    trial.ingest(trial.music, other)
    other.rename(away)
    other.mkdir()
    trial.ingest(trial.music, other)
    trial.run("prune")
    status, left = trial.status, len(trial.tracks())
    other.rmdir()
    away.rename(other)
    counts = trial.ingest(trial.music, other)
    return f"prune: status {status}, {left} of 7 tracks kept; {counts}"


def tags(trial: Trial) -> str:
    """A wav with RIFF INFO, an mp3 titled ÄÄÄÄ in Latin-1: `list`"""
    trial.wav_with_info("a.wav", 0, {"INAM": b"Info Title", "IART": b"Info Artist"})
    title = b"TIT2" + struct.pack(">IH", 5, 0) + b"\0\xc4\xc4\xc4\xc4"
    trial.mp3(trial.music / "b.mp3", 1, 3, title)
    trial.ingest()
    text = trial.run("list")
    return ", ".join(name for name in ("Info Title", "ÄÄÄÄ", "ДДДД") if name in text) or "neither"


def artists(trial: Trial) -> str:
    """Five spellings of one artist, four tracks of Various Artists: `similar SEED -k 9`, cap 2"""
    lund = ("Mira Lund", "MIRA LUND feat. Otto", "Eva; Mira Lund", "mira lund ft. Eva", "Mïra Lund")
    for number, name in enumerate((*lund, *["Various Artists"] * 4, "Seed")):
        frames = tagged.id3_frames({"TIT2": str(number).encode(), "TPE1": name.encode()})
        trial.mp3(trial.music / f"{number}.mp3", number, 4, frames)
    trial.ingest()
    seed = next(track["id"] for track in trial.tracks() if track["path"] == "9.mp3")
    trial.run("similar", seed, "-k", 9, "--json")
    found = json.loads(trial.output)
    neighbours = found if isinstance(found, list) else found["neighbours"]
    names = [(neighbour["artist"] or "").casefold() for neighbour in neighbours]
    various = sum("various" in name for name in names)
    return f"{len(names) - various} of Mira Lund, {various} of Various Artists"


def chained(trial: Trial) -> str:
    """Two Ogg files of 6 s and 9 s joined to one: `list`"""
    parts = [
        sounds.write_sound(trial.folder / f"{n}.ogg", sounds.music(n, 44_100, n)) for n in (6, 9)
    ]
    (trial.music / "chain.ogg").write_bytes(b"".join(part.read_bytes() for part in parts))
    trial.ingest()
    return f"{trial.tracks()[0]['duration']:.1f} s"


def antiphase(trial: Trial) -> str:
    """A song, and the same with one channel inverted: `similar SONG`"""
    song = sounds.music(20, 44_100, 3)
    soundfile.write(trial.music / "song.wav", np.stack([song, song], 1), 44_100)
    soundfile.write(trial.music / "inverted.wav", np.stack([song, -song], 1), 44_100)
    trial.wav("other.wav", 8)
    trial.ingest()
    trial.run("failures")
    if "inverted" in trial.text:
        return "inverted.wav is refused as silence"
    track = next(track["id"] for track in trial.tracks() if track["path"] == "song.wav")
    listed = "inverted" in trial.run("similar", track)
    return "listed as another song" if listed else "recognised as a copy, left out"


def damaged(trial: Trial) -> str:
    """An mp3, an ogg and a flac cut to 60 %: `failures --damaged`"""
    for ending in ("mp3", "ogg", "flac"):
        path = sounds.write_sound(trial.music / f"a.{ending}", sounds.music(30, 44_100, 4))
        sounds.truncate(path, 0.6)
    trial.ingest()
    text = trial.run("failures", "--damaged")
    return trial.last_line if trial.status else f"{text.count(' a.')} named"


def recycled(trial: Trial) -> str:
    """Six files in recycle bins, version folders and the like, one beside: `list`"""
    for name in (".Trash-1/a", "._b", "$RECYCLE.BIN/c", "#recycle/d", "@eaDir/e", ".stversions/f"):
        trial.wav(f"{name}.wav", 3)
    trial.wav("g.wav", 4)
    trial.ingest()
    return f"{len(trial.tracks())} tracks"


def inflating(trial: Trial) -> str:
    """An mp3 title that inflates to 1.4 GB: `similar FILE`"""
    trial.wav("a.wav", 1)
    trial.ingest()
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1400)) + packer.flush()
    body = struct.pack(">I", 1400 << 20) + packed
    frames = b"TIT2" + struct.pack(">IH", len(body), 0x80) + body
    file = trial.mp3(trial.folder / "b.mp3", 2, 3, frames)
    command = [trial.program, "similar", str(file), "--db", str(trial.db)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    started, peak = time.monotonic(), 0
    while process.poll() is None and time.monotonic() - started < LIMIT_S:
        peak = max(peak, _peak_megabytes(process.pid))
        time.sleep(0.02)
    process.kill()
    took = time.monotonic() - started
    return f"status {process.wait()}, {took:.1f} s, the program itself up to {peak} MB"


def ignore_pattern(trial: Trial) -> str:
    """`*a*a*a*a*a*b` in the ignore file, a name of 150 letters: `ingest`"""
    (trial.music / ".recsysignore").write_text("*a*a*a*a*a*b\n", encoding="utf-8")
    trial.wav("a" * 150 + ".wav", 1)
    trial.ingest()
    return f"status {trial.status}, {trial.seconds:.1f} s"


def flipped_bit(trial: Trial) -> str:
    """One bit of a stored embedding flipped: `verify`"""
    for number in range(4):
        trial.wav(f"{number}.wav", number)
    trial.ingest()
    content = bytearray(trial.db.read_bytes())
    vector = _activations(trial.db)[0]
    parts = (vector[at : at + 64] for at in range(64, len(vector) - 64, 64))
    content[next(at for part in parts if (at := content.find(part)) > 0) + 3] ^= 64
    trial.db.write_bytes(content)
    for file in trial.folder.glob("*.index"):
        file.unlink()
    text = trial.run("verify")
    named = next((line.strip() for line in text.splitlines() if "wav" in line), "no track named")
    return f"status {trial.status}: {' '.join(named.split())}"


def empty_database(trial: Trial) -> str:
    """A database of no bytes: `list`"""
    (trial.folder / "empty.db").touch()
    trial.run("list", db=trial.folder / "empty.db")
    return trial.last_line


def formula(trial: Trial) -> str:
    """A genre tag `=HYPERLINK("x")`: `evaluate --csv FILE`"""
    for number in range(6):
        genre = b'=HYPERLINK("x")' if number % 2 else b"Rock"
        values = {"IART": b"artist %d" % number, "IGNR": genre}
        trial.wav_with_info(f"{number}.wav", number, values)
    trial.ingest()
    table = trial.folder / "table.csv"
    trial.run("evaluate", "--csv", table)
    lines = table.read_text("utf-8").splitlines() if table.exists() else [trial.last_line]
    return next((line for line in lines if "HYPER" in line), lines[-1])


def newer_schema(trial: Trial) -> str:
    """A catalogue of a newer release: `list`"""
    trial.wav("a.wav", 1)
    trial.ingest()
    with closing(sqlite3.connect(trial.db)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    trial.run("list")
    return trial.last_line


CASES: tuple[Callable[[Trial], str], ...] = (
    same_blocks,
    swapped,
    relinked,
    unmounted,
    tags,
    artists,
    chained,
    antiphase,
    damaged,
    recycled,
    inflating,
    ignore_pattern,
    flipped_bit,
    empty_database,
    formula,
    newer_schema,
)


def _activations(db: Path) -> list[bytes]:
    """The stored vectors, in the order of their tracks."""
    with closing(sqlite3.connect(db)) as connection:
        for table, column in (("analyses", "activations"), ("hearings", "activations")):
            query = f"SELECT {column} FROM {table} ORDER BY track_id"
            try:
                return [blob for (blob,) in connection.execute(query)]
            except sqlite3.Error:
                continue
    raise SystemExit(f"{db}: no stored vectors")


def _peak_megabytes(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) // 1024 if found else 0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=str(Path(sys.executable).with_name("recsys")))
    parser.add_argument("cases", nargs="*", metavar="NAME")
    options = parser.parse_args()
    print("| case | what was done | what came of it |\n|---|---|---|")
    for case in CASES:
        if options.cases and case.__name__ not in options.cases:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            try:
                found = case(Trial(options.program, Path(scratch)))
            except Exception as error:  # the other cases go on
                found = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            found = found.replace(scratch, "…").replace("|", "\\|")
        print(f"| {case.__name__} | {case.__doc__} | {found} |", flush=True)


if __name__ == "__main__":
    main()

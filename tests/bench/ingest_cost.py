"""What an ingest costs: until its first embedding, a file in a long run, and each stage of a file.

Writes pieces of three minutes as mp3 and flac, unless FOLDER holds sounds to take instead, and
prints four tables:

- from the start of the program until the first embedding is ready, with workers that start too;
- processor time a file in a long run, all processes together: the difference between a run over
  many files and one over few. Beside it the floor: decoding, mixing and resampling of the same
  windows in this process;
- processor milliseconds of each stage, in this process;
- processor milliseconds of other programs for a mp3 of 60 s, with `--peers PYTHON`, an interpreter
  that has some of pymusly (with ffmpeg or imageio-ffmpeg), bliss-audio, sonara and essentia; those
  that it lacks are left out with the reason. All are loaded, on one thread, and open the file
  themselves.

Each figure is the least of `--runs` runs. One thread each:

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python tests/bench/ingest_cost.py [FOLDER]
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from recommender.audio import mixing, slices, soundfile_decoder
from recommender.audio.reader import read_windows
from recommender.audio.tags import read_tags
from recommender.embedding import embedder as embedder_module
from recommender.embedding.embedder import Embedder
from recommender.ingestion.content_hash import hash_content

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
import sounds

ENDINGS = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".au", ".aiff", ".wma"}
FEW = 4

INGEST = """
import sys, time
from recommender import Catalog, IngestSettings, ingest
from recommender.ingestion.report import NoProgress

class Progress(NoProgress):
    def done(self, *file):
        print(time.time(), flush=True)

with Catalog.open(sys.argv[1]) as catalog:
    settings = IngestSettings(
        model=sys.argv[4],
        workers=int(sys.argv[3]),
        files_per_transaction=1 if len(sys.argv) > 5 else 32,
        update_index=False,
    )
    report = ingest(catalog, sys.argv[2], settings, Progress())
    assert not report.failed, report
"""

PEERS = """
import json, os, sys, tempfile
from importlib.metadata import version

def spent():  # with the programs that a peer starts
    return sum(os.times()[:4])

def ffmpeg():
    import shutil
    if found := shutil.which("ffmpeg"):
        return found
    import imageio_ffmpeg
    return imageio_ffmpeg.get_ffmpeg_exe()

def musly(*excerpt):
    # As pymusly itself does with a file: samples by the command of ffmpeg.
    import array, subprocess
    import pymusly
    box, command = pymusly.MuslyJukebox(), ffmpeg()
    form = ["-f", "f32le", "-ac", "1", "-ar", "22050", "-"]
    def analyse(path):
        arguments = [command, "-v", "quiet", "-threads", "1", *excerpt, "-i", path, *form]
        raw = subprocess.run(arguments, capture_output=True, check=True).stdout
        return box.track_from_audiodata(array.array("f", raw))
    return "pymusly", analyse

def bliss():
    import bliss_audio
    return "bliss-audio", bliss_audio.Song

def sonara():
    import sonara
    return "sonara", sonara.analyze_file

def essentia():
    import essentia
    essentia.log.infoActive = essentia.log.warningActive = False
    from essentia.standard import MusicExtractor
    return "essentia", lambda path: MusicExtractor()(path)

peers = {
    "Musly, decoded by ffmpeg": musly,
    "Musly, the central 30 s, as its own command takes": lambda: musly("-ss", "15", "-t", "30"),
    "bliss-audio": bliss,
    "sonara": sonara,
    "Essentia MusicExtractor": essentia,
}
for name, load in peers.items():
    try:
        package, analyse = load()
        analyse(sys.argv[1])
        rounds = []
        for _ in range(int(sys.argv[2])):
            before = spent()
            for _ in range(3):  # the clock of processes counts hundredths of a second
                analyse(sys.argv[1])
            rounds.append(1e3 * (spent() - before) / 3)
        result = {"ms": min(rounds), "version": version(package)}
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}"[:90]}
    print("RESULT", json.dumps({"name": name, **result}), flush=True)
"""


def write_pieces(folder: Path, seconds: float) -> list[Path]:
    """Two pieces as mp3 and as flac, stereo, 44.1 kHz."""
    folder.mkdir()
    return [
        sounds.write_sound(folder / f"{seed}.{ending}", sounds.music(seconds, seed=seed), 44_100, 2)
        for seed in range(2)
        for ending in ("mp3", "flac")
    ]


def copies(files: Sequence[Path], folder: Path, count: int) -> Path:
    """A folder of so many copies of files, in turns."""
    folder.mkdir()
    for number in range(count):
        source = files[number % len(files)]
        shutil.copyfile(source, folder / f"{number:04}{source.suffix}")
    return folder


def session_cpu(session: int) -> float:
    """Processor seconds so far of all processes of a session, the ended ones of each included."""
    ticks = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def until_first(tree: Path, workers: int, model: str) -> tuple[float, float]:
    """Seconds, and processor seconds of all processes, until the first file is analysed."""
    with tempfile.TemporaryDirectory() as scratch:
        arguments = [f"{scratch}/catalog.db", str(tree), str(workers), model, "each"]
        began = time.time()
        run = subprocess.Popen(
            [sys.executable, "-c", INGEST, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert run.stdout is not None
        seconds = float(run.stdout.readline()) - began
        spent = session_cpu(run.pid)
        run.communicate()
    return seconds, spent


def whole_run_cpu(tree: Path, workers: int, model: str) -> float:
    """Processor seconds of an ingest, all processes together."""
    with tempfile.TemporaryDirectory() as scratch:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        arguments = [f"{scratch}/catalog.db", str(tree), str(workers), model]
        subprocess.run([sys.executable, "-c", INGEST, *arguments], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Stages:
    """Processor time by stage of the analysis of files in this process."""

    def __init__(self, model: str) -> None:
        self.embedder = Embedder.load(model)
        self.spent: dict[str, float] = {}

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            before = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.spent[name] = self.spent.get(name, 0.0) + time.process_time() - before

        return run

    def patched(self) -> ExitStack:
        """While open, stages are timed."""
        stack = ExitStack()

        def patch(owner: Any, name: str, stage: str) -> None:
            stack.enter_context(
                mock.patch.object(owner, name, self.timed(stage, getattr(owner, name)))
            )

        patch(slices.soxr, "resample", "resampling")
        patch(soundfile_decoder, "walked_mp3", "walk over mp3 frames")
        patch(soundfile_decoder, "_opened", "opening")
        patch(mixing.ChannelMixer, "mix", "mixing")
        patch(soundfile_decoder.SoundfileDecoder, "read", "decoding and mixing")
        patch(embedder_module, "log_mel", "log-Mel")
        patch(embedder_module, "describe", "descriptors")
        patch(Embedder, "_network_activations", "network")
        patch(embedder_module, "hash_samples", "hash of the samples")
        return stack

    def analyse(self, path: Path) -> None:
        self.timed("content hash", hash_content)(path)
        self.timed("tags", read_tags)(path)
        decoded = self.timed("windows", read_windows)(path, self.embedder.windowing)
        self.timed("analysis", self.embedder.analyse_windows)(decoded)

    def table(self, files: Sequence[Path], runs: int) -> dict[str, float]:
        """Milliseconds a file by stage; ``floor`` is what decodes, mixes and resamples."""
        least: dict[str, float] = {}
        with self.patched():
            for run in range(runs + 1):
                self.spent = {}
                for path in files:
                    self.analyse(path)
                for stage, spent in self.spent.items() if run else ():
                    ms = 1e3 * spent / len(files)
                    least[stage] = min(ms, least.get(stage, np.inf))
        parts = ("opening", "decoding and mixing", "resampling")
        least["floor"] = sum(least.get(name, 0.0) for name in parts)
        return least


def print_stages(stages: dict[str, float]) -> None:
    parts = (
        "content hash",
        "tags",
        "walk over mp3 frames",
        "opening",
        "seeking and decoding",
        "mixing",
        "resampling",
        "hash of the samples",
        "log-Mel",
        "descriptors",
        "network",
    )
    stages = {"seeking and decoding": stages["decoding and mixing"] - stages["mixing"], **stages}
    whole = sum(stages[name] for name in ("content hash", "tags", "windows", "analysis"))
    print("\n| stage | ms a file | share |\n|---|---:|---:|")
    for name in parts:
        if name in stages:
            print(f"| {name} | {stages[name]:.2f} | {stages[name] / whole:.0%} |")
    rest = whole - sum(stages.get(name, 0.0) for name in parts)
    print(f"| what is left | {rest:.2f} | {rest / whole:.0%} |")
    print(f"| all | {whole:.1f} | |")
    print(f"| floor: opening, decoding, mixing, resampling | {stages['floor']:.1f} | |")


def print_peers(python: str, files: Sequence[Path], runs: int, model: str) -> None:
    """Our processor time for a file of 60 s, and that of others."""
    embedder = Embedder.load(model)
    for path in files:

        def ours(path: Path = path) -> object:
            hash_content(path)
            read_tags(path)
            return embedder.analyse(path)

        spent = []
        for _ in range(runs + 1):
            before = time.process_time()
            ours()
            spent.append(1e3 * (time.process_time() - before))
        print(f"\n| {path.name}, 60 s | version | ms |\n|---|---|---:|")
        print(f"| recsys: content hash, tags, analysis ({model}) | – | {min(spent[1:]):.0f} |")
        command = [python, "-c", PEERS, str(path), str(runs)]
        single = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
        )
        run = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, **single}, check=False
        )
        for line in run.stdout.splitlines():
            if line.startswith("RESULT "):
                found = json.loads(line.removeprefix("RESULT "))
                result = f"{found['ms']:.0f}" if "ms" in found else f"skipped: {found['error']}"
                print(f"| {found['name']} | {found.get('version', '–')} | {result} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="sounds to take instead")
    parser.add_argument("--files", type=int, default=60, help="of the long run")
    parser.add_argument("--seconds", type=float, default=180.0, help="length of a piece")
    parser.add_argument("--workers", type=int, default=2, help="that start")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--model", default="default")
    parser.add_argument("--peers", help="interpreter of an environment with other programs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        files = (
            sorted(p for p in options.folder.rglob("*") if p.suffix.lower() in ENDINGS)
            if options.folder
            else write_pieces(Path(scratch) / "pieces", options.seconds)
        )
        few = copies(files, Path(scratch) / "few", FEW)
        many = copies(files, Path(scratch) / "many", options.files)

        starts = [until_first(few, options.workers, options.model) for _ in range(options.runs)]
        print(
            f"| until the first embedding, {options.workers} workers | s | CPU s |\n|---|---:|---:|"
        )
        print(f"| `ingest` | {min(starts)[0]:.2f} | {min(cpu for _, cpu in starts):.2f} |")

        base = min(whole_run_cpu(few, 1, options.model) for _ in range(options.runs))
        whole = min(whole_run_cpu(many, 1, options.model) for _ in range(options.runs))
        a_file = (whole - base) / (options.files - FEW)
        stages = Stages(options.model).table(files, options.runs)
        floor = stages["floor"] / 1e3
        print("\n| a file in a long run | CPU s | × floor |\n|---|---:|---:|")
        print(f"| `ingest`, all processes | {a_file:.4f} | {a_file / floor:.2f} |")
        print(f"| floor: opening, decoding, mixing, resampling | {floor:.4f} | 1 |")
        print_stages(stages)
        if options.peers:
            short = write_pieces(Path(scratch) / "short", 60)
            mp3 = [path for path in short if path.suffix == ".mp3"]
            print_peers(options.peers, mp3[:1], options.runs, options.model)


if __name__ == "__main__":
    main()

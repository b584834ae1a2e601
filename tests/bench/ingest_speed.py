"""How long an ingest of many files takes, and how long the next one, that finds nothing new.

Makes a tree of files in a temporary folder: hard links to the sound files of FOLDER, over and over
until there are enough (an ingest analyses each, since it compares content only with files that
vanished), or, without FOLDER, short sounds of 3 to 5 s in four formats, each its own. Ingests it
twice in this process. The second run must take under a twentieth of the first, analyse nothing and
leave nothing out, else the exit status is 1.

    OMP_NUM_THREADS=1 python tests/bench/ingest_speed.py [FOLDER] [--copies 1000] [--workers 2]
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path

from recommender.catalog import Catalog
from recommender.embedding.model_files import DEFAULT_MODEL
from recommender.ingestion import IngestReport, IngestSettings, ingest
from recommender.ingestion.settings import usable_cores

SHARE = 1 / 20
"""Of the time of the first run that the second may take."""

FORMATS = ("wav", "ogg", "flac", "mp3")
ENDINGS = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".au", ".aiff", ".wma"}
FILES_PER_FOLDER = 25


def link_tree(source: Path, tree: Path, files: int) -> None:
    """Fill `tree` with hard links (copies on another disk) to the sounds of `source`."""
    sounds = sorted(path for path in source.rglob("*") if path.suffix.lower() in ENDINGS)
    for number, sound in enumerate(islice(cycle(sounds), files)):
        target = _path_in(tree, number, sound.suffix)
        try:
            os.link(sound.resolve(), target)
        except OSError:
            shutil.copyfile(sound, target)


def write_tree(tree: Path, files: int) -> None:
    """Fill `tree` with short sounds, all different."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
    import sounds

    for number in range(files):
        samples = sounds.music(3 + number % 5 / 2, rate=22_050, seed=number)
        name = FORMATS[number % len(FORMATS)]
        sounds.write_sound(_path_in(tree, number, f".{name}"), samples, rate=22_050)


def _path_in(tree: Path, number: int, ending: str) -> Path:
    folder = tree / f"{number // FILES_PER_FOLDER:03d}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{number:05d}{ending}"


def ingest_once(database: Path, tree: Path, settings: IngestSettings) -> IngestReport:
    """One ingest with a catalogue opened for it."""
    with Catalog.open(str(database)) as catalog:
        return ingest(catalog, [tree], settings)


def peak_mb() -> float:
    """Largest resident memory of this process so far (without its workers), MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def main() -> int:
    """Print the table; 1 when the second run is too slow or did more than look."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="sounds to link instead")
    parser.add_argument("--copies", type=int, default=1_000, help="files in the tree")
    parser.add_argument("--workers", type=int, default=usable_cores())
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.write is not None:  # in a process of its own, for the sake of the peak memory
        write_tree(args.write, args.copies)
        return 0
    settings = IngestSettings(model=args.model, workers=args.workers)
    with tempfile.TemporaryDirectory() as scratch:
        tree, database = Path(scratch) / "tree", Path(scratch) / "catalog.db"
        if args.folder is not None:
            link_tree(args.folder, tree, args.copies)
        else:
            command = [sys.executable, __file__, "--write", str(tree)]
            subprocess.run([*command, "--copies", str(args.copies)], check=True)
        first = ingest_once(database, tree, settings)
        second = ingest_once(database, tree, settings)
    return _report(first, second, args.workers)


def _report(first: IngestReport, second: IngestReport, workers: int) -> int:
    ratio = second.seconds / first.seconds
    print(f"{first.scanned} files, {workers} workers, peak memory of the parent {peak_mb():.0f} MB")
    print("\n| run | seconds | analysed | unchanged | failed | still failing | files/s |")
    print("|---|---|---|---|---|---|---|")
    for name, run in (("first", first), ("second", second)):
        print(
            f"| {name} | {run.seconds:.2f} | {run.analysed} | {run.unchanged} | {run.failed} "
            f"| {run.still_failing} | {run.scanned / run.seconds:.1f} |"
        )
    looked_only = second.analysed == 0 and second.unchanged == first.analysed
    passed = ratio < SHARE and looked_only
    print(
        f"\nThe second run takes 1/{1 / ratio:.0f} of the first: {'ok' if passed else 'NOT OK'} "
        f"(under 1/{1 / SHARE:.0f} is required)."
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

"""How near are copies of a recording, and how near are different recordings of one length?

Hears every file of a folder and prints the pairs whose durations agree within 2 %, nearest first,
by each of several vectors. Pairs whose names differ in their last endings only (``X.ogg`` and
``X.hq.ogg``) are copies, marked ``copy``. The threshold of `recommender.recordings` belongs in the
gap between the farthest copy and the nearest other pair.

    python tests/bench/duplicates.py MUSIC_FOLDER [--model NAME] [--top 15]
"""

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np

from recommender.embedding import load_embedder
from recommender.errors import AudioError
from recommender.recordings import SAME_RECORDING, SameRecording
from recommender.space import Hearing
from recommender.weights import DEFAULT_MODEL

ENDINGS = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".au", ".aiff", ".wma"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--top", type=int, default=15, help="pairs to print for each vector")
    args = parser.parse_args()

    embedder = load_embedder(args.model)
    heard: dict[Path, Hearing] = {}
    for path in sorted(args.folder.rglob("*")):
        if path.suffix.lower() in ENDINGS:
            try:
                heard[path] = embedder.hear(path)
            except AudioError as error:
                print(f"not heard: {path.relative_to(args.folder)}: {error}")
    files = list(heard)
    raw = np.stack([heard[path].activations for path in files])
    same = SameRecording()
    pairs = [
        (a, b)
        for a, b in combinations(range(len(files)), 2)
        if same.durations_agree(heard[files[a]].duration, heard[files[b]].duration)
    ]
    print(f"{len(files)} files, {len(pairs)} pairs of equal length; limit now {SAME_RECORDING}")
    vectors = {
        "activations": raw,
        "activations, the folder's mean subtracted": raw - raw.mean(axis=0),
        "projected": embedder.project(raw),
    }
    for name, rows in vectors.items():
        report(name, rows, files, pairs, args.top)


def report(
    name: str, rows: np.ndarray, files: list[Path], pairs: list[tuple[int, int]], top: int
) -> None:
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    found = sorted(((float(unit[a] @ unit[b]), a, b) for a, b in pairs), reverse=True)
    copies = [s for s, a, b in found if stem(files[a]) == stem(files[b])]
    others = [s for s, a, b in found if stem(files[a]) != stem(files[b])]
    print(f"\ncosine of {name}")
    if copies and others:
        print(f"  farthest copy {min(copies):.5f}, nearest other pair {max(others):.5f}")
    for similarity, a, b in found[:top]:
        mark = "copy" if stem(files[a]) == stem(files[b]) else ""
        print(f"  {similarity:.5f} {mark:4}  {shown(files[a])}  |  {shown(files[b])}")


def stem(path: Path) -> tuple[Path, str]:
    return path.parent, path.name.removesuffix(path.suffix).removesuffix(".hq")


def shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"[-60:]


if __name__ == "__main__":
    main()

"""How similar are duplicates of a recording, and different recordings of one length?

Analyses every file of a folder and prints the pairs whose durations agree within 2 %, nearest
first, by each of several vectors. Pairs whose names differ in their last endings only (``X.ogg``
and ``X.hq.ogg``) are copies, marked ``copy``. The threshold in the card should lie above the
nearest other pair, and below as many copies as it can.

With `--gtzan`, the same for the 487 valid and test tracks of GTZAN, which all last 30 s and among
which no recording is repeated: 118,341 pairs that must not be merged.

    python tests/experiments/duplicates.py MUSIC_FOLDER [--model NAME] [--gtzan PATH] [--top 15]
"""

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
from stored import published_activations

from recommender.catalog.projector import ModelProjection
from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.embedder import Embedder
from recommender.embedding.model_files import DEFAULT_MODEL, find_model
from recommender.embedding.space import Analysis
from recommender.errors import AudioError
from recommender.research.datasets.gtzan import load as load_gtzan
from recommender.research.datasets.gtzan import split_ids
from recommender.research.model_building.split_tracks import load_tracks

ENDINGS = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".au", ".aiff", ".wma"}

LIMITS = (0.9, 0.92, 0.95, 0.98, 0.99, 0.995)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--gtzan", type=Path, help="log-Mel archive, or folder of sound files")
    parser.add_argument("--top", type=int, default=15, help="pairs to print for each vector")
    args = parser.parse_args()

    embedder = Embedder.load(args.model)
    analysed: dict[Path, Analysis] = {}
    for path in sorted(args.folder.rglob("*")):
        if path.suffix.lower() in ENDINGS:
            try:
                analysed[path] = embedder.analyse(path)
            except AudioError as error:
                print(f"not analysed: {path.relative_to(args.folder)}: {error}")
    files = list(analysed)
    raw = np.stack([analysed[path].activations for path in files])
    same = duplicate_detector(args.model)
    pairs = [
        (a, b)
        for a, b in combinations(range(len(files)), 2)
        if same.durations_agree(analysed[files[a]].duration, analysed[files[b]].duration)
    ]
    print(f"{len(files)} files, {len(pairs)} pairs of equal length; limit now {same.threshold}")
    for name, rows in vectors(args.model, raw).items():
        report(name, rows, files, pairs, args.top)
    if args.gtzan:
        for name, rows in vectors(args.model, gtzan_activations(args.model, args.gtzan)).items():
            report_different(name, rows)


def duplicate_detector(model: str) -> DuplicateDetector:
    """The test that the model is served with."""
    return ModelProjection.of_files(find_model(model)).duplicate_detector


def vectors(model: str, raw: np.ndarray) -> dict[str, np.ndarray]:
    """What could be compared, by name: np.ndarrays [shape=(n, d)]."""
    projection, same = find_model(model).projection(), duplicate_detector(model)
    return {
        "activations": raw,
        "activations, the training mean subtracted": raw - projection.mean,
        "what is compared when serving": np.stack([same.view(row) for row in raw]),
        "projected": projection.apply(raw),
    }


def gtzan_activations(model: str, path: Path) -> np.ndarray:
    """Activations of the valid and test tracks: np.ndarray [shape=(487, d)]."""
    data = load_gtzan(path)
    split = load_tracks(data, [*split_ids("filtered", "valid"), *split_ids("filtered", "test")])
    return published_activations(find_model(model), split).tracks


def report_different(name: str, rows: np.ndarray) -> None:
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    found = np.sort((unit @ unit.T)[np.triu_indices(len(unit), 1)])[::-1]
    above = ", ".join(f"{int((found > limit).sum())} above {limit}" for limit in LIMITS)
    print(f"\ncosine of {name}: {len(found)} pairs of different recordings of GTZAN")
    print(f"  nearest {', '.join(f'{s:.5f}' for s in found[:5])}; {above}")


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

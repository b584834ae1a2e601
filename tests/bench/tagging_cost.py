"""What the model musicnn costs a track, and what fewer patches change.

    recsys models add musicnn
    python tests/bench/tagging_cost.py FOLDER [--files 20]

For windows of ten seconds and one to three patches of three seconds in each: processor seconds a
track (decoding, which any model needs, apart), and how near the track's vector comes to that of all
patches: their cosine, about the mean of all tracks, and how many of the ten nearest tracks they
share. One thread; run nothing beside it.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from recommender.audio.reader import DecodedWindows, read_windows
from recommender.audio.windows import Windowing
from recommender.embedding.inference import serving_networks
from recommender.embedding.model_files import find_model
from recommender.errors import AudioError, WeightsError
from recommender.features.mel_patches import PatchFrontEnd, mel_patches
from recommender.ingestion.file_types import FileType, file_type_of
from recommender.utils.arrays import unit_rows

VARIANTS = ((1, 1), (3, 1), (5, 1), (5, 2), (5, 3))
"""Windows of a track, and patches of a window; the last is compared with."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=20)
    options = parser.parse_args()
    try:
        files = find_model("musicnn")
    except WeightsError as error:
        parser.exit(1, f"{error}\n")
    networks, projection = serving_networks(files), files.projection()
    vectors: dict[tuple[int, int], list[np.ndarray]] = {variant: [] for variant in VARIANTS}
    seconds = dict.fromkeys(VARIANTS, 0.0)
    decoding = 0.0
    tracks = _decoded(options.folder, options.files)
    for decoded, took in tracks:
        decoding += took
        for windows, patches in VARIANTS:
            started = time.process_time()
            found = _activations(networks, decoded, windows, patches, files.card.patches)
            seconds[windows, patches] += time.process_time() - started
            vectors[windows, patches].append(projection.affine(found[None])[0])
    count = len(tracks)
    print(f"{count} tracks; decoding five windows: {decoding / count:.3f} s a track\n")
    print("| windows | patches in each | processor s a track | cosine to the last | of its ten |")
    print("|---:|---:|---:|---:|---:|")
    whole = np.stack(vectors[VARIANTS[-1]])
    for variant in VARIANTS:
        cosine, shared = _agreement(np.stack(vectors[variant]), whole)
        row = (*variant, f"{seconds[variant] / count:.3f}", f"{cosine:.3f}", f"{shared:.0%}")
        print("| " + " | ".join(map(str, row)) + " |")


def _decoded(folder: Path, most: int) -> list[tuple[DecodedWindows, float]]:
    """Windows of the longest files, and the processor seconds that decoding took."""
    paths = [
        path for path in sorted(folder.rglob("*")) if file_type_of(str(path)) is FileType.AUDIO
    ]
    found = []
    for path in sorted(paths, key=lambda path: path.stat().st_size, reverse=True):
        started = time.process_time()
        try:
            found.append((read_windows(path, Windowing(count=5)), time.process_time() - started))
        except AudioError:
            continue
        if len(found) == most:
            break
    return found


def _activations(
    networks: list, decoded: DecodedWindows, windows: int, patches: int, settings: dict
) -> np.ndarray:
    clips = decoded.clips
    some = np.unique(np.linspace(0, len(clips) - 1, windows).round().astype(int))
    if windows == 1:
        some = np.array([len(clips) // 2])
    front_end = replace(PatchFrontEnd(**settings), count=patches)
    batch = mel_patches([clips[row] for row in some], front_end)
    parts = []
    for network in networks:
        found = [network.activations(batch[row : row + 1])[0] for row in range(len(batch))]
        parts.append(np.mean(found, axis=0))
    return np.concatenate(parts)


def _agreement(vectors: np.ndarray, whole: np.ndarray) -> tuple[float, float]:
    """Mean cosine about the mean of all, and share of common tracks among the ten nearest."""
    one, other = (unit_rows(values - whole.mean(axis=0)) for values in (vectors, whole))
    length = min(10, len(one) - 1)
    lists = []
    for units in (one, other):
        similarities = units @ units.T
        np.fill_diagonal(similarities, -2)
        lists.append(np.argsort(-similarities, axis=1)[:, :length])
    shared = [
        len(set(a) & set(b)) / length for a, b in zip(*map(np.ndarray.tolist, lists), strict=True)
    ]
    return float((one * other).sum(axis=1).mean()), float(np.mean(shared))


if __name__ == "__main__":
    main()

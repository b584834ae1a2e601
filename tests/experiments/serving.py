"""What serving does differently from training, by its effect on the embedding.

The networks learn from GTZAN's stored spectrograms: 387 columns of a 512-sample grid, decibels
below the maximum of 30 s, rounded to bytes. Served files are analysed through windows that are
transformed one by one with a hop of 1,708 samples. For the sound files of GTZAN in
``SHARED/gtzan/audio`` each difference is applied alone to the training path, then all together
(`Embedder.analyse`), and the outcome is compared with that of the stored spectrogram: the *twin*.

    OMP_NUM_THREADS=1 python tests/experiments/serving.py --shared SHARED [--model NAME]

Columns: cosine of projected embeddings and of raw activations (median, worst), total variation
between the genre probabilities (median, worst), share of tracks with the same top genre, share of
tracks whose nearest neighbour among all stored tracks is the twin, and the worst rank of a twin.
"""

import argparse
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from stored import published_activations

from recommender.audio.reader import AudioClip, read_whole
from recommender.audio.windows import Windowing
from recommender.embedding.embedder import Embedder
from recommender.embedding.model_files import DEFAULT_MODEL, ModelFiles, find_model
from recommender.features.log_mel import FrontEnd, log_mel
from recommender.research.datasets import gtzan
from recommender.research.model_building.split_tracks import load_tracks
from recommender.research.training.inference import clip_starts
from recommender.utils.arrays import FloatArray

UNCUT = 400.0
"""A `top_db` that cuts nothing off."""

HEADINGS = (
    "| difference | cos projected | cos activations | total variation | same genre "
    "| nearest is the twin | worst rank |"
)


@dataclass(frozen=True)
class Chain:
    """How a clip becomes the spectrograms of its windows; the defaults are those of training.

    Attributes:
        hop: samples between columns; 0 = the stored columns of the 512 grid.
        apart: each window is transformed by itself, so that it has edges of its own.
        reference: whose maximum is 0 dB: the ``clip``'s, the ``windows``' together, or each
            ``window``'s own. It matters for the floor alone: windows are standardised.
        top_db: decibels kept below it.
        frames: of a window.
        rounded: to bytes, as stored.
    """

    hop: int = 0
    apart: bool = False
    reference: str = "clip"
    top_db: float = 80.0
    frames: int = 130
    rounded: bool = True


def variants(front_end: FrontEnd, seconds: float) -> dict[str, Chain]:
    """One difference at a time."""
    training = Chain(frames=front_end.frames(seconds))
    hop = front_end.hop_length
    return {
        "none: the stored path, computed anew from sound": training,
        "no rounding to bytes": replace(training, rounded=False),
        f"windows of {training.frames - 1} frames": replace(training, frames=training.frames - 1),
        f"columns: hop {hop}": replace(training, hop=hop),
        f"columns: hop {hop}, windows transformed apart": replace(training, hop=hop, apart=True),
        "reference: the windows together": replace(training, reference="windows"),
        "reference: each window's own": replace(training, reference="window"),
        "floor: 60 dB": replace(training, top_db=60.0),
        "floor: 100 dB": replace(training, top_db=100.0),
        "floor: none": replace(training, top_db=UNCUT),
    }


def window_decibels(clip: AudioClip, chain: Chain, front_end: FrontEnd) -> FloatArray:
    """The windows' spectrograms [windows, n_mels, frames], decibels, as `chain` says."""
    front_end = replace(front_end, hop_length=chain.hop or gtzan.HOP_LENGTH, top_db=UNCUT)
    if chain.apart:
        length = round(Windowing().seconds * clip.sample_rate)
        firsts = [int(s * clip.sample_rate) for s in Windowing().starts(clip.duration)]
        pieces = [AudioClip(clip.samples[p : p + length], clip.sample_rate) for p in firsts]
        windows = np.stack([mel.values for mel in log_mel(pieces, front_end)])
        windows = windows[:, :, : chain.frames]
    else:
        whole = log_mel([clip], front_end)[0].values
        if not chain.hop:
            whole = whole[:, gtzan.column_frames(whole.shape[1])]
        starts = clip_starts(whole.shape[1], chain.frames, Windowing().count)
        windows = np.stack([whole[:, s : s + chain.frames] for s in starts])
    if chain.reference != "clip":
        axes = None if chain.reference == "windows" else (1, 2)
        windows = windows - windows.max(axis=axes, keepdims=True)
    windows = np.maximum(windows, -chain.top_db)
    if chain.rounded:
        step = -windows.min() / 255
        windows = np.rint(windows / step) * step
    return windows.astype(np.float32)


@dataclass(frozen=True)
class Outcome:
    """What tracks gave, row by row: activations [n, d], genre probabilities [n, n_classes]."""

    activations: FloatArray
    probabilities: FloatArray

    def take(self, rows: list[int]) -> "Outcome":
        return Outcome(self.activations[rows], self.probabilities[rows])


def stored_outcome(weights: ModelFiles, data: gtzan.Gtzan) -> Outcome:
    """The training path over every stored track."""
    activations = published_activations(weights, load_tracks(data, data.track_ids)).tracks
    return Outcome(activations, weights.head().probabilities(activations))


def outcomes(files: list[Path], embedder: Embedder, chains: dict[str, Chain]) -> dict[str, Outcome]:
    """By name of the variant, over the files; the last is what is served."""
    found: dict[str, list[tuple[FloatArray, FloatArray]]] = {name: [] for name in chains}
    served = []
    for path in files:
        clip = read_whole(path, embedder.front_end.sample_rate)
        for name, chain in chains.items():
            windows = window_decibels(clip, chain, embedder.front_end)
            found[name].append(embedder.analyse_spectrograms(list(windows)))
        analysis = embedder.analyse(path)
        shares = [analysis.genre_probabilities[label] for label in embedder.labels]
        served.append((analysis.activations, np.array(shares, dtype=np.float32)))
    found["all: as served"] = served
    return {
        name: Outcome(*(np.stack(column) for column in zip(*rows, strict=True)))
        for name, rows in found.items()
    }


def cosines(one: FloatArray, other: FloatArray) -> FloatArray:
    """Cosine of each row with the same row of the other, [n]."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    result: FloatArray = (one * other).sum(axis=1) / lengths
    return result


def report(
    found: dict[str, Outcome], stored: Outcome, twins: list[int], rows: list[int], who: Embedder
) -> None:
    """Print the table of some of the files: `rows` of `found`, whose twins are `stored` rows."""
    gallery = who.project(stored.activations)
    twin_rows = [twins[row] for row in rows]
    twin = stored.take(twin_rows)
    print(HEADINGS, "|" + 7 * "---|", sep="\n")
    for name, outcome in found.items():
        mine = outcome.take(rows)
        projected = who.project(mine.activations)
        near = cosines(projected, gallery[twin_rows])
        raw = cosines(mine.activations, twin.activations)
        apart = np.abs(mine.probabilities - twin.probabilities).sum(axis=1) / 2
        same = mine.probabilities.argmax(axis=1) == twin.probabilities.argmax(axis=1)
        similarities = projected @ gallery.T
        own = similarities[np.arange(len(rows)), twin_rows]
        ranks = 1 + (similarities > own[:, None]).sum(axis=1)
        print(
            f"| {name} | {np.median(near):.4f}, {near.min():.4f} "
            f"| {np.median(raw):.5f}, {raw.min():.5f} "
            f"| {np.median(apart):.3f}, {apart.max():.3f} "
            f"| {same.sum()}/{len(rows)} | {(ranks == 1).sum()}/{len(rows)} | {ranks.max()} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds gtzan/")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    args = parser.parse_args()

    torch.set_num_threads(1)
    weights = find_model(args.model)
    embedder = Embedder(weights)
    data = gtzan.load(args.shared / "gtzan" / "gtzan_logmel.npz")
    stored = stored_outcome(weights, data)
    files = sorted(path for path in (args.shared / "gtzan" / "audio").rglob("*") if path.is_file())
    twins = [data.track_ids.index(path.stem) for path in files]
    chains = variants(embedder.front_end, embedder.windowing.seconds)
    found = outcomes(files, embedder, chains)

    gallery = embedder.project(stored.activations)
    similarities = gallery @ gallery.T
    np.fill_diagonal(similarities, -math.inf)
    print(f"{args.model}: {len(files)} files against {len(gallery)} stored tracks; the nearest")
    print(
        f"other track of a stored one has cosine {np.median(similarities.max(axis=1)):.4f} (median)"
    )
    learned = set(gtzan.split_ids("filtered", "train"))
    for title, trained_on in (("not trained on", False), ("of the training split", True)):
        rows = [i for i, path in enumerate(files) if (path.stem in learned) is trained_on]
        print(f"\n{len(rows)} files {title}\n")
        report(found, stored, twins, rows, embedder)


if __name__ == "__main__":
    main()

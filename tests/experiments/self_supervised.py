"""An extractor trained without labels on the catalogue that it then serves: is it worth its time?

    python tests/experiments/self_supervised.py --shared SHARED [--epochs 20] [--seeds 0 1 2]

The catalogue is GTZAN's validation and test tracks, whose genres `fast` was not trained on. A 1D
encoder learns from their spectrograms by SimCLR (`research.training.simclr`): no label is used. Its
activations, whitened by principal components, are compared alone, and beside the vectors of `fast`
with a weight that is chosen on one half of the artists and judged on the other, both ways round.
Precision@10 with artist filter, reranked, by genre; p of the paired sign-flip test against `fast`.
An untrained encoder of the same seed stands for chance.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from stored import outputs

from recommender.embedding.model_files import find_model
from recommender.evaluation.retrieval import query_precision
from recommender.evaluation.significance import sign_flip_p
from recommender.networks import create_model
from recommender.research.datasets import gtzan
from recommender.research.model_building.split_tracks import SplitTracks, joined, load_split
from recommender.research.training.inference import clip_activations
from recommender.research.training.settings import TrainingSettings
from recommender.research.training.simclr import PretrainingSettings, pretrained_weights
from recommender.search.reranking import ranking
from recommender.utils.arrays import FloatArray, IntArray, Scores, unit_rows

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
COMPONENTS = 64
GENRES = len(gtzan.GENRES)


def encoder_vectors(split: SplitTracks, settings: TrainingSettings, epochs: int) -> FloatArray:
    """Unit vectors of an encoder trained for some epochs; of an untrained one for 0."""
    torch.manual_seed(settings.seed)
    mels = split.tracks.decibels.shape[1]
    network = create_model(settings.model, n_mels=mels, n_classes=GENRES)
    if epochs:
        pretraining = PretrainingSettings(epochs=epochs)
        weights = pretrained_weights(settings, pretraining, split.tracks, GENRES)
        network.load_state_dict(weights)
    network.eval()
    hidden = clip_activations(network, split.tracks, settings.clip_frames, clips=3).mean(axis=1)
    centred = hidden - hidden.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    kept = min(COMPONENTS, int((sizes > 1e-4 * sizes[0]).sum()))
    return unit_rows(left[:, :kept].astype(np.float32))


def precision(vectors: FloatArray, split: SplitTracks) -> Scores:
    return query_precision(ranking(vectors), split.genres, split.artists)


def beside(fast: FloatArray, own: FloatArray, weight: float) -> FloatArray:
    return unit_rows(np.hstack([fast, weight * own]))


def halves(artists: list[str]) -> IntArray:
    """0 or 1 for each track; all tracks of an artist are in one half."""
    names = sorted(set(artists))
    side = dict(zip(names, np.random.default_rng(0).permutation(len(names)) % 2, strict=True))
    return np.array([side[name] for name in artists])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds gtzan/")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = gtzan.load(options.shared / "gtzan" / "gtzan_logmel.npz")
    split = joined([load_split(data, "filtered", name) for name in ("valid", "test")])
    fast = outputs(find_model("fast"), split)[0]
    base, half = precision(fast, split), halves(split.artists)
    print(f"{len(split.ids)} tracks; fast: {np.nanmean(base):.3f}", flush=True)
    for seed in options.seeds:
        settings = replace(TrainingSettings(), seed=seed)
        for epochs in (0, options.epochs):
            started = time.process_time()
            own = encoder_vectors(split, settings, epochs)
            seconds = time.process_time() - started
            found = {weight: precision(beside(fast, own, weight), split) for weight in WEIGHTS}
            judged, chosen = np.full(len(base), np.nan), []
            for side in (0, 1):
                best = max(WEIGHTS, key=lambda w: np.nanmean(found[w][half == side]))
                chosen.append(best)
                judged[half != side] = found[best][half != side]
            known = ~np.isnan(base)
            p = sign_flip_p((judged - base)[known])
            print(
                f"seed {seed}, {epochs:2} epochs: alone {np.nanmean(precision(own, split)):.3f}, "
                f"beside fast {np.nanmean(judged):.3f} (weights {chosen[0]} and {chosen[1]}, "
                f"p {p:.3f}); {seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()

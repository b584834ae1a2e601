"""Activations of networks and descriptors of all GTZAN tracks, stored for `joint_whitening.py`.

    OMP_NUM_THREADS=1 python tests/experiments/network_activations.py --shared SHARED \
        --checkpoints FOLDER --store FOLDER

In `--checkpoints` are ``fold-N.pt``, the networks of `heads.py`, and those that ``recsys train
default`` writes, ``seed-N.pt`` and ``seed-N-without-GENRES.pt``; what is not trained yet is left
out. *all* is the network that ships. A file that exists is not written again.

Stored of each network, for each track: means over time of the last layer in eight groups of bands,
which are its activations; and, for *inner layers*, means and deviations over time of every layer in
the same groups.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from ablation import REPETITIONS

from recommender.embedding.model_files import DEFAULT_MODEL, find_model
from recommender.features.log_mel import centre_crop
from recommender.networks import GenreNetwork, create_model
from recommender.networks.conv2d_encoder import BANDS_KEPT
from recommender.research.datasets import gtzan
from recommender.research.model_building.leave_genres_out import FOLDS
from recommender.research.model_building.recipes import NETWORK, NETWORK_FRAMES
from recommender.research.model_building.split_tracks import CLIPS, load_tracks
from recommender.research.training.augmentation import standardised_batch
from recommender.research.training.inference import TrackSet, clip_starts
from recommender.utils.arrays import FloatArray
from recommender.utils.files import replacing_file

ARTIST_FOLDS = 2 * REPETITIONS
SEEDS = 5
BATCH = 16


def trained(path: Path, classes: int) -> GenreNetwork | None:
    """The network of a checkpoint; None where its training has not ended."""
    if not path.exists():
        return None
    state = torch.load(path, weights_only=True)
    if len(state["history"]) < NETWORK.epochs:
        return None
    settings = NETWORK.model_settings
    network = create_model(NETWORK.model, n_mels=128, n_classes=classes, **settings)
    network.load_state_dict(state["best_weights"])
    return network.eval()


def networks(checkpoints: Path) -> Iterator[tuple[str, GenreNetwork | None]]:
    """All that are evaluated, by name."""
    for seed in range(SEEDS):
        yield f"train-{seed}", trained(checkpoints / f"seed-{seed}.pt", len(gtzan.GENRES))
    (network,) = find_model(DEFAULT_MODEL).networks()
    yield "all", network
    for number in range(ARTIST_FOLDS):
        yield f"fold-{number}", trained(checkpoints / f"fold-{number}.pt", len(gtzan.GENRES))
    for seed in range(SEEDS):
        for number, held_out in enumerate(FOLDS):
            stem = "-".join([f"seed-{seed}-without", *held_out])
            genres = len(gtzan.GENRES) - len(held_out)
            yield f"genres-{seed}-{number}", trained(checkpoints / f"{stem}.pt", genres)


@torch.no_grad()
def layers(network: GenreNetwork, tracks: TrackSet) -> FloatArray:
    """Means and deviations over time of every layer in groups of bands: [n, clips, values].

    The last layer comes first, and its means before its deviations.
    """
    starts = clip_starts(tracks.decibels.shape[2], NETWORK.clip_frames, CLIPS)
    crop = centre_crop(NETWORK.clip_frames, NETWORK_FRAMES)
    found = []
    for first in range(0, len(tracks), BATCH):
        batch = torch.from_numpy(tracks.decibels[first : first + BATCH])
        clips = torch.cat([batch[:, :, s + crop.start : s + crop.stop] for s in starts])
        images = network.bands(standardised_batch(clips)).unsqueeze(1)
        parts: list[torch.Tensor] = []
        for block in network.blocks:
            images = block(images)
            groups = images.unflatten(2, (BANDS_KEPT, -1)).mean(dim=3)  # [batch, c, 8, frames]
            mean, deviation = groups.mean(dim=3).flatten(1), groups.std(dim=3).flatten(1)
            parts = [mean, deviation, *parts]
        values = torch.cat(parts, dim=1).reshape(CLIPS, len(batch), -1).transpose(0, 1)
        found.append(values.numpy())
    return np.concatenate(found)


def store(path: Path, **arrays: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing_file(path) as file:
        np.savez(file, **arrays)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds gtzan/")
    parser.add_argument("--checkpoints", type=Path, required=True, help="of the trainings")
    parser.add_argument("--store", type=Path, required=True, help="where to write")
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = gtzan.load(args.shared / "gtzan" / "gtzan_logmel.npz")
    splits = {name: gtzan.split_ids("filtered", name) for name in ("train", "valid", "test")}
    tracks = load_tracks(data, [i for ids in splits.values() for i in ids])
    path = args.store / "descriptors.npz"
    if not path.exists():
        store(
            path,
            ids=np.array(tracks.ids),
            tracks=tracks.descriptors,
            clips=tracks.clip_descriptors,
            low_passed=tracks.low_passed_descriptors,
        )
    filtered = None
    for name, network in networks(args.checkpoints):
        path = args.store / f"{name}.npz"
        if network is None or path.exists():
            continue
        filtered = filtered or tracks.low_passed
        low_passed = layers(network, filtered).mean(axis=1)
        store(path, clips=layers(network, tracks.tracks), low_passed=low_passed)
        print(name, flush=True)


if __name__ == "__main__":
    main()

"""Ablation of the genre head and of the networks' centre crop, one thing changed at a time.

As in `ablation.py`, what is fitted on one half of GTZAN's training and validation tracks is
evaluated on the other, in four artist folds whose mean is taken; here the default's network is
trained on each, too (four times some minutes; a completed training is read from its checkpoint).
The columns *valid* are of the 197 validation tracks after the 443 training tracks, mean over five
seeds, whose networks (``seed-N.pt``, of ``recsys train default``) lie in the same folder. No test
track is read.

    python tests/experiments/heads.py --shared SHARED --checkpoints FOLDER [--csv FILE]

Accuracy is by track; the weight of the descriptors and the temperature are chosen, by least log
loss, on the evaluated tracks.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ablation import REPETITIONS, artist_folds
from network_activations import SEEDS
from network_activations import trained as completed

from recommender.embedding.projection import Projection
from recommender.networks import GenreNetwork
from recommender.projections.lda import fit_lda, fit_standardisation
from recommender.projections.wccn import WccnSettings
from recommender.research.datasets import gtzan
from recommender.research.model_building.activations import Activations
from recommender.research.model_building.head_fitting import (
    DEFAULT_SETTINGS,
    HeadSettings,
    LinearLayer,
    fit_head,
)
from recommender.research.model_building.recipes import NETWORK, NETWORK_FRAMES
from recommender.research.model_building.split_tracks import SplitTracks, load_split
from recommender.research.model_building.trained_model import model_activations
from recommender.research.training.inference import log_loss
from recommender.research.training.loop import train

FORMER_SHRINKAGE = 0.9


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
        settings: of the head.
        network_frames: columns of the centre crop of each clip that the network analyses.
        network, descriptors: whether the head has them.
    """

    name: str
    settings: HeadSettings = DEFAULT_SETTINGS
    network_frames: int = NETWORK_FRAMES
    network: bool = True
    descriptors: bool = True


def variants() -> Iterator[Variant]:
    yield Variant("as shipped")
    yield Variant("descriptors alone", network=False)
    yield Variant("network alone", descriptors=False)
    whole = NETWORK.clip_frames
    yield Variant("network on 7.5 s", network_frames=3 * whole // 4)
    yield Variant("network on all 10 s", network_frames=whole)
    for components in (75, 300):
        settings = HeadSettings(wccn=WccnSettings(components=components))
        yield Variant(f"{components} components", settings)
    for variance in (0.5, 2.0):
        yield Variant(f"prior variance {variance:g}", HeadSettings(prior_variance=variance))
    yield Variant("standardised, not whitened", HeadSettings(project_descriptors=not_whitened))
    by_lda = HeadSettings(fit_descriptors=fit_lda_layer)
    yield Variant("LDA", by_lda)
    yield Variant("LDA, network on all 10 s", by_lda, network_frames=whole)


def not_whitened(
    train_activations: Activations, labels: np.ndarray, settings: WccnSettings
) -> Projection:
    """Principal components of the standardised descriptors."""
    scale = fit_standardisation(train_activations.tracks, labels)
    matrix = scale.matrix.copy()
    matrix[train_activations.layout.all_networks] = 0
    scaled = (train_activations.tracks - scale.mean) @ matrix
    _, _, axes = np.linalg.svd(scaled, full_matrices=False)
    return Projection(scale.mean, (matrix @ axes[: settings.components].T).astype(np.float32))


def fit_lda_layer(
    train_activations: Activations, labels: np.ndarray, settings: HeadSettings
) -> LinearLayer:
    """LDA of the standardised descriptors: the nearest mean among the discriminants."""
    tracks, values = train_activations.tracks, train_activations.layout.descriptors
    mean = tracks.mean(axis=0)
    matrix = np.zeros((len(mean), len(np.unique(labels)) - 1))
    matrix[values] = fit_lda(tracks[:, values], labels, FORMER_SHRINKAGE).matrix
    vectors = (tracks - mean) @ matrix
    means = np.stack([vectors[labels == label].mean(axis=0) for label in np.unique(labels)])
    weight = matrix @ means.T
    return LinearLayer(weight, -(means**2).sum(axis=1) / 2 - mean @ weight).centred


def figures(
    variant: Variant, network: GenreNetwork, training: SplitTracks, valid: SplitTracks
) -> list[float]:
    """Accuracy and log loss on the evaluated tracks."""
    ours, theirs = (
        model_activations(
            [network] if variant.network else [],
            [NETWORK.clip_frames] if variant.network else [],
            split,
            variant.descriptors,
            variant.network_frames,
        )
        for split in (training, valid)
    )
    labels = valid.tracks.labels
    head, _ = fit_head(ours, training.tracks.labels, theirs, labels, variant.settings)
    probabilities = head.probabilities(theirs.tracks)
    return [
        float((probabilities.argmax(axis=1) == labels).mean()),
        log_loss(probabilities, labels),
    ]


def trained(
    folds: Sequence[tuple[SplitTracks, SplitTracks]], checkpoints: Path
) -> list[GenreNetwork]:
    """The default's network trained on each fold."""
    found = []
    for number, (training, _) in enumerate(folds):
        seed = number * REPETITIONS // len(folds)
        settings = replace(NETWORK, select_epoch_by="last", seed=seed)
        checkpoint = checkpoints / f"fold-{number}.pt"
        run = train(settings, training.tracks, None, len(gtzan.GENRES), checkpoint=checkpoint)
        found.append(run.network)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds gtzan/")
    parser.add_argument("--checkpoints", type=Path, required=True, help="of the trainings")
    parser.add_argument("--csv", type=Path, help="write the rows here too")
    args = parser.parse_args()
    data = gtzan.load(args.shared / "gtzan" / "gtzan_logmel.npz")
    folds = artist_folds(data)
    networks = trained(folds, args.checkpoints)
    by_seed = (args.checkpoints / f"seed-{seed}.pt" for seed in range(SEEDS))
    seeds = [n for path in by_seed if (n := completed(path, len(gtzan.GENRES))) is not None]
    official = load_split(data, "filtered", "train"), load_split(data, "filtered", "valid")
    print("| variant | accuracy, % | log loss | valid: accuracy, % | log loss |")
    print("|" + 5 * "---|")
    rows = []
    for variant in variants():
        found = [
            figures(variant, network, *splits)
            for network, splits in zip(networks, folds, strict=True)
        ]
        valid = [figures(variant, one, *official) for one in seeds]
        row = [*np.mean(found, axis=0), *np.mean(valid, axis=0)]
        rows.append([variant.name, *(round(float(value), 4) for value in row)])
        print(
            f"| {variant.name} | {100 * row[0]:.1f} | {row[1]:.3f} "
            f"| {100 * row[2]:.1f} | {row[3]:.3f} |",
            flush=True,
        )
    if args.csv:
        with args.csv.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["variant", "accuracy", "log_loss", "valid_accuracy", "valid_log_loss"])
            writer.writerows(rows)


if __name__ == "__main__":
    main()

"""How the head is fitted, and how much of a window the networks analyse, one changed at a time.

As in `ablation.py`, what is learned from one half of GTZAN's training and validation tracks is
asked of the other, in four artist_folds by artist whose mean is taken; here the default's network is
trained in each, too (four times some minutes; a run that ended goes on from its checkpoints). The
columns *valid* are of the 197 validation tracks after the 443 training tracks, mean over the five
networks of `best`, which are the default's with five seeds. No test track is read.

    python tests/experiments/heads.py --shared SHARED --checkpoints FOLDER [--csv FILE]

Accuracy is by track; the weight of the descriptors and the temperature are chosen, by least log
loss, where they are measured.
"""

import argparse
import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
from ablation import REPETITIONS, artist_folds

from recommender.embedding.model_files import find_model
from recommender.embedding.projection import Projection
from recommender.networks import GenreNetwork
from recommender.projections.lda import fit_lda, standardising
from recommender.research.datasets import gtzan
from recommender.research.model_building import head_fitting
from recommender.research.model_building.activations import Activations
from recommender.research.model_building.head_fitting import fitted_head
from recommender.research.model_building.recipes import BEST_MODEL, NETWORK, NETWORK_FRAMES
from recommender.research.model_building.results import SplitTracks, model_activations, load_split
from recommender.research.training.inference import log_loss
from recommender.research.training.loop import train

FORMER_SHRINKAGE = 0.9


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
        changed: makes `last_layer` fit heads in another way.
        network_frames: columns in the middle of each clip that the network analyses.
        network, descriptors: whether the head has them.
    """

    name: str
    changed: Callable[[], AbstractContextManager[object]] = nullcontext
    network_frames: int = NETWORK_FRAMES
    network: bool = True
    descriptors: bool = True


def variants() -> Iterator[Variant]:
    yield Variant("as shipped")
    yield Variant("descriptors alone", network=False)
    yield Variant("network alone", descriptors=False)
    whole = NETWORK.clip_frames
    yield Variant("the network analyses 7.5 s", network_frames=3 * whole // 4)
    yield Variant("the network analyses all 10 s", network_frames=whole)
    constant = partial(patch.object, head_fitting)
    for components in (75, 300):
        yield Variant(f"{components} components", partial(constant, "COMPONENTS", components))
    for variance in (0.5, 2.0):
        name = f"weights' variance {variance:g}"
        yield Variant(name, partial(constant, "PRIOR_VARIANCE", variance))
    yield Variant(
        "standardised, not whitened", partial(constant, "descriptor_wccn", not_whitened)
    )
    yield Variant("linear discriminants", partial(constant, "_regressed", discriminating))
    yield Variant(
        "linear discriminants, the network analyses all 10 s",
        partial(constant, "_regressed", discriminating),
        network_frames=whole,
    )


def not_whitened(known: Activations, labels: np.ndarray, components: int) -> Projection:
    """Principal components of the standardised descriptors, in place of whitened ones."""
    scale = standardising(known.tracks, labels)
    matrix = scale.matrix.copy()
    matrix[known.layout.all_networks] = 0
    _, _, axes = np.linalg.svd((known.tracks - scale.mean) @ matrix, full_matrices=False)
    return Projection(scale.mean, (matrix @ axes[:components].T).astype(np.float32))


def discriminating(known: Activations, labels: np.ndarray) -> head_fitting._Layer:
    """LDA of the standardised descriptors: the nearest mean among the discriminants."""
    mean = known.tracks.mean(axis=0)
    where = known.layout.descriptors
    matrix = np.zeros((len(mean), len(np.unique(labels)) - 1))
    matrix[where] = fit_lda(known.tracks[:, where], labels, FORMER_SHRINKAGE).matrix
    vectors = (known.tracks - mean) @ matrix
    means = np.stack([vectors[labels == label].mean(axis=0) for label in np.unique(labels)])
    weight = matrix @ means.T
    return head_fitting._Layer(weight, -(means**2).sum(axis=1) / 2 - mean @ weight).even


def figures(variant: Variant, network: GenreNetwork, known: SplitTracks, asked: SplitTracks) -> list[float]:
    """Accuracy and log loss of the asked side."""
    ours, theirs = (
        model_activations(
            [network] if variant.network else [],
            [NETWORK.clip_frames] if variant.network else [],
            side,
            variant.descriptors,
            variant.network_frames,
        )
        for side in (known, asked)
    )
    labels = asked.tracks.labels
    with variant.changed():
        head, _ = fitted_head(ours, known.tracks.labels, theirs, labels)
    probabilities = head.probabilities(theirs.tracks)
    return [
        float((probabilities.argmax(axis=1) == labels).mean()),
        log_loss(probabilities, labels),
    ]


def trained(divided: Sequence[tuple[SplitTracks, SplitTracks]], checkpoints: Path) -> list[GenreNetwork]:
    """The default's network taught each division's first side."""
    found = []
    for place, (known, _) in enumerate(divided):
        settings = replace(NETWORK, select_epoch_by="last", seed=place * REPETITIONS // len(divided))
        checkpoint = checkpoints / f"division-{place}.pt"
        run = train(settings, known.tracks, None, len(gtzan.GENRES), checkpoint=checkpoint)
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
    divided = artist_folds(data)
    networks = trained(divided, args.checkpoints)
    official = load_split(data, "filtered", "train"), load_split(data, "filtered", "valid")
    print("| changed | accuracy, % | log loss | valid: accuracy, % | log loss |")
    print("|" + 5 * "---|")
    rows = []
    for variant in variants():
        found = [
            figures(variant, network, *sides)
            for network, sides in zip(networks, divided, strict=True)
        ]
        valid = [figures(variant, one, *official) for one in find_model(BEST_MODEL).networks()]
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
            writer.writerow(["changed", "accuracy", "log_loss", "valid_accuracy", "valid_log_loss"])
            writer.writerows(rows)


if __name__ == "__main__":
    main()

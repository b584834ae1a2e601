"""Fit projection, head and card of `default` again for networks that are trained already.

    OMP_NUM_THREADS=1 python tests/experiments/fit_again.py --shared SHARED --checkpoints FOLDER \
        --store FOLDER --held-out-seeds N --out runs/default --all data/weights/default

The same as ``recsys train default`` with five seeds and then ``--train-on all``, without training
and from the activations that `network_activations.py` stored: the networks of the seeds are
``seed-N.pt`` in `--checkpoints`, the network trained on all tracks is the one that the folder
`--all` holds, whose weights stay as they are.
"""

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from joint_worlds import Stored
from network_activations import trained

from recommender.embedding.model_files import ModelFiles
from recommender.networks import GenreNetwork
from recommender.research.datasets import gtzan
from recommender.research.model_building import ablation, build, refit
from recommender.research.model_building.activations import Activations
from recommender.research.model_building.leave_genres_out import FOLDS, GenreFold
from recommender.research.model_building.network_trainer import NetworkTrainer
from recommender.research.model_building.recipes import RECIPES
from recommender.research.model_building.split_tracks import SplitTracks
from recommender.research.model_building.trained_model import TrainedModel
from recommender.research.training.settings import EpochReport, TrainingResult

SEEDS = (0, 1, 2, 3, 4)
COMMAND = "recsys train default --gtzan GTZAN --protocol filtered --seeds"


@dataclass(frozen=True)
class Trained:
    """Networks with what their cards say of their trainings."""

    networks: list[GenreNetwork]
    facts: list[Mapping[str, Any]]

    @classmethod
    def of(cls, folder: Path) -> "Trained":
        files = ModelFiles(folder)
        return cls(files.networks(), files.card.training["networks"])

    @classmethod
    def of_checkpoints(cls, folder: Path) -> "Trained":
        networks, facts = [], []
        for seed in SEEDS:
            path = folder / f"seed-{seed}.pt"
            network, state = trained(path, len(gtzan.GENRES)), torch.load(path, weights_only=True)
            assert network is not None
            networks.append(network)
            seconds = sum(report["seconds"] for report in state["history"])
            epochs, best_epoch = len(state["history"]), int(state["best"][2])
            facts.append(
                {"seed": seed, "epochs_run": epochs, "best_epoch": best_epoch, "seconds": seconds}
            )
        return cls(networks, facts)

    def result(self, number: int, settings: Any) -> TrainingResult:
        """As if it had just been trained; the learning curve is not known any more."""
        facts = self.facts[number]
        unknown, seconds = float("nan"), facts.get("seconds", 0.0) / facts["epochs_run"]
        history = [
            EpochReport(epoch + 1, unknown, unknown, unknown, unknown, seconds)
            for epoch in range(facts["epochs_run"])
        ]
        settings = replace(settings, seed=facts["seed"])
        return TrainingResult(self.networks[number], settings, facts["best_epoch"], history)


@dataclass(frozen=True)
class StoredModel(TrainedModel):
    """A model whose activations are stored.

    Attributes:
        name: of its network in the store.
    """

    store: Stored | None = None
    name: str = ""

    def activations(self, split: SplitTracks) -> Activations:
        assert self.store is not None
        network = self.store.network(self.name)
        if network is None:
            raise SystemExit(f"the activations of {self.name} are not stored.")
        return self.store.tracks(list(split.ids), [network]).activations()


def trainer_of(seeds: Trained, everything: Trained, store: Stored) -> type[NetworkTrainer]:
    """In place of the trainer: gives stored models."""

    class StoredNetworks(NetworkTrainer):
        def train(
            self,
            seed: int,
            training: SplitTracks,
            valid: SplitTracks | None,
            fold: GenreFold | None = None,
        ) -> TrainedModel:
            name, source = f"train-{seed}", seeds
            if fold is not None:
                name = f"genres-{seed}-{FOLDS.index(fold.held_out)}"
            elif valid is None:
                name, source = "all", everything
            runs = (source.result(seed, self.recipe.networks[0]),)
            frames = self.recipe.network_frames
            return StoredModel(seed, runs, self.recipe.descriptors, frames, store, name)

    return StoredNetworks


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds gtzan/")
    parser.add_argument("--store", type=Path, required=True, help="of network_activations.py")
    parser.add_argument("--checkpoints", type=Path, required=True)
    parser.add_argument("--held-out-seeds", type=int, required=True)
    parser.add_argument("--ablation", type=Path, default=Path("data/results/network-ablation.csv"))
    parser.add_argument("--out", type=Path, required=True, help="of the train-only model")
    parser.add_argument("--all", type=Path, required=True, help="of the model that ships")
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = gtzan.load(args.shared / "gtzan" / "gtzan_logmel.npz")
    recipe = RECIPES["default"]
    stored = trainer_of(
        Trained.of_checkpoints(args.checkpoints), Trained.of(args.all), Stored(args.store)
    )
    for module in (build, refit):
        module.NetworkTrainer = stored  # type: ignore[attr-defined]
    lines = [asdict(line) for line in ablation.summary(ablation.read(args.ablation))]
    numbers = ",".join(map(str, SEEDS))
    card = build.build_model(
        "default",
        recipe,
        data,
        args.out,
        SEEDS,
        held_out_seeds=args.held_out_seeds,
        command=f"{COMMAND} {numbers} --held-out-seeds {args.held_out_seeds}",
        ablation=lines,
    )
    refit.refit_model(
        card,
        recipe,
        data,
        args.all,
        (0,),
        "all",
        command=f"{COMMAND} 0 --train-on all --settings-from FOLDER",
        ablation=lines,
    )


if __name__ == "__main__":
    main()

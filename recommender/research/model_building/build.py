"""From GTZAN to a folder of weights with their card: train, choose, measure, write.

Choices (epoch, temperature, projection) are made on the validation tracks. The test tracks are read
once, after every choice, for the rows that are reported.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.model_card import ModelCard
from recommender.embedding.projection import Projection
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.errors import UsageError
from recommender.evaluation.calibration import fit_similarity_calibration
from recommender.research.datasets import gtzan
from recommender.research.model_building.activations import Activations
from recommender.research.model_building.guard import (
    Gallery,
    GenreFold,
    FoldModel,
    genre_folds,
    evaluate_held_out_genres,
)
from recommender.research.model_building.head_fitting import HeadChoice, fitted_head
from recommender.research.model_building.leave_genres_out import GALLERIES, HeldOutGenreFigures
from recommender.research.model_building.projection_search import fit_candidates
from recommender.research.model_building.publish import FittedModel, publish
from recommender.research.model_building.recipes import Recipe
from recommender.research.model_building.results import (
    ResultRow,
    SplitTracks,
    TrainedModel,
    precision,
    result_row,
    load_split,
    mean_and_sd,
    write_curves,
    write_rows,
)
from recommender.research.training.loop import EpochReport, train
from recommender.search.reranking import ranking

ABLATION = "ablation_on_valid"
"""In a card's results: what else was tried, with figures on the validation tracks."""

OnEpoch = Callable[[str, int, EpochReport], None]
"""Called with what is trained (``seed 0``), the number of the network (from 0) and each report."""


@dataclass(frozen=True, eq=False)
class NetworkTrainer:
    """What every training of a model has in common.

    Attributes:
        recipe: how the networks are trained.
        device: ``cpu`` or ``cuda``.
        checkpoints: folder of one file a network.
        on_epoch: told what happens.
    """

    recipe: Recipe
    device: str
    checkpoints: Path
    on_epoch: OnEpoch | None

    def trained(
        self, seed: int, training: SplitTracks, valid: SplitTracks | None, fold: GenreFold | None = None
    ) -> TrainedModel:
        """The networks of one seed, each with a checkpoint of its own.

        Args:
            seed: as asked for.
            training, valid: as for `training.train`.
            fold: what they are of, where genres are left out.
        """
        what, stem, genres = f"seed {seed}", f"seed-{seed}", len(gtzan.GENRES)
        if fold is not None:
            what, genres = f"{what} without {', '.join(fold.left_out)}", fold.genres
            stem = "-".join([stem, "without", *fold.left_out])
        runs = []
        for place, settings in enumerate(self.recipe.seeded(seed)):
            suffix = f"-network-{place}" if place else ""
            runs.append(
                train(
                    settings,
                    training.tracks,
                    None if valid is None else valid.tracks,
                    genres,
                    device=self.device,
                    checkpoint=self.checkpoints / f"{stem}{suffix}.pt",
                    on_epoch=None if self.on_epoch is None else partial(self.on_epoch, what, place),
                )
            )
        return TrainedModel(seed, tuple(runs), self.recipe.descriptors, self.recipe.network_frames)

    def fold_models(self, seed: int, taught: Sequence[GenreFold]) -> list[FoldModel]:
        """The same without each fold of genres."""
        return [
            FoldModel(fold, self.trained(seed, fold.training, fold.valid, fold))
            for fold in taught
        ]


@dataclass(frozen=True, eq=False)
class _Choice:
    """The projection that was chosen, and by which figures.

    Attributes:
        name: of the projection.
        known: precision@10 on the validation tracks as they are recommended (`neighbourhood`),
            mean over the seeds, of every projection.
        unseen: the same of genres left out; empty where the model is not leave_genres_out.
        classes: each seed's fold_models; empty likewise.
    """

    name: str
    known: Mapping[str, float]
    unseen: Mapping[str, float]
    classes: Sequence[Sequence[FoldModel]]

    def told(self) -> dict[str, Any]:
        """For the card."""
        rounded = {"valid_precision_of_projections": _rounded(self.known)}
        if self.unseen:
            rounded["held_out_genres_valid_precision_of_projections"] = _rounded(self.unseen)
        return {"projection": self.name, **rounded}


def build_model(
    name: str,
    recipe: Recipe,
    data: gtzan.Gtzan,
    folder: Path,
    seeds: Sequence[int],
    *,
    protocol: str = "filtered",
    device: str = "cpu",
    command: str = "",
    tried: Sequence[Mapping[str, Any]] = (),
    on_epoch: OnEpoch | None = None,
) -> ModelCard:
    """Train with every seed, report them all, and publish the first.

    Args:
        name: of the model, for its card.
        recipe: its recipe; the seeds in it are replaced.
        data: GTZAN.
        folder: where weights, card, `results.csv`, the learning curves (`curves.csv`) and the
            checkpoints of unfinished runs go.
        seeds: the first is the one whose weights are published, whatever it reaches.
        protocol: the split. The guard of unseen genres is for ``filtered`` alone.
        command: written into the card.
        tried: what else was tried on the validation tracks, written into the card
            (`study.levers`).
        on_epoch: told what happens.

    Raises:
        DatasetError, UsageError: data or checkpoints do not fit.
    """
    if not seeds:
        raise UsageError("give at least one seed.")
    training, valid = (load_split(data, protocol, name) for name in ("train", "valid"))
    maker = NetworkTrainer(recipe, device, folder / "checkpoints", on_epoch)
    models = [maker.trained(seed, training, valid) for seed in seeds]
    known, asked = ([m.activations(side) for m in models] for side in (training, valid))
    labels = training.tracks.labels
    fitted = [fit_candidates(activations, labels) for activations in known]
    taught = genre_folds(training, valid) if recipe.leave_genres_out and protocol == "filtered" else []
    classes = [maker.fold_models(seed, taught) for seed in seeds] if taught else []
    choice = _chosen(fitted, asked, valid, classes, data)
    heads = [
        fitted_head(ours, labels, theirs, valid.tracks.labels)
        for ours, theirs in zip(known, asked, strict=True)
    ]
    finished = [
        FittedModel(
            model,
            head,
            projections[choice.name],
            similarity_calibration(projections[choice.name], theirs, valid),
            copies_from(projections[choice.name], ours, protocol),
        )
        for model, (head, _), ours, theirs, projections in zip(
            models, heads, known, asked, fitted, strict=True
        )
    ]
    if recipe.networks:
        write_curves(folder / "curves.csv", models)
    rows = _measured(finished, choice, data, valid, protocol)  # every choice is made
    write_rows(folder / "results.csv", rows)
    results = {
        "command": command,
        "published_seed": rows[0].seed,
        "seeds": [row.seed for row in rows],
        **mean_and_sd(rows),
        **choice.told(),
        "head": _mean_choice([chosen for _, chosen in heads]),
        **({ABLATION: list(tried)} if tried else {}),
    }
    told = {
        "split": protocol,
        "trained_on": "train",
        "chosen_on": "valid",
        "tested_on": "test (290 tracks), and the 264 of them with an not_analysed artist",
    }
    return publish(name, folder, finished[0], told, results)


def chosen_projection(known: Mapping[str, float], unseen: Mapping[str, float]) -> str:
    """The name of the projection to keep, by what each reaches on the validation tracks.

    Args:
        known: precision among the genres that were taught.
        unseen: among those left out, where that was measured. Both count alike: listeners' music
            is mostly of kinds that were not taught.
    """
    return max(known, key=lambda name: known[name] + unseen.get(name, 0.0))


def similarity_calibration(
    projection: Projection, found: Activations, side: SplitTracks
) -> SimilarityCalibration | None:
    """What similarities of the projection mean, on tracks that nothing was fitted on."""
    genres = [track_id.partition(".")[0] for track_id in side.ids]
    return fit_similarity_calibration(projection.apply(found.tracks), genres, side.artists)


def copies_from(projection: Projection, known: Activations, protocol: str) -> float | None:
    """From which cosine on two tracks are copies, by those that the model was taught.

    See `DuplicateDetector.fitted`. None without descriptors, and where recordings are repeated among
    the tracks: the filtered split alone is without.
    """
    if known.layout.descriptors is None or protocol != "filtered":
        return None
    return DuplicateDetector.of_model(projection, descriptors=True).fitted(known.tracks)


def _chosen(
    fitted: Sequence[Mapping[str, Projection]],
    asked: Sequence[Activations],
    valid: SplitTracks,
    classes: Sequence[Sequence[FoldModel]],
    data: gtzan.Gtzan,
) -> _Choice:
    names = list(fitted[0])
    known = {
        name: _mean(
            precision(ranking(projections[name].apply(found.tracks)), valid)
            for projections, found in zip(fitted, asked, strict=True)
        )
        for name in names
    }
    unseen: dict[str, float] = {}
    if classes:
        gallery = Gallery.of(data, "valid")
        found = [evaluate_held_out_genres(fold_models, data, names, gallery) for fold_models in classes]
        unseen = {name: _mean(by_name[name].ranked.mean for by_name in found) for name in names}
    return _Choice(chosen_projection(known, unseen), known, unseen, classes)


def _measured(
    finished: Sequence[FittedModel], choice: _Choice, data: gtzan.Gtzan, valid: SplitTracks, protocol: str
) -> list[ResultRow]:
    """One row a seed; from here on the test tracks are read."""
    test = load_split(data, protocol, "test")
    unseen: list[dict[str, HeldOutGenreFigures]] = [{} for _ in finished]
    for gallery in [Gallery.of(data, name) for name in GALLERIES] if choice.classes else []:
        for figures, fold_models in zip(unseen, choice.classes, strict=True):
            found = evaluate_held_out_genres(fold_models, data, [choice.name], gallery)
            figures[gallery.name] = found[choice.name]
    return [
        result_row(
            one.model, one.head, one.projection, {"valid": valid, "test": test}, protocol, figures
        )
        for one, figures in zip(finished, unseen, strict=True)
    ]


def _mean_choice(choices: Sequence[HeadChoice]) -> dict[str, float]:
    """Over the seeds: for who makes the model again from more tracks."""
    return {
        "descriptor_weight": round(_mean(c.descriptor_weight for c in choices), 4),
        "inverse_temperature": round(float(np.exp(_mean(np.log(c.inverse_temperature) for c in choices))), 4),
    }


def _mean(figures: Iterable[float]) -> float:
    return float(np.mean(list(figures)))


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}

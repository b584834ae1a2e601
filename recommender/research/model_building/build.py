"""From GTZAN to a folder of weights with their card: train, choose, evaluate, save.

Choices (epoch, temperature, projection) are made on the validation tracks. The test tracks are read
once, after every choice, for the rows that are reported.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.model_files import ModelCard
from recommender.embedding.projection import Projection
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.errors import UsageError
from recommender.evaluation.calibration import fit_similarity_calibration
from recommender.research.datasets import gtzan
from recommender.research.model_building.activations import Activations
from recommender.research.model_building.head_fitting import HeadChoice, fit_head
from recommender.research.model_building.leave_genres_out import (
    FoldModel,
    Gallery,
    HeldOutGenreFigures,
    evaluate_held_out_genres,
    genre_folds,
)
from recommender.research.model_building.network_trainer import NetworkTrainer, OnEpoch
from recommender.research.model_building.projection_search import fit_candidates
from recommender.research.model_building.publish import FittedModel, save_model
from recommender.research.model_building.recipes import Recipe
from recommender.research.model_building.results import (
    AnalysedSplit,
    ResultRow,
    mean_and_sd,
    precision,
    result_row,
    write_curves,
    write_rows,
)
from recommender.research.model_building.split_tracks import SplitTracks, load_split
from recommender.research.model_building.trained_model import TrainedModel
from recommender.search.reranking import ranking

ABLATION = "ablation_on_valid"
"""In a card's results: the ablation of the network, with figures on the validation tracks."""

CURVES, ROWS, CHECKPOINTS = "curves.csv", "results.csv", "checkpoints"


@dataclass(frozen=True, eq=False)
class _AnalysedModel:
    """A trained model, its activations of both splits, and its candidate projections."""

    model: TrainedModel
    train: Activations
    valid: Activations
    projections: Mapping[str, Projection]

    @classmethod
    def of(cls, model: TrainedModel, training: SplitTracks, valid: SplitTracks) -> "_AnalysedModel":
        train = model.activations(training)
        projections = fit_candidates(train, training.tracks.labels)
        return cls(model, train, model.activations(valid), projections)


@dataclass(frozen=True, eq=False)
class _ProjectionChoice:
    """The projection that was chosen, and by which figures.

    Attributes:
        name: of the projection.
        valid_precision: reranked precision@10 on the validation tracks of every projection, mean
            over the seeds.
        held_out_genres: each seed's figures of held-out genres on the validation tracks, by
            projection; empty without leave-genres-out validation.
    """

    name: str
    valid_precision: Mapping[str, float]
    held_out_genres: Sequence[Mapping[str, HeldOutGenreFigures]]

    def as_results(self) -> dict[str, Any]:
        """For the card."""
        results = {"valid_precision_of_projections": _rounded(self.valid_precision)}
        if self.held_out_genres:
            held_out = _mean_held_out(self.held_out_genres)
            results["held_out_genres_valid_precision_of_projections"] = _rounded(held_out)
        return {"projection": self.name, **results}


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
    ablation: Sequence[Mapping[str, Any]] = (),
    on_epoch: OnEpoch | None = None,
) -> ModelCard:
    """Train with every seed, report them all, and save the first.

    Args:
        name: of the model, for its card.
        recipe: what it consists of; the seeds in it are replaced.
        data: GTZAN.
        folder: where weights, card, `results.csv`, the learning curves (`curves.csv`) and the
            checkpoints of unfinished runs go.
        seeds: the first is the one whose weights are saved, whatever it reaches.
        protocol: the split. Leave-genres-out validation is for ``filtered`` alone.
        device: ``cpu`` or ``cuda``.
        command: for the card.
        ablation: of the network, for the card (`model_building.ablation`).
        on_epoch: called after each epoch.

    Raises:
        DatasetError, UsageError: data or checkpoints do not fit.
    """
    if not seeds:
        raise UsageError("give at least one seed.")
    training, valid = (load_split(data, protocol, name) for name in ("train", "valid"))
    trainer = NetworkTrainer(recipe, device, folder / CHECKPOINTS, on_epoch)
    models = [
        _AnalysedModel.of(trainer.train(seed, training, valid), training, valid) for seed in seeds
    ]
    fold_models: list[list[FoldModel]] = []
    if recipe.leave_genres_out and protocol == "filtered":
        folds = genre_folds(training, valid)
        fold_models = [trainer.train_folds(seed, folds) for seed in seeds]
    choice = _choose_projection(models, valid, fold_models, data)
    fitted, heads = _fit(models, choice.name, training, valid, protocol)
    if recipe.networks:
        write_curves(folder / CURVES, [one.model for one in fitted])
    # Every choice is made: from here on the test tracks are read.
    held_out = _held_out_figures(choice, fold_models, data)
    rows = _evaluate(fitted, models, held_out, data, valid, protocol)
    write_rows(folder / ROWS, rows)
    results = {
        **_row_results(command, rows),
        **choice.as_results(),
        "head": _mean_choice(heads),
        **({ABLATION: list(ablation)} if ablation else {}),
    }
    return save_model(name, folder, fitted[0], _data_facts(protocol), results)


def best_projection(
    valid_precision: Mapping[str, float], held_out_genres: Mapping[str, float]
) -> str:
    """The name of the projection with the highest sum of precisions on the validation tracks.

    Args:
        valid_precision: of every projection, among the training genres.
        held_out_genres: among held-out genres, where that was evaluated. Both have the same weight:
            listeners' music is mostly of genres that are not in the training set.
    """
    return max(
        valid_precision, key=lambda name: valid_precision[name] + held_out_genres.get(name, 0.0)
    )


def calibrated_similarity(
    projection: Projection, found: Activations, split: SplitTracks
) -> SimilarityCalibration | None:
    """The similarity calibration of a projection, on tracks that nothing was fitted on."""
    return fit_similarity_calibration(projection.apply(found.tracks), split.genres, split.artists)


def duplicate_threshold(projection: Projection, train: Activations, protocol: str) -> float | None:
    """The cosine from which two tracks are duplicates, by the training tracks.

    See `DuplicateDetector.fitted`. None without descriptors, and where recordings are repeated
    among the tracks: only the filtered split is free of repetitions.
    """
    if train.layout.descriptors is None or protocol != "filtered":
        return None
    return DuplicateDetector.of_model(projection, descriptors=True).fitted(train.tracks)


def _choose_projection(
    models: Sequence[_AnalysedModel],
    valid: SplitTracks,
    fold_models: Sequence[Sequence[FoldModel]],
    data: gtzan.Gtzan,
) -> _ProjectionChoice:
    names = list(models[0].projections)
    valid_precision = {
        name: _mean(
            precision(ranking(model.projections[name].apply(model.valid.tracks)), valid)
            for model in models
        )
        for name in names
    }
    held_out: list[dict[str, HeldOutGenreFigures]] = []
    if fold_models:
        gallery = Gallery.of(data, "valid")
        held_out = [evaluate_held_out_genres(own, names, gallery) for own in fold_models]
    name = best_projection(valid_precision, _mean_held_out(held_out))
    return _ProjectionChoice(name, valid_precision, held_out)


def _fit(
    models: Sequence[_AnalysedModel],
    projection_name: str,
    training: SplitTracks,
    valid: SplitTracks,
    protocol: str,
) -> tuple[list[FittedModel], list[HeadChoice]]:
    """Head, calibration and duplicate threshold of every seed's model."""
    fitted, choices = [], []
    for own in models:
        head, choice = fit_head(own.train, training.tracks.labels, own.valid, valid.tracks.labels)
        projection = own.projections[projection_name]
        calibration = calibrated_similarity(projection, own.valid, valid)
        threshold = duplicate_threshold(projection, own.train, protocol)
        fitted.append(FittedModel(own.model, head, projection, calibration, threshold))
        choices.append(choice)
    return fitted, choices


def _held_out_figures(
    choice: _ProjectionChoice, fold_models: Sequence[Sequence[FoldModel]], data: gtzan.Gtzan
) -> list[dict[str, float]]:
    """Each seed's figures of held-out genres, by field of `ResultRow`."""
    if not fold_models:
        return []
    gallery = Gallery.of(data, "valid+test")
    rows = []
    for own, valid in zip(fold_models, choice.held_out_genres, strict=True):
        test = evaluate_held_out_genres(own, [choice.name], gallery)[choice.name]
        row = {}
        for name, figures in (("valid", valid[choice.name]), ("test", test)):
            row[f"held_out_genres_{name}"] = figures.cosine.mean
            row[f"reranked_held_out_genres_{name}"] = figures.reranked.mean
        rows.append(row)
    return rows


def _evaluate(
    fitted: Sequence[FittedModel],
    models: Sequence[_AnalysedModel],
    held_out: Sequence[Mapping[str, float]],
    data: gtzan.Gtzan,
    valid: SplitTracks,
    protocol: str,
) -> list[ResultRow]:
    """One row a seed."""
    test = load_split(data, protocol, "test")
    rows = []
    for number, (one, analysed) in enumerate(zip(fitted, models, strict=True)):
        splits = {
            "valid": AnalysedSplit(valid, analysed.valid),
            "test": AnalysedSplit(test, one.model.activations(test)),
        }
        figures = held_out[number] if held_out else None
        rows.append(result_row(one.model, one.head, one.projection, splits, protocol, figures))
    return rows


def _row_results(command: str, rows: Sequence[ResultRow]) -> dict[str, Any]:
    seeds = [row.seed for row in rows]
    return {
        "command": command,
        "published_seed": seeds[0],
        "seeds": seeds,
        **mean_and_sd(rows),
    }


def _data_facts(protocol: str) -> dict[str, str]:
    return {
        "split": protocol,
        "trained_on": "train",
        "chosen_on": "valid",
        "tested_on": "test (290 tracks), and the artist-disjoint 264 of them",
    }


def _mean_held_out(by_seed: Sequence[Mapping[str, HeldOutGenreFigures]]) -> dict[str, float]:
    """Reranked precision of held-out genres by projection, mean over the seeds."""
    names = list(by_seed[0]) if by_seed else []
    return {name: _mean(figures[name].reranked.mean for figures in by_seed) for name in names}


def _mean_choice(choices: Sequence[HeadChoice]) -> dict[str, float]:
    """Mean over the seeds (geometric of the temperature), for `refit`."""
    logarithms = np.log([choice.inverse_temperature for choice in choices])
    return {
        "descriptor_weight": round(_mean(choice.descriptor_weight for choice in choices), 4),
        "inverse_temperature": round(float(np.exp(_mean(logarithms))), 4),
    }


def _mean(figures: Iterable[float]) -> float:
    return float(np.mean(list(figures)))


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}

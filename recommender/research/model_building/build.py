"""From GTZAN to a folder of weights with their card: train, choose, evaluate, save.

Choices (epoch, temperature, projection) are made on the validation tracks. The test tracks are read
once, after every choice, for the rows that are reported.
"""

from collections.abc import Mapping, Sequence
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
from recommender.research.model_building.head_fitting import HeadChoice, fit_head
from recommender.research.model_building.leave_genres_out import (
    FoldModel,
    genre_folds,
)
from recommender.research.model_building.network_trainer import NetworkTrainer, OnEpoch
from recommender.research.model_building.projection_choice import (
    AnalysedModel,
    choose_projection,
    held_out_figures,
)
from recommender.research.model_building.publish import FittedModel, save_model
from recommender.research.model_building.recipes import Recipe
from recommender.research.model_building.results import (
    AnalysedSplit,
    ResultRow,
    mean_and_sd,
    result_row,
    write_curves,
    write_rows,
)
from recommender.research.model_building.split_tracks import SplitTracks, load_split

ABLATION = "ablation_on_valid"
"""In a card's results: the ablation of the network, with figures on the validation tracks."""

CURVES, ROWS, CHECKPOINTS = "curves.csv", "results.csv", "checkpoints"


def build_model(
    name: str,
    recipe: Recipe,
    data: gtzan.Gtzan,
    folder: Path,
    seeds: Sequence[int],
    *,
    protocol: str = "filtered",
    held_out_seeds: int | None = None,
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
        held_out_seeds: of how many seeds, the first, the networks are trained again without the
            held-out genres; None: of all.
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
        AnalysedModel.of(trainer.train(seed, training, valid), training, valid) for seed in seeds
    ]
    fold_models: list[list[FoldModel]] = []
    if recipe.leave_genres_out and protocol == "filtered":
        folds = genre_folds(training, valid)
        fold_models = [trainer.train_folds(seed, folds) for seed in seeds[:held_out_seeds]]
    choice = choose_projection(models, valid, fold_models, data, recipe.projection)
    fitted, heads = _fit(models, choice.name, training, valid, protocol)
    if recipe.networks:
        write_curves(folder / CURVES, [one.model for one in fitted])
    # Every choice is made: from here on the test tracks are read.
    held_out = held_out_figures(choice, fold_models, data)
    rows = _evaluate(fitted, models, held_out, data, valid, protocol)
    write_rows(folder / ROWS, rows)
    results = {
        **_row_results(command, rows),
        **choice.as_results(),
        "head": _mean_choice(heads),
        **({ABLATION: list(ablation)} if ablation else {}),
    }
    return save_model(name, folder, fitted[0], data, _data_facts(data, protocol), results)


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


def _fit(
    models: Sequence[AnalysedModel],
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


def _evaluate(
    fitted: Sequence[FittedModel],
    models: Sequence[AnalysedModel],
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
        figures = held_out[number] if number < len(held_out) else None
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


def _data_facts(data: gtzan.Gtzan, protocol: str) -> dict[str, str]:
    tested = f"test ({len(data.split(protocol, 'test'))} tracks)"
    if protocol in gtzan.SPLITS:
        tested = "test (290 tracks), and the artist-disjoint 264 of them"
    return {
        "split": protocol,
        "trained_on": "train",
        "chosen_on": "valid",
        "tested_on": tested,
    }


def _mean_choice(choices: Sequence[HeadChoice]) -> dict[str, float]:
    """Mean over the seeds (geometric of the temperature), for `refit`."""
    weight = np.mean([choice.descriptor_weight for choice in choices])
    logarithm = np.mean(np.log([choice.inverse_temperature for choice in choices]))
    return {
        "descriptor_weight": round(float(weight), 4),
        "inverse_temperature": round(float(np.exp(logarithm)), 4),
    }

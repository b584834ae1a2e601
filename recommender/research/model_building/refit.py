"""Refit on train + valid (+ test) with the hyper-parameters of the train-only model.

`build.build_model` trains on the training tracks and chooses on the validation tracks. After that,
the latter can be trained on, too: nothing is chosen any more, and every network is used as it is
after its last epoch. Trained on train + valid, a model is still evaluated on the test tracks, as
the field often reports; trained on all three splits, it is worth the most to listeners and has no
test results of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from recommender.embedding.model_card import HELD_OUT, ModelCard
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.errors import UsageError
from recommender.research.datasets import gtzan
from recommender.research.model_building.build import (
    ABLATION,
    CHECKPOINTS,
    CURVES,
    ROWS,
    duplicate_threshold,
)
from recommender.research.model_building.head_fitting import HeadChoice, refit_head
from recommender.research.model_building.network_trainer import NetworkTrainer, OnEpoch
from recommender.research.model_building.projection_search import fit_candidates
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
from recommender.research.model_building.split_tracks import SplitTracks, joined, load_split
from recommender.research.model_building.trained_model import TrainedModel

TRAINING_SETS = {"train+valid": ("train", "valid"), "all": ("train", "valid", "test")}
"""Training sets beyond the training split, by name."""


def refit_model(
    source: ModelCard,
    recipe: Recipe,
    data: gtzan.Gtzan,
    folder: Path,
    seeds: Sequence[int],
    training_set: str,
    *,
    device: str = "cpu",
    command: str = "",
    ablation: Sequence[Mapping[str, Any]] = (),
    on_epoch: OnEpoch | None = None,
) -> ModelCard:
    """Train a model on more tracks, and save the first seed.

    Args:
        source: card of the model, built by the same recipe, whose hyper-parameters are used.
        recipe: what it consists of; the seeds in it are replaced.
        data: GTZAN.
        folder: as for `build.build_model`.
        seeds: the first is saved.
        training_set: name in `TRAINING_SETS`.
        device: ``cpu`` or ``cuda``.
        command, ablation: for the card.
        on_epoch: called after each epoch.

    Raises:
        UsageError: the card has no hyper-parameters, or is of another recipe.
        DatasetError: data do not fit.
    """
    protocol = str(source.data["split"])
    choice, projection = _hyper_parameters(source, recipe)
    training = joined([load_split(data, protocol, name) for name in TRAINING_SETS[training_set]])
    to_the_end = tuple(
        replace(network, select_epoch_by="last", patience=0) for network in recipe.networks
    )
    trainer = NetworkTrainer(
        replace(recipe, networks=to_the_end), device, folder / CHECKPOINTS, on_epoch
    )
    fitted = [
        _fit(trainer.train(seed, training, None), training, source, choice, projection)
        for seed in seeds
    ]
    if recipe.networks:
        write_curves(folder / CURVES, [one.model for one in fitted])
    results = _source_results(source, command, seeds, ablation)
    if "test" not in TRAINING_SETS[training_set]:
        rows = _evaluate(fitted, load_split(data, protocol, "test"), protocol)
        write_rows(folder / ROWS, rows)
        results |= mean_and_sd(rows)
    facts = _data_facts(protocol, TRAINING_SETS[training_set])
    return save_model(source.name, folder, fitted[0], data, facts, results)


def _source_results(
    source: ModelCard, command: str, seeds: Sequence[int], ablation: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        "command": command,
        "published_seed": seeds[0],
        "seeds": list(seeds),
        "projection": str(source.results["projection"]),
        "head": source.results["head"],
        HELD_OUT: dict(source.results),
        **({ABLATION: list(ablation)} if ablation else {}),
    }


def _fit(
    model: TrainedModel,
    training: SplitTracks,
    source: ModelCard,
    choice: HeadChoice,
    projection_name: str,
) -> FittedModel:
    """Head, projection and duplicate threshold; the calibration is the source's."""
    train, labels = model.activations(training), training.tracks.labels
    projection = fit_candidates(train, labels, [projection_name])[projection_name]
    scale = source.similarity_calibration
    return FittedModel(
        model,
        refit_head(train, labels, choice),
        projection,
        SimilarityCalibration(**scale) if scale else None,
        duplicate_threshold(projection, train, str(source.data["split"])),
    )


def _evaluate(fitted: Sequence[FittedModel], test: SplitTracks, protocol: str) -> list[ResultRow]:
    rows = []
    for one in fitted:
        splits = {"test": AnalysedSplit(test, one.model.activations(test))}
        rows.append(result_row(one.model, one.head, one.projection, splits, protocol))
    return rows


def _hyper_parameters(source: ModelCard, recipe: Recipe) -> tuple[HeadChoice, str]:
    architectures = tuple(network["architecture"] for network in source.networks)
    same_recipe = (
        architectures == tuple(network.model for network in recipe.networks)
        and source.descriptors == recipe.descriptors
        and source.network_frames == recipe.network_frames
    )
    if not same_recipe:
        raise UsageError(
            f"{source.name} consists of {source.architecture_summary}, which is another recipe: "
            "name the folder of a model built by this one."
        )
    try:
        return HeadChoice(**source.results["head"]), str(source.results["projection"])
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"the card of {source.name} lacks the hyper-parameters chosen on the validation tracks "
            f"({error}): train it again on the training tracks."
        ) from error


def _data_facts(protocol: str, splits: Sequence[str]) -> dict[str, str]:
    return {
        "split": protocol,
        "trained_on": " and ".join(splits),
        "chosen_on": (
            "nothing: the hyper-parameters are those of the model trained on train alone"
        ),
        "tested_on": (
            f"nothing: the figures under '{HELD_OUT}' are those of the same recipe trained on "
            "train alone"
            if "test" in splits
            else "test"
        ),
    }

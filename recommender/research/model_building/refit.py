"""The same model taught more tracks, with every choice taken from one that was made honestly.

`making.build_model` teaches a model the training tracks and chooses on the validation tracks. Once
that is done, those tracks can teach, too: nothing is chosen any more, and every network keeps its
last epoch. Taught the validation tracks as well, the model is still measured on the test tracks, as
the field often reports; taught all three sides, it is worth the most to listeners and has no figure
of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recommender.embedding.model_card import HELD_OUT, ModelCard
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.errors import UsageError
from recommender.research.datasets import gtzan
from recommender.research.model_building.build import ABLATION, NetworkTrainer, OnEpoch, copies_from
from recommender.research.model_building.head_fitting import HeadChoice, head_as_chosen
from recommender.research.model_building.projection_search import fit_candidates
from recommender.research.model_building.publish import FittedModel, publish
from recommender.research.model_building.recipes import Recipe
from recommender.research.model_building.results import (
    SplitTracks,
    result_row,
    load_split,
    mean_and_sd,
    write_curves,
    write_rows,
)
from recommender.research.training.inference import TrackSet

TAUGHT = {"train+valid": ("train", "valid"), "all": ("train", "valid", "test")}
"""What a model can be taught beyond the training tracks, by name."""


def refit_model(
    chosen: ModelCard,
    recipe: Recipe,
    data: gtzan.Gtzan,
    folder: Path,
    seeds: Sequence[int],
    taught: str,
    *,
    device: str = "cpu",
    command: str = "",
    tried: Sequence[Mapping[str, Any]] = (),
    on_epoch: OnEpoch | None = None,
) -> ModelCard:
    """Teach a model more tracks, and publish the first seed.

    Args:
        chosen: card of the model, made by the same recipe, that the choices are taken from.
        recipe: the recipe; the seeds in it are replaced.
        data: GTZAN.
        folder: as for `making.build_model`.
        seeds: the first is published.
        taught: name in `TAUGHT`.
        command: written into the card.
        tried: as for `making.build_model`.
        on_epoch: told what happens.

    Raises:
        UsageError: the card tells no choice, or is of another recipe.
        DatasetError: data do not fit.
    """
    protocol = str(chosen.data["split"])
    choice, projection = _choices(chosen, recipe)
    training = _joined([load_split(data, protocol, name) for name in TAUGHT[taught]])
    last = tuple(replace(network, select_epoch_by="last", patience=0) for network in recipe.networks)
    maker = NetworkTrainer(replace(recipe, networks=last), device, folder / "checkpoints", on_epoch)
    close = (
        SimilarityCalibration(**chosen.similarity_calibration)
        if chosen.similarity_calibration
        else None
    )
    finished = []
    for seed in seeds:
        model = maker.trained(seed, training, None)
        known, labels = model.activations(training), training.tracks.labels
        fitted = fit_candidates(known, labels, [projection])[projection]
        head = head_as_chosen(known, labels, choice)
        copies = copies_from(fitted, known, protocol)
        finished.append(FittedModel(model, head, fitted, close, copies))
    if recipe.networks:
        write_curves(folder / "curves.csv", [one.model for one in finished])
    results = {
        "command": command,
        "published_seed": seeds[0],
        "seeds": list(seeds),
        "projection": projection,
        "head": chosen.results["head"],
        HELD_OUT: dict(chosen.results),
        **({ABLATION: list(tried)} if tried else {}),
    }
    if "test" not in TAUGHT[taught]:
        test = load_split(data, protocol, "test")
        rows = [
            result_row(one.model, one.head, one.projection, {"test": test}, protocol)
            for one in finished
        ]
        write_rows(folder / "results.csv", rows)
        results |= mean_and_sd(rows)
    return publish(chosen.name, folder, finished[0], _told(protocol, taught), results)


def _choices(chosen: ModelCard, recipe: Recipe) -> tuple[HeadChoice, str]:
    architectures = tuple(network["architecture"] for network in chosen.networks)
    as_made_so = (
        architectures == tuple(network.model for network in recipe.networks)
        and chosen.descriptors == recipe.descriptors
        and chosen.network_frames == recipe.network_frames
    )
    if not as_made_so:
        raise UsageError(
            f"{chosen.name} analyses with {chosen.architecture_summary}, which is another recipe: name the "
            "folder of a model that was made by this one."
        )
    try:
        return HeadChoice(**chosen.results["head"]), str(chosen.results["projection"])
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"the card of {chosen.name} does not tell what was chosen ({error}): make it again "
            "with 'recsys train'."
        ) from error


def _joined(sides: Sequence[SplitTracks]) -> SplitTracks:
    return SplitTracks(
        tuple(track_id for side in sides for track_id in side.ids),
        TrackSet(
            np.concatenate([side.tracks.decibels for side in sides]),
            np.concatenate([side.tracks.labels for side in sides]),
        ),
    )


def _told(protocol: str, taught: str) -> Mapping[str, Any]:
    sides = TAUGHT[taught]
    return {
        "split": protocol,
        "trained_on": " and ".join(sides),
        "chosen_on": "nothing: the choices are those of the model trained on train alone",
        "tested_on": (
            f"nothing: the figures under '{HELD_OUT}' are those of the same model taught train alone"
            if "test" in sides
            else "test"
        ),
    }

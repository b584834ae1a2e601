"""The choice of a model's projection, and the figures by which it is made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.embedding.projection import Projection
from recommender.research.datasets import gtzan
from recommender.research.model_building.activations import Activations
from recommender.research.model_building.leave_genres_out import (
    FoldModel,
    Gallery,
    HeldOutGenreFigures,
    evaluate_held_out_genres,
)
from recommender.research.model_building.projection_search import fit_candidates
from recommender.research.model_building.results import precision
from recommender.research.model_building.split_tracks import SplitTracks
from recommender.research.model_building.trained_model import TrainedModel
from recommender.search.reranking import ranking

BY_VALIDATION = (
    "the highest sum on valid of reranked precision@10 and, where measured, reranked precision@10 "
    "of held-out genres"
)
BY_RECIPE = (
    "reranked precision@10 in four artist folds of train and valid and on valid, held-out genres "
    "being the guard (tests/experiments/joint_whitening.py). That joint whitening of network and "
    "descriptors raises the precision of the test tracks had been seen before."
)


@dataclass(frozen=True, eq=False)
class AnalysedModel:
    """A trained model, its activations of both splits, and its candidate projections."""

    model: TrainedModel
    train: Activations
    valid: Activations
    projections: Mapping[str, Projection]

    @classmethod
    def of(cls, model: TrainedModel, training: SplitTracks, valid: SplitTracks) -> "AnalysedModel":
        """Analyse both splits and fit every candidate on the first."""
        train = model.activations(training)
        projections = fit_candidates(train, training.tracks.labels)
        return cls(model, train, model.activations(valid), projections)


@dataclass(frozen=True, eq=False)
class ProjectionChoice:
    """The projection that was chosen, and by which figures.

    Attributes:
        name: of the projection.
        reason: how it was chosen.
        valid_precision: reranked precision@10 on the validation tracks of every projection, mean
            over the seeds.
        held_out_genres: each seed's figures of held-out genres on the validation tracks, by
            projection; empty without leave-genres-out validation.
    """

    name: str
    reason: str
    valid_precision: Mapping[str, float]
    held_out_genres: Sequence[Mapping[str, HeldOutGenreFigures]]

    def as_results(self) -> dict[str, Any]:
        """For the card."""
        results = {"valid_precision_of_projections": _rounded(self.valid_precision)}
        if self.held_out_genres:
            held_out = _mean_held_out(self.held_out_genres)
            results["held_out_genres_valid_precision_of_projections"] = _rounded(held_out)
        return {"projection": self.name, "projection_chosen_by": self.reason, **results}


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


def choose_projection(
    models: Sequence[AnalysedModel],
    valid: SplitTracks,
    fold_models: Sequence[Sequence[FoldModel]],
    data: gtzan.Gtzan,
    chosen: str | None,
) -> ProjectionChoice:
    """The projection of the recipe, or else the best on the validation tracks.

    Args:
        models: one a seed.
        valid: the validation tracks.
        fold_models: of each seed, for held-out genres; empty where those are not evaluated.
        data: GTZAN.
        chosen: the recipe's projection; the figures of all candidates are computed anyway.
    """
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
    name = chosen or best_projection(valid_precision, _mean_held_out(held_out))
    reason = BY_RECIPE if chosen else BY_VALIDATION
    return ProjectionChoice(name, reason, valid_precision, held_out)


def held_out_figures(
    choice: ProjectionChoice, fold_models: Sequence[Sequence[FoldModel]], data: gtzan.Gtzan
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


def _mean_held_out(by_seed: Sequence[Mapping[str, HeldOutGenreFigures]]) -> dict[str, float]:
    """Reranked precision of held-out genres by projection, mean over the seeds."""
    names = list(by_seed[0]) if by_seed else []
    return {name: _mean(figures[name].reranked.mean for figures in by_seed) for name in names}


def _mean(figures: Iterable[float]) -> float:
    return float(np.mean(list(figures)))


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}

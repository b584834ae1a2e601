"""What a model finds of genres it was not taught: the guard of the choice of its projection.

A projection on the discriminants of known genres gains among them and loses among others. What it
loses can be measured only with networks that were not taught those genres either, so for each of
`unseen.FOLDS` the networks are trained again on the other seven genres, by the same recipe, and
everything that is fitted is fitted on those.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.embedding.projection import Projection
from recommender.research.datasets import gtzan
from recommender.research.model_building.leave_genres_out import (
    FOLDS,
    GALLERIES,
    HeldOutGenreFigures,
    HeldOutGenrePrecision,
    fold_precision,
    rows_of,
)
from recommender.research.model_building.projection_search import fit_candidates
from recommender.research.model_building.results import SplitTracks, TrainedModel, load_tracks
from recommender.research.training.inference import TrackSet
from recommender.search.reranking import ranking
from recommender.utils.arrays import IntArray


@dataclass(frozen=True)
class GenreFold:
    """What is taught where some genres are left out.

    Attributes:
        left_out: the genres.
        training, valid: tracks of the other genres, whose labels are numbered from 0.
    """

    left_out: tuple[str, ...]
    training: SplitTracks
    valid: SplitTracks

    @property
    def genres(self) -> int:
        """How many are taught."""
        return len(gtzan.GENRES) - len(self.left_out)


def genre_folds(training: SplitTracks, valid: SplitTracks) -> list[GenreFold]:
    """One for each of `unseen.FOLDS`.

    Args:
        training, valid: sides of the filtered split.
    """
    return [GenreFold(fold, _without(training, fold), _without(valid, fold)) for fold in FOLDS]


def _without(side: SplitTracks, left_out: tuple[str, ...]) -> SplitTracks:
    names = np.array([gtzan.GENRES[label] for label in side.tracks.labels])
    kept = np.flatnonzero(~np.isin(names, left_out))
    _, labels = np.unique(side.tracks.labels[kept], return_inverse=True)
    tracks = TrackSet(side.tracks.decibels[kept], labels.astype(np.int64))
    return SplitTracks(tuple(side.ids[place] for place in kept), tracks)


@dataclass(frozen=True, eq=False)
class FoldModel:
    """A model that was taught a fold, and every projection that is tried on it, by name."""

    fold: GenreFold
    model: TrainedModel

    @cached_property
    def projections(self) -> Mapping[str, Projection]:
        """Fitted on the fold's training tracks."""
        known = self.model.activations(self.fold.training)
        return fit_candidates(known, self.fold.training.tracks.labels)


@dataclass(frozen=True, eq=False)
class Gallery:
    """Tracks of all ten genres, in which those left out are looked for.

    Attributes:
        name: in `unseen.GALLERIES`; only ``valid`` may be chosen by.
        rows: np.ndarray [shape=(n,)], rows of the data set.
        side: the same tracks.
    """

    name: str
    rows: IntArray
    side: SplitTracks

    @classmethod
    def of(cls, data: gtzan.Gtzan, name: str) -> "Gallery":
        """A gallery of the filtered split. Raises `DatasetError` where tracks are absent."""
        rows = np.concatenate([rows_of(data, side) for side in GALLERIES[name]])
        return cls(name, rows, load_tracks(data, [data.track_ids[row] for row in rows]))


def evaluate_held_out_genres(
    fold_models: Sequence[FoldModel], data: gtzan.Gtzan, candidates: Collection[str], gallery: Gallery
) -> dict[str, HeldOutGenreFigures]:
    """What projections reach among genres left out, by their names.

    Args:
        fold_models: of one seed, in the order of `unseen.FOLDS`.
        data: GTZAN.
        candidates: names of projections.
        gallery: where is looked.
    """
    bare: dict[str, list[float]] = {name: [] for name in candidates}
    ranked: dict[str, list[float]] = {name: [] for name in candidates}
    for fold_model in fold_models:
        analysed = fold_model.model.activations(gallery.side).tracks
        left_out = fold_model.fold.left_out
        for name in candidates:
            vectors = fold_model.projections[name].apply(analysed)
            bare[name].append(fold_precision(data, vectors, gallery.rows, left_out))
            order = ranking(vectors)
            ranked[name].append(fold_precision(data, order, gallery.rows, left_out))
    return {
        name: HeldOutGenreFigures(
            HeldOutGenrePrecision(gallery.name, tuple(bare[name])),
            HeldOutGenrePrecision(gallery.name, tuple(ranked[name])),
        )
        for name in candidates
    }

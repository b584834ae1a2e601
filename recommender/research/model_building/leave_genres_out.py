"""Leave-genres-out validation for choosing the projection.

Listeners' music is mostly of genres that GTZAN does not have. LDA of the training genres gains
precision among those and loses it among others. To measure what it loses, the networks are trained
again on seven genres, by the same recipe, and everything that is fitted is fitted on those; queries
are the tracks of the three held-out genres, in a gallery of all ten. The figure is precision@10
with artist filter, the mean over the queries of a fold, then over the folds.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.embedding.projection import Projection
from recommender.errors import UsageError
from recommender.evaluation.labelled_vectors import Comparable
from recommender.research.datasets import gtzan
from recommender.research.model_building.projection_search import fit_candidates
from recommender.research.model_building.results import precision
from recommender.research.model_building.split_tracks import SplitTracks, load_tracks
from recommender.research.model_building.trained_model import TrainedModel
from recommender.search.reranking import ranking

FOLDS: tuple[tuple[str, ...], ...] = (
    ("blues", "hiphop", "rock"),
    ("classical", "jazz", "reggae"),
    ("country", "metal", "pop"),
    ("disco", "hiphop", "jazz"),
)
"""Genres held out together. Every genre is held out once, hip hop and jazz twice."""

GALLERIES: dict[str, tuple[str, ...]] = {"valid": ("valid",), "valid+test": ("valid", "test")}
"""Splits of the filtered protocol that hold queries and database: 197 tracks to choose by, and the
487 that are reported and that nothing is chosen by."""


@dataclass(frozen=True)
class HeldOutGenrePrecision:
    """precision@10 with artist filter of genres held out of training.

    Attributes:
        gallery: name in `GALLERIES`.
        folds: one figure for each of `FOLDS`.
    """

    gallery: str
    folds: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the folds."""
        return float(np.mean(self.folds))


@dataclass(frozen=True)
class HeldOutGenreFigures:
    """The same of one projection: by plain cosine, and reranked as recommended."""

    cosine: HeldOutGenrePrecision
    reranked: HeldOutGenrePrecision


@dataclass(frozen=True)
class GenreFold:
    """Training data without some genres.

    Attributes:
        held_out: the genres left out.
        training, valid: tracks of the other genres, whose labels count from 0.
    """

    held_out: tuple[str, ...]
    training: SplitTracks
    valid: SplitTracks

    @property
    def genres(self) -> int:
        """Number of training genres."""
        return len(gtzan.GENRES) - len(self.held_out)


def genre_folds(training: SplitTracks, valid: SplitTracks) -> list[GenreFold]:
    """One fold for each of `FOLDS`.

    Args:
        training, valid: splits of the filtered protocol.
    """
    return [GenreFold(fold, without(training, fold), without(valid, fold)) for fold in FOLDS]


def without(split: SplitTracks, held_out: Sequence[str]) -> SplitTracks:
    """The tracks of other genres, their labels counted from 0 in the order of `gtzan.GENRES`."""
    rows = np.flatnonzero(~np.isin(split.genres, held_out))
    _, labels = np.unique(split.tracks.labels[rows], return_inverse=True)
    return split.subset(rows, labels.astype(np.int64))


@dataclass(frozen=True, eq=False)
class FoldModel:
    """A model trained on a fold, and every candidate projection fitted for it, by name."""

    fold: GenreFold
    model: TrainedModel

    @cached_property
    def projections(self) -> Mapping[str, Projection]:
        """Fitted on the fold's training tracks."""
        train = self.model.activations(self.fold.training)
        return fit_candidates(train, self.fold.training.tracks.labels)


@dataclass(frozen=True, eq=False)
class Gallery:
    """Tracks of all ten genres among which those of held-out genres are searched.

    Attributes:
        name: in `GALLERIES`; only ``valid`` may be chosen by.
        tracks: of its splits.
    """

    name: str
    tracks: SplitTracks

    @classmethod
    def of(cls, data: gtzan.Gtzan, name: str) -> "Gallery":
        """A gallery of the filtered protocol.

        Raises:
            UsageError: no such gallery.
            DatasetError: tracks are absent (other than the one corrupt in circulation).
        """
        if name not in GALLERIES:
            raise UsageError(f"there is no gallery {name!r}: {' or '.join(GALLERIES)}.")
        ids = [i for split in GALLERIES[name] for i in gtzan.split_ids("filtered", split)]
        return cls(name, load_tracks(data, ids))

    def precision(self, vectors: Comparable, held_out: Sequence[str]) -> float:
        """precision@10 with artist filter, the tracks of some genres as queries.

        Args:
            vectors: of the gallery's tracks: unit vectors [n, d], or what ranks them.
            held_out: genres of the queries.
        """
        return precision(vectors, self.tracks, np.isin(self.tracks.genres, held_out))


def evaluate_held_out_genres(
    fold_models: Sequence[FoldModel], candidates: Collection[str], gallery: Gallery
) -> dict[str, HeldOutGenreFigures]:
    """Precision of held-out genres by projection.

    Args:
        fold_models: of one seed, in the order of `FOLDS`.
        candidates: names of projections.
        gallery: queries and database.
    """
    cosine: dict[str, list[float]] = {name: [] for name in candidates}
    reranked: dict[str, list[float]] = {name: [] for name in candidates}
    for fold_model in fold_models:
        activations = fold_model.model.activations(gallery.tracks).tracks
        held_out = fold_model.fold.held_out
        for name in candidates:
            vectors = fold_model.projections[name].apply(activations)
            cosine[name].append(gallery.precision(vectors, held_out))
            reranked[name].append(gallery.precision(ranking(vectors), held_out))
    return {
        name: HeldOutGenreFigures(
            HeldOutGenrePrecision(gallery.name, tuple(cosine[name])),
            HeldOutGenrePrecision(gallery.name, tuple(reranked[name])),
        )
        for name in candidates
    }

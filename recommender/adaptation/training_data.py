"""The tracks that a projection is adapted to, and their folds of whole artists."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.adaptation.settings import DEFAULT_SETTINGS, AdaptationSettings
from recommender.embedding.projection import Projection
from recommender.errors import UsageError
from recommender.utils.arrays import BoolArray, FloatArray, IntArray

BLOCK = 4_096
"""Tracks projected at a time, so that there is never a second copy of all activations."""

UNLABELLED = -1


@dataclass(frozen=True, eq=False)
class TrainingData:
    """n tracks in the order of their ids; see `of`.

    Attributes:
        projected: np.ndarray [shape=(n, p)], float32: the outputs of the model's own projection
            before they are normalised to length 1.
        mean: np.ndarray [shape=(d,)], float32: of the activations.
        genres: n labels; None is unlabelled.
        artists: n names; None is unknown.
        groups: np.ndarray [shape=(n,)]: equal for tracks of one artist; every track without an
            artist is a group of its own.
        settings: the limits that apply.
    """

    projected: FloatArray
    mean: FloatArray
    genres: tuple[str | None, ...]
    artists: tuple[str | None, ...]
    groups: IntArray
    settings: AdaptationSettings = DEFAULT_SETTINGS

    @classmethod
    def of(
        cls,
        own: Projection,
        ids: IntArray,
        activations: FloatArray,
        genres: Sequence[str | None],
        artists: Sequence[str | None],
        settings: AdaptationSettings = DEFAULT_SETTINGS,
    ) -> "TrainingData":
        """Of tracks in any order.

        Args:
            own: the model's projection.
            ids: np.ndarray [shape=(n,)], distinct.
            activations: np.ndarray [shape=(n, d)], finite.
            genres: n labels.
            artists: n names; None or blank is unknown.
            settings: the limits that apply.
        """
        order = np.argsort(ids)
        if (np.diff(order) < 0).any():
            activations = activations[order]
        names = tuple((artists[row] or "").strip() or None for row in order)
        return cls(
            _projected(own, activations),
            activations.mean(axis=0, dtype=np.float64).astype(np.float32),
            tuple(genres[row] for row in order),
            names,
            _groups(names),
            settings,
        )

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.projected)

    @cached_property
    def training_genres(self) -> tuple[str, ...]:
        """The genres with enough artists for LDA, sorted; none where they are too few."""
        distinct = sorted({genre for genre in self.genres if genre})
        of_genre = np.array([genre or "" for genre in self.genres])
        enough = tuple(
            genre
            for genre in distinct
            if len(np.unique(self.groups[of_genre == genre])) >= self.settings.min_genre_artists
        )
        return enough if len(enough) >= self.settings.min_genres else ()

    @cached_property
    def codes(self) -> IntArray:
        """np.ndarray [shape=(n,)]: index into `training_genres`; `UNLABELLED` for other genres."""
        code_of = {genre: code for code, genre in enumerate(self.training_genres)}
        return np.array([code_of.get(g or "", UNLABELLED) for g in self.genres], dtype=np.int64)

    @cached_property
    def has_artist_queries(self) -> bool:
        """Whether enough tracks have another one by the same artist."""
        _, group, sizes = np.unique(self.groups, return_inverse=True, return_counts=True)
        return int((sizes[group] > 1).sum()) >= self.settings.min_artist_queries

    @cached_property
    def folds(self) -> list[BoolArray]:
        """Which tracks belong to each fold: np.ndarray [shape=(n,)], bool, once each.

        An artist's tracks are in one fold. The largest groups are assigned first, each to the
        smallest fold; those of one size in an order drawn with a fixed seed.

        Raises:
            UsageError: there are too few tracks, or one fold gets hardly any, as most are by one
                artist.
        """
        count, settings = self.settings.folds, self.settings
        if len(self) < settings.min_tracks:
            raise UsageError(
                f"{len(self)} tracks are too few to adapt to: at least {settings.min_tracks} must "
                "be analysed. Ingest more music; the model's own projection serves until then."
            )
        sizes = np.bincount(self.groups)
        shuffled = np.random.default_rng(0).permutation(len(sizes))
        fold_of = np.empty(len(sizes), dtype=np.int64)
        filled = np.zeros(count, dtype=np.int64)
        for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
            fold_of[group] = filled.argmin()
            filled[fold_of[group]] += sizes[group]
        if filled.min() < settings.min_fold_tracks:
            raise UsageError(
                "nearly all tracks are by the same few artists, so that an adaptation cannot be "
                "tested on others. Ingest more music; the model's own projection serves until then."
            )
        return [fold_of[self.groups] == fold for fold in range(count)]


def _projected(own: Projection, activations: FloatArray) -> FloatArray:
    starts = range(0, max(1, len(activations)), BLOCK)
    return np.concatenate([own.affine(activations[start : start + BLOCK]) for start in starts])


def _groups(artists: Sequence[str | None]) -> IntArray:
    """A number for each artist, and one for each track without, by first appearance."""
    numbers: dict[object, int] = {}
    keys: list[object] = [name or row for row, name in enumerate(artists)]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)

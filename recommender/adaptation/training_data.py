"""The tracks that a projection is adapted to, and their folds of whole artists."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.adaptation.settings import DEFAULT_SETTINGS, AdaptationSettings
from recommender.embedding.projection import Projection
from recommender.errors import UsageError
from recommender.utils.arrays import BoolArray, FloatArray, IntArray, usable_rows

BLOCK = 4_096
"""Tracks of an array that are projected at a time."""

UNLABELLED = -1


@dataclass(frozen=True, eq=False)
class ProjectedTracks:
    """What an adaptation keeps of the activations of n tracks, which are never held at once.

    Attributes:
        ids: np.ndarray [shape=(n,)], int64, ascending.
        projected: np.ndarray [shape=(n, p)], float32: see `TrainingData`.
        mean: np.ndarray [shape=(d,)], float32: of the activations.
    """

    ids: IntArray
    projected: FloatArray
    mean: FloatArray

    @classmethod
    def of(
        cls, own: Projection, batches: Iterable[tuple[IntArray, FloatArray]]
    ) -> "ProjectedTracks":
        """Of a stream of ids, ascending, and activations; what is zero or not finite is left out.

        Args:
            own: the model's projection.
            batches: parts of ids [m] and activations [m, d].
        """
        ids, projected = [np.empty(0, np.int64)], [np.empty((0, own.matrix.shape[1]), np.float32)]
        total, count = np.zeros(len(own.mean)), 0
        for numbers, activations in batches:
            usable = usable_rows(activations)
            ids.append(numbers[usable])
            projected.append(own.affine(activations[usable]))
            total += activations[usable].sum(axis=0, dtype=np.float64)
            count += len(ids[-1])
        mean = (total / max(1, count)).astype(np.float32)
        return cls(np.concatenate(ids), np.concatenate(projected), mean)


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
            activations: np.ndarray [shape=(n, d)], finite and not zero.
            genres: n labels.
            artists: n names; None or blank is unknown.
            settings: the limits that apply.
        """
        order = np.argsort(ids)
        parts = (order[start : start + BLOCK] for start in range(0, len(order), BLOCK))
        tracks = ProjectedTracks.of(own, ((ids[part], activations[part]) for part in parts))
        rows = order.tolist()
        return cls.labelled(
            tracks, [genres[row] for row in rows], [artists[row] for row in rows], settings
        )

    @classmethod
    def labelled(
        cls,
        tracks: ProjectedTracks,
        genres: Sequence[str | None],
        artists: Sequence[str | None],
        settings: AdaptationSettings = DEFAULT_SETTINGS,
    ) -> "TrainingData":
        """Of tracks with their labels and names, in the same order; see `of`."""
        names = tuple((name or "").strip() or None for name in artists)
        return cls(tracks.projected, tracks.mean, tuple(genres), names, _groups(names), settings)

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


def _groups(artists: Sequence[str | None]) -> IntArray:
    """A number for each artist, and one for each track without, by first appearance."""
    numbers: dict[object, int] = {}
    keys: list[object] = [name or row for row, name in enumerate(artists)]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)

"""The music a projection is adapted to, and its division into folds of whole artists."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.embedding.projection import Projection
from recommender.errors import UsageError
from recommender.utils.arrays import FloatArray, IntArray

LEAST_TRACKS = 100
"""With fewer, a quarter of them says nothing."""

FOLDS = 4
LEAST_IN_FOLD = 10

LEAST_ARTISTS = 10
"""A genre that discriminants can learn has so many; a track without artist counts as one."""

LEAST_GENRES = 2

LEAST_BY_KNOWN = 100
"""So many tracks must have another by their artist before artist matches are a measure."""

BLOCK = 4_096
"""Tracks projected at a time, so that no second copy of all activations is ever there."""

UNTAUGHT = -1


@dataclass(frozen=True, eq=False)
class Music:
    """n tracks in the order of their ids; made by `of`.

    Attributes:
        projected: np.ndarray [shape=(n, p)], float32: what the model's own projection makes of
            them before it brings them to length 1.
        mean: np.ndarray [shape=(d,)], float32: of their activations.
        genres: n labels; None is unlabelled.
        artists: n names; None is unknown.
        groups: np.ndarray [shape=(n,)]: equal for tracks of one artist; every track without an
            artist is a group of its own.
    """

    projected: FloatArray
    mean: FloatArray
    genres: tuple[str | None, ...]
    artists: tuple[str | None, ...]
    groups: IntArray

    @classmethod
    def of(
        cls,
        own: Projection,
        ids: IntArray,
        activations: FloatArray,
        genres: Sequence[str | None],
        artists: Sequence[str | None],
    ) -> "Music":
        """Of tracks in any order.

        Args:
            own: the model's projection.
            ids: np.ndarray [shape=(n,)], distinct.
            activations: np.ndarray [shape=(n, d)], finite.
            genres: n labels.
            artists: n names; None or blank is unknown.
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
        )

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.projected)

    @property
    def taught(self) -> tuple[str, ...]:
        """The genres with artists enough to be learned, sorted; none where they are too few."""
        found = sorted({genre for genre in self.genres if genre})
        of_genre = np.array([genre or "" for genre in self.genres])
        enough = tuple(
            genre
            for genre in found
            if len(np.unique(self.groups[of_genre == genre])) >= LEAST_ARTISTS
        )
        return enough if len(enough) >= LEAST_GENRES else ()

    @property
    def codes(self) -> IntArray:
        """np.ndarray [shape=(n,)]: each track's place in `taught`; `UNTAUGHT` for other genres."""
        places = {genre: place for place, genre in enumerate(self.taught)}
        return np.array([places.get(g or "", UNTAUGHT) for g in self.genres], dtype=np.int64)

    @property
    def artists_shared(self) -> bool:
        """Whether enough tracks have another by the same artist."""
        _, group, sizes = np.unique(self.groups, return_inverse=True, return_counts=True)
        return int((sizes[group] > 1).sum()) >= LEAST_BY_KNOWN

    def folds(self) -> list[npt.NDArray[np.bool_]]:
        """Which tracks belong to each fold: np.ndarray [shape=(n,)], bool, once each.

        An artist's tracks are in one fold. The largest groups are dealt first, each to the smallest
        fold; those of one size in an order drawn with a fixed seed.

        Raises:
            UsageError: there are too few tracks, or one fold gets hardly any as most are by one
                artist.
        """
        if len(self) < LEAST_TRACKS:
            raise UsageError(
                f"{len(self)} tracks are too few to adapt to: at least {LEAST_TRACKS} must be "
                "analysed. Ingest more music; the model's own projection serves until then."
            )
        sizes = np.bincount(self.groups)
        shuffled = np.random.default_rng(0).permutation(len(sizes))
        fold_of = np.empty(len(sizes), dtype=np.int64)
        filled = np.zeros(FOLDS, dtype=np.int64)
        for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
            fold_of[group] = filled.argmin()
            filled[fold_of[group]] += sizes[group]
        if filled.min() < LEAST_IN_FOLD:
            raise UsageError(
                "nearly all tracks are by the same few artists, so that an adaptation cannot be "
                "tested on others. Ingest more music; the model's own projection serves until then."
            )
        return [fold_of[self.groups] == fold for fold in range(FOLDS)]


def _projected(own: Projection, activations: FloatArray) -> FloatArray:
    starts = range(0, max(1, len(activations)), BLOCK)
    return np.concatenate([own.affine(activations[start : start + BLOCK]) for start in starts])


def _groups(artists: Sequence[str | None]) -> IntArray:
    """A number for each artist, and one for each track without, by first appearance."""
    numbers: dict[object, int] = {}
    keys: list[object] = [name or row for row, name in enumerate(artists)]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)

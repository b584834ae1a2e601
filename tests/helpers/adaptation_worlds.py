"""Toy worlds of tracks in which the right adaptation is known."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from recommender.adaptation import Adaptation, TrainingData, adaptation_of
from recommender.embedding.projection import Projection

DIMENSIONS = 24


OWN = Projection(np.zeros(DIMENSIONS, np.float32), np.eye(DIMENSIONS, dtype=np.float32))


GENRES = ("folk", "jazz", "rock")


@dataclass(frozen=True)
class World:
    """Tracks with their labels."""

    activations: np.ndarray
    genres: Sequence[str | None] = field(default_factory=list)
    artists: Sequence[str | None] = field(default_factory=list)

    def data(self, order: Sequence[int] | None = None) -> TrainingData:
        """As `TrainingData`, given in the order of these rows; their ids are the rows' numbers."""
        count = len(self.activations)
        rows = np.arange(count) if order is None else np.asarray(order)
        genres, artists = (
            [(names or [None] * count)[row] for row in rows]
            for names in (self.genres, self.artists)
        )
        return TrainingData.of(OWN, rows, self.activations[rows], genres, artists)

    def adaptation(self) -> Adaptation:
        return adaptation_of(OWN, self.data())


def artists_of(count: int, tracks_each: int = 4) -> list[str]:
    return [f"artist {number // tracks_each}" for number in range(count)]


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, DIMENSIONS)).astype(np.float32)


def common_component(count: int = 400) -> np.ndarray:
    """Tracks that differ little beside what all of them have; those near the mean are hubs.

    Around the mean they are as even as they can be.
    """
    return noise(count) * 0.3 + np.linspace(1, 2, DIMENSIONS, dtype=np.float32)


def by_artist(count: int = 400, seed: int = 0) -> np.ndarray:
    """What an artist's tracks have in common shows, once the common component is gone."""
    own = np.repeat(noise(count // 4, seed), 4, axis=0)
    # All that is large is common: its length varies from track to track, and says nothing.
    rng = np.random.default_rng(seed + 1)
    common = np.linspace(1, 2, DIMENSIONS) + rng.normal(size=DIMENSIONS)
    return (own + 1.6 * noise(count, seed + 2) + 6 * common).astype(np.float32)


def weighed_down(count: int = 480, seed: int = 0) -> World:
    """Genres lie along directions in which tracks differ little; all others only distract."""
    genres = [GENRES[(number // 4) % 3] for number in range(count)]
    values = noise(count, seed)
    values[:, 3:] *= 4
    for row, genre in enumerate(genres):
        values[row, GENRES.index(genre)] += 3
    return World(values, genres, artists_of(count))

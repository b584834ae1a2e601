"""A toy world: tracks on a circle, where the nearest angle is the right answer."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from recommender.audio.damage import Damage
from recommender.catalog import Catalog, FileStat, Tags, Track
from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.space import Analysis, SpaceId
from recommender.musical_descriptors import MusicalDescriptors
from recommender.recommendation.filters import Filters
from recommender.recommendation.service import SimilarityService

SPACE = SpaceId("toy", "w", "h")
GENRES = ("folk", "rock")
COPY = 0.1
"""Degrees between copies of a recording; other tracks here are at least 4 degrees apart."""

same_sound = DuplicateDetector(threshold=float(np.cos(np.radians(1))))


def direction(degrees: float) -> np.ndarray:
    """A vector of length 3 that points to an angle."""
    turn = np.radians(degrees)
    return 3 * np.array([np.cos(turn), np.sin(turn)], np.float32)


def analysis(degrees: float, duration: float, predicted: str = "rock") -> Analysis:
    probabilities = {label: 0.75 if label == predicted else 0.25 for label in GENRES}
    # So long that it is stored in single precision: half precision would turn it.
    activations = 1e5 * direction(degrees)
    return Analysis(activations, probabilities, duration, ((0.0, duration),), SPACE)


class ToyEmbedder:
    """Projects by normalising; a sound file's samples give the angle of its activations."""

    space = replace(SPACE, projection="unit")

    def project(self, activations: np.ndarray) -> np.ndarray:
        return activations / np.linalg.norm(activations, axis=1, keepdims=True)

    def analyse(self, sound: Path | BinaryIO) -> Analysis:
        samples, rate = soundfile.read(sound, dtype="float32")
        return analysis(360 * float(samples.mean()), len(samples) / rate)


@dataclass
class World:
    """A catalogue in a folder, and the service over it."""

    folder: Path
    catalog: Catalog
    service: SimilarityService

    def add(
        self,
        path: str,
        degrees: float,
        *,
        duration: float = 60.0,
        predicted: str = "rock",
        space: SpaceId = SPACE,
        damage: Damage | None = None,
        descriptors: MusicalDescriptors | None = None,
        **tags: str,
    ) -> int:
        library, _ = self.catalog.scope_of(self.folder / "music")
        one = replace(
            analysis(degrees, duration, predicted),
            space=space,
            damage=damage,
            descriptors=descriptors,
        )
        with self.catalog.writing() as write:
            return write.analysed(library, FileStat(path, 1, 1), path, Tags(**tags), one, "test")

    def names(self, query: object, k: int = 10, **filters: object) -> list[str]:
        found = self.service.similar(query, k, Filters(**filters))
        assert [neighbour.rank for neighbour in found] == list(range(1, len(found) + 1))
        scores = [neighbour.score for neighbour in found]
        assert scores == sorted(scores, reverse=True)
        return [neighbour.track.path.removesuffix(".ogg") for neighbour in found]


@dataclass
class Crowd:
    """Enough tracks to be reranked."""

    service: SimilarityService
    tracks: list[Track]

    @staticmethod
    def distance(one: Track, other: Track) -> float:
        """In degrees."""
        return abs(float(Path(one.path).stem) - float(Path(other.path).stem))

    def scores(self, seed_at: int, ranking: str) -> np.ndarray:
        """Of all tracks with one, as `evaluate` would have them."""
        compared = self.service.index().comparable(ranking)
        if ranking == "cosine":
            return compared @ compared[seed_at]
        scores = (compared.database_vectors @ compared.query_vectors[seed_at]).astype(np.float64)
        scores[compared.pinned_first[seed_at]] = (
            scores.max() + 1e-9
        )  # first, and as good as the best
        return scores

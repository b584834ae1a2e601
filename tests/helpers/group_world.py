"""A catalogue of tracks with random descriptors, whose projection has known groups."""

from pathlib import Path

import numpy as np

from recommender.catalog import Catalog, FileStat, Tags
from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.input_groups import GroupedProjection
from recommender.embedding.projection import Projection
from recommender.embedding.space import Analysis, SpaceId
from recommender.features.descriptors import DIMENSION
from recommender.musical_descriptors import MusicalDescriptors
from recommender.recommendation.service import SimilarityService

SPACE = SpaceId("toy", "w", "h", "grouped")
NETWORK_SIZE, COMPONENTS = 8, 12


class GroupedProjector:
    """Projects activations of a small network and descriptors."""

    space = SPACE

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        size = NETWORK_SIZE + DIMENSION
        matrix = rng.normal(size=(size, COMPONENTS)).astype(np.float32)
        projection = Projection(np.zeros(size, np.float32), matrix)
        self.grouped = GroupedProjection.of(projection, descriptors=True)

    def project(self, activations: np.ndarray) -> np.ndarray:
        return self.grouped.projection.apply(activations)


def grouped_service(file: Path, tracks: int) -> SimilarityService:
    """Tracks in ten groups, each with an artist of its own; every other one is in a minor key."""
    rng = np.random.default_rng(1)
    size = NETWORK_SIZE + DIMENSION
    centres = rng.normal(size=(10, size))
    catalog = Catalog.open(file)
    catalog.set_active(SPACE.unprojected, {"model": "toy", "windowing": {}})
    library, _ = catalog.scope_of(file.parent)
    with catalog.writing() as write:
        for number in range(tracks):
            vector = (centres[number % 10] + rng.normal(size=size)).astype(np.float32)
            described = MusicalDescriptors(
                tempo=100.0 + number % 10,
                tempo_confidence=0.9,
                key=9,
                mode="minor" if number % 2 else "major",
                key_confidence=0.9,
                energy=number / tracks,
            )
            one = Analysis(
                vector,
                {"rock": 1.0},
                60.0 + number,
                ((0.0, 60.0),),
                SPACE.unprojected,
                descriptors=described,
            )
            tags = Tags(title=f"track {number}", artist=f"artist {number}")
            write.analysed(library, FileStat(f"{number}.wav", 1, 1), f"{number}", tags, one, "test")
    projector = GroupedProjector()
    detector = DuplicateDetector(threshold=1.1)
    return SimilarityService(catalog, projector, lambda: projector, "cpu", detector)

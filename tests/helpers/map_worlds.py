"""Catalogues of tracks in groups that are far apart, for maps and clusters."""

from pathlib import Path

import numpy as np

from recommender.catalog import Catalog, FileStat, Tags
from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.space import Analysis, SpaceId
from recommender.recommendation.service import SimilarityService

SPACE = SpaceId("toy", "w", "h", "unit")
DIMENSION = 8
LABELS = ("blues", "jazz", "rock")


class UnitProjector:
    """Projects by normalising."""

    def __init__(self, space: SpaceId = SPACE) -> None:
        self.space = space

    def project(self, activations: np.ndarray) -> np.ndarray:
        return activations / np.linalg.norm(activations, axis=1, keepdims=True)


def add_tracks(catalog: Catalog, groups: list[int], seed: int = 0, spread: float = 0.1) -> None:
    """A track near the axis of each of the groups; group number g is predicted as label g."""
    rng = np.random.default_rng(seed)
    library, _ = catalog.scope_of(catalog.folder or Path("/"))
    with catalog.writing() as write:
        for number, group in enumerate(groups):
            vector = 3 * np.eye(DIMENSION)[group] + rng.normal(scale=spread, size=DIMENSION)
            label = LABELS[group % len(LABELS)]
            chances = {one: 0.8 if one == label else 0.1 for one in LABELS}
            one = Analysis(
                vector.astype(np.float32), chances, 60.0, ((0.0, 60.0),), SPACE.unprojected
            )
            name = f"{seed}-{number}.wav"
            tags = Tags(title=name, genre=label, artist=f"artist {number % 7}")
            write.analysed(library, FileStat(name, 1, 1), f"{seed}-{number}", tags, one, "test")


def service_of(catalog: Catalog, space: SpaceId = SPACE) -> SimilarityService:
    projector = UnitProjector(space)
    detector = DuplicateDetector(threshold=1.1)
    return SimilarityService(catalog, projector, lambda: projector, "cpu", detector)


def new_catalog(file: Path) -> Catalog:
    catalog = Catalog.open(file)
    catalog.set_active(SPACE.unprojected, {"model": "toy", "windowing": {}})
    return catalog

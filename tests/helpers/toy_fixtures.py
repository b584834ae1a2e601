"""Catalogues of the toy world, as fixtures."""

import shutil

import numpy as np
import pytest
from toy_world import SPACE, Crowd, ToyEmbedder, World, analysis, same_sound

from recommender.catalog import Catalog, FileStat, Tags
from recommender.embedding.duplicates import DuplicateDetector
from recommender.recommendation.service import SimilarityService


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """Made once, and copied for each test."""
    path = tmp_path_factory.mktemp("empty") / "toy.db"
    with Catalog.open(str(path)) as catalog:
        catalog.set_active(SPACE, {"model": "toy", "windowing": {}})
    return path


@pytest.fixture
def world(tmp_path, empty_database):
    (tmp_path / "music").mkdir()
    shutil.copy(empty_database, tmp_path / "toy.db")
    with Catalog.open(str(tmp_path / "toy.db")) as catalog:
        embedder = ToyEmbedder()
        service = SimilarityService(catalog, embedder, lambda: embedder, "cpu", same_sound)
        yield World(tmp_path, catalog, service)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, empty_database):
    """200 tracks at uneven steps on an arc; their paths say where."""
    path = tmp_path_factory.mktemp("crowd") / "crowd.db"
    shutil.copy(empty_database, path)
    random = np.random.default_rng(0)
    with Catalog.open(str(path)) as catalog:
        library, _ = catalog.scope_of(path.parent)
        with catalog.writing() as write:
            for number in range(200):
                angle = 0.4 * number + random.uniform(0, 0.2)
                stat = FileStat(f"{angle:.6f}.ogg", 1, 1)
                tags = Tags(artist=f"artist {random.integers(20)}")
                one = analysis(angle, duration=float(random.uniform(10, 300)))
                write.analysed(library, stat, str(number), tags, one, "test")
        embedder = ToyEmbedder()
        no_copies = DuplicateDetector(threshold=1.1)
        service = SimilarityService(catalog, embedder, lambda: embedder, "cpu", no_copies)
        yield Crowd(service, list(catalog.all_tracks()))

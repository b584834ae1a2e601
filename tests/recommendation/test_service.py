"""Neighbours in the toy world: the nearest angle is the right answer."""

import subprocess
import sys

import numpy as np
import pytest

from recommender.errors import (
    CatalogError,
)
from recommender.recommendation.service import SimilarityService


def test_nearest_angle_first_and_never_the_seed(world):
    angles = {"a": 0, "b": 90, "c": 10, "d": -25}
    ids = {name: world.add(f"{name}.ogg", angle) for name, angle in angles.items()}
    assert world.names(ids["a"]) == ["c", "d", "b"]
    assert world.names(ids["a"], k=2) == ["c", "d"]
    found = world.service.similar(ids["a"], 1)[0]
    assert found.score == found.similarity
    assert found.similarity == pytest.approx(np.cos(np.radians(10)), abs=1e-6)
    assert found.track == world.catalog.track(ids["c"])


def test_equally_near_tracks_come_by_id(world):
    seed = world.add("seed.ogg", 0)
    for number in range(5):
        world.add(f"{number}.ogg", 90, duration=100 * (number + 1))
    assert world.names(seed) == ["0", "1", "2", "3", "4"]
    assert world.names(seed, k=3) == ["0", "1", "2"]


def test_an_empty_catalogue_says_what_to_do(world, tmp_path):
    with pytest.raises(CatalogError, match="recsys ingest FOLDER"):
        world.service.similar("anything")
    with pytest.raises(CatalogError, match="recsys ingest FOLDER"):
        SimilarityService.open(str(tmp_path / "new.db"))


def test_a_track_of_the_catalogue_is_queried_without_torch(world):
    seed = world.add("a.ogg", 0)
    world.add("b.ogg", 20)
    code = f"""
import sys
from types import SimpleNamespace
import numpy as np
from recommender.catalog import Catalog
from recommender.embedding.projection import Projection
from recommender.recommendation.service import SimilarityService
catalog = Catalog.open({str(world.folder / "toy.db")!r})
projection = Projection(np.zeros(2, np.float32), np.eye(2, dtype=np.float32))
projector = SimpleNamespace(space=catalog.active_space(), project=projection.apply)
found = SimilarityService(catalog, projector, None).similar({seed})
heavy = ("torch", "librosa", "soundfile", "pandas", "alembic")
print([n.track.path for n in found], [m for m in heavy if m in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['b.ogg'] []"


def test_similarities_are_cosines_of_the_tracks_that_are_there(world):
    angles = {"a": 0, "b": 90, "c": 60, "d": 180}
    ids = {name: world.add(f"{name}.ogg", angle) for name, angle in angles.items()}
    found = world.service.similarities(ids["a"], [ids["d"], ids["c"], 999, ids["a"]])
    wanted = {ids["d"]: -1.0, ids["c"]: 0.5, ids["a"]: 1.0}
    assert found == pytest.approx(wanted, abs=1e-6)
    assert world.service.similarities(ids["a"], []) == {}

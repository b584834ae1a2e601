"""A service is safe for many threads from its first query on."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from toy_world import ToyEmbedder, World, same_sound

from recommender.recommendation.service import SimilarityService
from recommender.search.catalog_index import CatalogIndex

THREADS = 16


def at_once(task, inputs):
    """Results of `task` in as many threads, which all begin together."""
    barrier = threading.Barrier(len(inputs))

    def run(one):
        barrier.wait()
        return task(one)

    with ThreadPoolExecutor(len(inputs)) as pool:
        return list(pool.map(run, inputs))


@pytest.fixture
def counted(world: World, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often indexes are built and models loaded; each takes a while."""
    counts: Counter[str] = Counter()
    slow = CatalogIndex._build

    def counting(self: CatalogIndex, *args: object) -> object:
        result = slow(self, *args)  # type: ignore[arg-type]
        counts["build"] += 1
        time.sleep(0.05)
        return result

    monkeypatch.setattr(CatalogIndex, "_build", counting)

    def load() -> ToyEmbedder:
        counts["model"] += 1
        time.sleep(0.05)
        return ToyEmbedder()

    world.service = SimilarityService(world.catalog, ToyEmbedder(), load, "cpu", same_sound)
    return counts


def listed(service: SimilarityService, query: object) -> list[tuple[int, float]]:
    return [(found.track.id, found.score) for found in service.similar(query)]


def test_sixteen_first_queries_build_one_index(world: World, counted: Counter[str]) -> None:
    ids = [world.add(f"{number}.ogg", 20 * number) for number in range(THREADS)]
    found = at_once(lambda id: listed(world.service, id), ids)
    assert counted == {"build": 1}
    assert found == [listed(world.service, id) for id in ids]
    world.add("new.ogg", 7)
    at_once(lambda id: listed(world.service, id), ids)
    assert counted == {"build": 2}
    second = SimilarityService(world.catalog, ToyEmbedder(), ToyEmbedder, "cpu", same_sound)
    assert at_once(lambda id: listed(second, id), ids) == [listed(second, id) for id in ids]
    assert counted == {"build": 2}


def test_sixteen_first_sounds_load_one_model(world: World, counted: Counter[str]) -> None:
    for number in range(8):
        world.add(f"{number}.ogg", 40 * number, duration=100)
    paths = []
    for number in range(THREADS):
        paths.append(world.folder / f"outside {number}.wav")
        samples = np.full(6000, number / 20, np.float32)
        soundfile.write(paths[-1], samples, 100, "FLOAT")

    def upload(path: Path) -> list[tuple[int, float]]:
        with path.open("rb") as file:
            return listed(world.service, file)

    found = at_once(upload, paths)
    assert counted == {"build": 1, "model": 1}
    assert found == [listed(world.service, path) for path in paths]


def test_queries_while_the_catalogue_changes(world: World) -> None:
    """Each is answered from one revision, whole."""
    ids = [world.add(f"{number}.ogg", 30 * number) for number in range(6)]
    stop = threading.Event()

    def write() -> None:
        for number in range(15):
            world.add(f"late {number}.ogg", 3 + 7 * number, duration=100 + 10 * number)
        stop.set()

    def ask(id: int) -> int:
        queries = 0
        while not stop.is_set() or not queries:
            found = listed(world.service, id)
            assert len({track for track, _ in found}) == len(found) >= 5
            assert id not in {track for track, _ in found}
            queries += 1
        return queries

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(ask, id) for id in ids[:3]]
        pool.submit(write).result()
        assert all(one.result() for one in running)
    assert len(world.service.index()) == 21

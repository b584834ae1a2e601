"""The old snapshot answers until the next one is there; one is made at a time."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from toy_world import ToyEmbedder, World

from recommender.errors import CatalogError, NothingAnalysed
from recommender.recommendation import snapshot_updates
from recommender.recommendation.service import SimilarityService
from recommender.search.catalog_index import CatalogIndex

LONG_S = 20.0


class Gate:
    """Holds every update until it is opened; counts them."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun = 0
        self.at_once = self.most_at_once = 0

    @contextmanager
    def passing(self) -> Iterator[None]:
        self.begun += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        assert self.open.wait(LONG_S)
        try:
            yield
        finally:
            self.at_once -= 1


@pytest.fixture
def gate(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    update = CatalogIndex.update

    def held(self: CatalogIndex, *arguments: object) -> object:
        with gate.passing():
            return update(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(CatalogIndex, "update", held)
    monkeypatch.setattr(snapshot_updates, "WAIT_S", 0.05)
    yield gate
    gate.open.set()
    world.service.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_queries_are_answered_while_an_index_is_built(world: World, gate: Gate) -> None:
    gate.open.set()
    seed = world.add("a.ogg", 0)
    world.add("b.ogg", 40)
    assert world.names(seed) == ["b"]
    gate.open.clear()
    world.add("near.ogg", 20)
    started = time.monotonic()
    for number in range(10):
        assert world.names(seed) == ["b"]
        world.add(f"more {number}.ogg", 60 + 5 * number, duration=90 + 10 * number)
    assert time.monotonic() - started < 5
    assert (gate.begun, gate.most_at_once) == (2, 1)
    gate.open.set()
    until(lambda: len(world.names(seed)) == 10)
    assert world.names(seed)[0] == "near"
    assert gate.most_at_once == 1


def test_a_track_that_is_gone_is_not_recommended_meanwhile(world: World, gate: Gate) -> None:
    gate.open.set()
    seed = world.add("a.ogg", 0)
    near, far = world.add("near.ogg", 20), world.add("far.ogg", 50)
    assert world.names(seed) == ["near", "far"]
    gate.open.clear()
    with world.catalog.writing() as write:
        write.missing([near])
    assert world.names(seed) == ["far"]
    world.catalog.prune()
    assert world.names(seed) == ["far"]
    assert [found.track.id for found in world.service.similar(seed, k=1)] == [far]


def test_the_index_itself_is_that_of_now(world: World, gate: Gate) -> None:
    gate.open.set()
    world.add("a.ogg", 0)
    assert len(world.service.index()) == 1
    world.add("b.ogg", 10)
    assert len(world.service.index()) == 2


def test_an_update_that_fails_leaves_the_old_answers(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seed = world.add("a.ogg", 0)
    world.add("b.ogg", 40)
    assert world.names(seed) == ["b"]
    begun = []

    def fail(*_: object) -> None:
        begun.append(1)
        raise CatalogError("the disk is gone.")

    with monkeypatch.context() as broken:
        broken.setattr(CatalogIndex, "update", fail)
        world.add("c.ogg", 20)
        for _ in range(3):
            assert world.names(seed) == ["b"]
    assert begun == [1]
    assert "answered as before" in caplog.text
    monkeypatch.setattr(snapshot_updates.time, "monotonic", lambda: 1e9)
    assert world.names(seed) == ["c", "b"]


def test_nothing_left_is_an_error(world: World) -> None:
    seed = world.add("a.ogg", 0)
    other = world.add("b.ogg", 40)
    assert world.names(seed) == ["b"]
    with world.catalog.writing() as write:
        write.missing([seed, other])
    with pytest.raises(NothingAnalysed):
        world.service.similar(seed)


def test_a_closed_service_builds_nothing(world: World, gate: Gate) -> None:
    service = SimilarityService(world.catalog, ToyEmbedder(), ToyEmbedder, "cpu")
    gate.open.set()
    seed = world.add("a.ogg", 0)
    world.add("b.ogg", 40)
    service.similar(seed)
    gate.open.clear()
    world.add("c.ogg", 20)
    service.similar(seed)
    closing = threading.Thread(target=service.close)
    closing.start()
    closing.join(0.1)
    assert closing.is_alive()  # until the index is built
    gate.open.set()
    closing.join(LONG_S)
    assert not closing.is_alive()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows niceness of threads")
def test_updates_give_way_to_queries_where_that_is_asked_for() -> None:
    states, niceness = iter(range(1, 10)), []

    def make() -> SimpleNamespace:
        niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return SimpleNamespace(state=0, index=SimpleNamespace(is_checked=True))

    pace = snapshot_updates.UpdatePace(wait_s=LONG_S, niceness=3)
    updates = snapshot_updates.SnapshotUpdates(
        lambda: next(states),  # type: ignore[arg-type,return-value]
        make,  # type: ignore[arg-type]
        pace=pace,
    )
    updates.current()
    updates.current()
    updates.close()
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert niceness == [own, own + 3]

"""Plays and skips, derived from what a player does."""

import pytest
from toy_world import World

from recommender.catalog import Catalog, Track
from recommender.errors import CatalogError
from recommender.history.listening import Listening


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tracks(world: World) -> list[Track]:
    ids = [world.add("a.ogg", 10, duration=60.0), world.add("b.ogg", 50, duration=3600.0)]
    return world.catalog.tracks(ids)


@pytest.fixture
def listening(world: World, clock: Clock) -> Listening:
    return Listening(world.catalog, "ana", "test", clock)


def kinds(world: World) -> list[tuple[str, int]]:
    return [(event.kind.value, event.track_id) for event in world.catalog.history("ana")]


@pytest.mark.parametrize(
    ("listened", "then", "expected"),
    [
        (31.0, True, "play"),
        (29.0, True, "skip"),
        (29.0, False, None),  # the player was stopped
        (1.0, True, None),
    ],
)
def test_what_counts(
    world: World,
    clock: Clock,
    listening: Listening,
    tracks: list[Track],
    listened: float,
    then: bool,
    expected: str | None,
) -> None:
    listening.observe(1, tracks[0], True)
    clock.now += listened
    listening.observe(2 if then else None, tracks[1] if then else None, then)
    assert kinds(world) == ([(expected, tracks[0].id)] if expected else [])


def test_four_minutes_of_a_long_track_suffice(
    world: World, clock: Clock, listening: Listening, tracks: list[Track]
) -> None:
    listening.observe(1, tracks[1], True)
    clock.now += 241
    listening.observe(None, None, False)
    assert kinds(world) == [("play", tracks[1].id)]


def test_pauses_do_not_count(
    world: World, clock: Clock, listening: Listening, tracks: list[Track]
) -> None:
    listening.observe(1, tracks[0], True)
    clock.now += 20
    listening.observe(1, tracks[0], False)
    clock.now += 1000
    listening.observe(1, tracks[0], True)
    clock.now += 5
    listening.observe(1, tracks[0], True)  # the queue has changed
    clock.now += 4
    listening.observe(2, tracks[1], True)
    assert kinds(world) == [("skip", tracks[0].id)]


def test_what_was_listened_to_before_counts(
    world: World, clock: Clock, listening: Listening, tracks: list[Track]
) -> None:
    listening.observe(1, tracks[0], True, elapsed=25.0)
    clock.now += 6
    listening.observe(2, None, True)  # a stream, say
    assert kinds(world) == [("play", tracks[0].id)]


def test_a_track_that_was_dropped_is_passed_over(
    world: World, clock: Clock, listening: Listening, tracks: list[Track]
) -> None:
    listening.observe(1, tracks[0], True)
    with world.catalog.writing() as write:
        write.missing([tracks[0].id])
    world.catalog.prune(force=True)
    clock.now += 50
    listening.observe(2, tracks[1], True)
    assert kinds(world) == []


def test_what_cannot_be_recorded_is_recorded_later(
    world: World,
    clock: Clock,
    listening: Listening,
    tracks: list[Track],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def busy(*_: object) -> int:
        raise CatalogError("the catalogue is locked")

    listening.observe(1, tracks[0], True)
    clock.now = 40.0
    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "record_events", busy)
        with pytest.raises(CatalogError):
            listening.observe(2, tracks[1], True)
    assert kinds(world) == []
    clock.now = 50.0
    listening.observe(3, tracks[0], True)
    assert kinds(world) == [("play", tracks[0].id), ("skip", tracks[1].id)]

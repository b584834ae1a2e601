"""Seeds of today's list: by one user's likes, plays and skips, and by nobody else's."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_world import World

from recommender.catalog import Event, EventKind
from recommender.errors import UsageError
from recommender.history.seeds import (
    MOST_PREVIOUS,
    history_seeds,
    todays_request,
)
from recommender.recommendation.mix_request import Length, Rules, SeedSet

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def ids(world: World) -> list[int]:
    return [world.add(f"{n}.ogg", 30.0 * n, artist=f"artist {n}") for n in range(8)]


def first_seeds(world: World, days: int = 400) -> Counter[int]:
    """The single seed of so many days, without the history going on."""
    return Counter(
        history_seeds(world.service, "", 1, NOW + timedelta(hours=day)).like[0]
        for day in range(0, 24 * days, 24)
    )


def test_without_a_history_seeds_are_of_all_tracks(world: World, ids: list[int]) -> None:
    found = history_seeds(world.service, now=NOW)
    assert len(set(found.like)) == 5
    assert found.weights == (1.0,) * 5
    assert found.previous == ()
    assert "no likes and plays" in found.notes[0]
    assert set(first_seeds(world, 100)) == set(ids)


def test_the_seeds_stay_all_day_and_differ_tomorrow(world: World, ids: list[int]) -> None:
    def seeds(hours: float, user: str = "") -> tuple[int, ...]:
        at = datetime(2026, 11, 25).astimezone() + timedelta(hours=hours)
        return history_seeds(world.service, user, 3, at).like

    assert seeds(0) == seeds(12) == seeds(23.9)
    assert len({seeds(24.0 * day + 12) for day in range(20)}) > 10
    assert len({seeds(12, f"user {n}") for n in range(20)}) > 10


def test_likes_and_recent_plays_weigh_more(world: World, ids: list[int]) -> None:
    for track, days, times in ((ids[0], 1, 9), (ids[1], 300, 9), (ids[2], 1, 1)):
        for number in range(times):
            world.catalog.record("", "play", track, ago(days + number / 100))
    world.catalog.record("", "like", ids[3], ago(700))
    found = history_seeds(world.service, "", 8, NOW)
    assert found.like == (ids[0], ids[3], ids[2], ids[1])
    assert found.weights[0] == 1.0
    assert list(found.weights) == sorted(found.weights, reverse=True)
    assert found.notes == ()
    counts = first_seeds(world)
    assert counts[ids[0]] > counts[ids[2]] > counts[ids[1]]


def test_skips_and_likes_taken_back(world: World, ids: list[int]) -> None:
    for track in ids[:3]:
        for day in range(4):
            world.catalog.record("", "play", track, ago(1 + day))
    for day in range(20):
        world.catalog.record("", "skip", ids[1], ago(1 + day / 20))
    world.catalog.record("", "like", ids[2], ago(5))
    world.catalog.record("", "unlike", ids[2], ago(4))
    world.catalog.record("", "skip", ids[4], ago(1))
    found = history_seeds(world.service, "", 8, NOW)
    assert found.like == (ids[0], ids[1])
    assert found.weights[1] < 0.3


def test_what_others_play_has_no_part_in_it(world: World, ids: list[int]) -> None:
    world.catalog.record("", "play", ids[0], ago(1))
    before = todays_request(world.service, now=NOW)
    for number in range(100):
        world.catalog.record("ana", "play", ids[1], ago(1 + number / 100))
    world.catalog.record("ana", "like", ids[1], ago(1))
    assert todays_request(world.service, now=NOW) == before


def test_only_tracks_that_can_be_recommended_are_seeds(world: World, ids: list[int]) -> None:
    for track in ids[:3]:
        world.catalog.record("", "like", track, ago(1))
    with world.catalog.writing() as write:
        write.missing([ids[0]])
    world.catalog.add_exclusion("track", ids[1])
    assert history_seeds(world.service, "", 8, NOW).like == (ids[2],)
    world.catalog.add_exclusion("folder", str(world.folder / "music"))
    with pytest.raises(UsageError, match="excluded 7"):
        history_seeds(world.service, now=NOW)
    with pytest.raises(UsageError, match="at least 1 seed"):
        history_seeds(world.service, count=0)


@pytest.mark.parametrize("liked", [True, False])
def test_seeds_keep_to_the_rules_of_the_list(world: World, liked: bool) -> None:
    tags: list[dict[str, Any]] = [
        {"artist": "Noise"},
        {"artist": "someone", "genre": "Polka"},
        {"artist": "reader", "genre": "Audiobook"},
        {"artist": "choir", "album": "Merry Christmas"},
        {"artist": "jam band", "duration": 1000.0},
    ]
    odd = [world.add(f"{at}.ogg", 10.0 * at, **each) for at, each in enumerate(tags)]
    good = world.add("good.ogg", 90.0, artist="good")
    world.catalog.add_exclusion("artist", "noise")
    world.catalog.add_exclusion("genre", "polka")
    for track in (*odd, good) if liked else ():
        world.catalog.record("", "like", track, ago(1))
    assert history_seeds(world.service, "", 8, NOW).like == (good,)
    in_december = history_seeds(world.service, "", 8, datetime(2026, 12, 20, 12, tzinfo=UTC))
    assert set(in_december.like) == {odd[3], good}
    long = history_seeds(world.service, "", 8, NOW, Rules(max_duration=None, speech=True))
    assert set(long.like) == {odd[2], odd[4], good}


def test_without_history_that_passes_the_rules(world: World, ids: list[int]) -> None:
    jazz = world.add("jazz.ogg", 90.0, genre="Jazz")
    world.catalog.record("", "like", ids[0], ago(1))
    request, seeds = todays_request(world.service, "", Rules(genre="jazz"), now=NOW)
    assert request.seeds.like == (jazz,)
    assert "leave out all that was liked" in seeds.notes[0]


def test_seeds_count_by_their_weights(world: World, ids: list[int]) -> None:
    world.catalog.record("", "like", ids[0], ago(1))
    world.catalog.record("", "play", ids[2], ago(20))
    request, seeds = todays_request(world.service, "", Rules(), Length(tracks=1), NOW)
    assert request.seeds.weights == seeds.weights == pytest.approx((1.0, 0.36), abs=0.1)
    nearer = world.add("nearer.ogg", 15.0, artist="nearer")  # to the first of 0° and 60°
    assert world.service.mix(request, NOW.date()).entries[0].track.id == nearer
    alike = replace(request, seeds=SeedSet(request.seeds.like))
    assert world.service.mix(alike, NOW.date()).entries[0].track.id == ids[1]


def test_what_was_played_lately_is_not_listed_again(world: World, ids: list[int]) -> None:
    events = [("play", 0, 6), ("play", 1, 8), ("skip", 2, 29), ("skip", 3, 31), ("play", 2, 1)]
    for kind, track, days in events:
        world.catalog.record("", kind, ids[track], ago(days))
    world.catalog.record("", "like", ids[5], ago(1))
    world.catalog.record("", "play", ids[6], ago(-1))  # by a clock that is wrong
    request, seeds = todays_request(
        world.service, "", Rules(previous=(ids[7], ids[0])), Length(tracks=3), NOW
    )
    assert seeds.previous == (ids[0], ids[2])
    assert request.rules.previous == (ids[2], ids[7], ids[0])
    assert request.length == Length(tracks=3)
    assert request.rules.random_seed == NOW.astimezone().date().toordinal()
    listed = {entry.track.id for entry in world.service.mix(request, NOW.date()).entries}
    assert listed
    assert listed.isdisjoint({*request.rules.previous, *request.seeds.like})


def test_a_long_history_is_cut(world: World, ids: list[int]) -> None:
    events = [
        Event("", EventKind.PLAY, ids[n % 8], ago(6) + timedelta(seconds=n), "test")
        for n in range(3 * MOST_PREVIOUS)
    ]
    assert world.catalog.record_events(events) == len(events)
    assert set(history_seeds(world.service, now=NOW).previous) == set(ids)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(EventKind)), st.integers(0, 7), st.floats(-5, 1000)),
        max_size=15,
    ),
    st.integers(1, 12),
)
def test_any_history_gives_seeds(
    world: World, ids: list[int], events: list[tuple[EventKind, int, float]], count: int
) -> None:
    world.catalog.clear_history()
    world.catalog.record_events(
        [Event("", kind, ids[track], ago(days), "test") for kind, track, days in events]
    )
    found = history_seeds(world.service, "", count, NOW)
    assert 1 <= len(set(found.like)) == len(found.like) <= count
    assert len(found.weights) == len(found.like)
    assert all(0 < weight <= 1 for weight in found.weights)
    disliked = set(ids) - set(world.catalog.likes())
    liked_once = {ids[track] for kind, track, _ in events if kind is EventKind.LIKE}
    if not found.notes:
        assert not set(found.like) & disliked & liked_once

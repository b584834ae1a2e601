"""Likes, plays and skips of several users, recorded once."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from catalogs import analyse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.catalog import Catalog, Event, EventKind, Library
from recommender.errors import TrackNotFound, UsageError

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def minutes(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


@pytest.fixture
def tracks(catalog: Catalog, library: Library) -> list[int]:
    return [analyse(catalog, library, f"{n}.wav") for n in range(4)]


def test_each_user_has_a_history_by_time(catalog: Catalog, tracks: list[int]) -> None:
    catalog.record("ana", "play", tracks[1], minutes(2))
    catalog.record("ana", "skip", tracks[0], minutes(1), "mpd")
    catalog.record("", "like", tracks[0], minutes(3))
    assert [(e.kind, e.track_id, e.source) for e in catalog.history("ana")] == [
        ("skip", tracks[0], "mpd"),
        ("play", tracks[1], "recsys"),
    ]
    assert [e.track_id for e in catalog.history("ana", since=minutes(2))] == [tracks[1]]
    assert [e.track_id for e in catalog.history("ana", kinds=["skip"])] == [tracks[0]]
    assert [e.at for e in catalog.history()] == [minutes(3)]
    assert catalog.history_users() == {"": 1, "ana": 2}
    assert catalog.clear_history("ana", "mpd") == 1
    assert catalog.clear_history("ana") == 1
    assert catalog.history_users() == {"": 1}


def test_a_like_is_taken_back_and_given_again(catalog: Catalog, tracks: list[int]) -> None:
    for number, (kind, track) in enumerate(
        [("like", 0), ("like", 1), ("unlike", 0), ("like", 2), ("like", 0), ("unlike", 2)]
    ):
        catalog.record("", kind, tracks[track], minutes(number))
    assert catalog.likes() == [tracks[0], tracks[1]]
    assert catalog.likes("somebody else") == []


def test_the_same_event_is_recorded_once(catalog: Catalog, tracks: list[int]) -> None:
    assert catalog.record("", "play", tracks[0], NOON)
    assert not catalog.record("", "play", tracks[0], NOON)
    here = NOON.astimezone(timezone(timedelta(hours=5)))
    assert not catalog.record("", "play", tracks[0], here)
    assert catalog.record("", "play", tracks[0], NOON, "another source")
    assert catalog.record("", "skip", tracks[0], NOON)
    assert catalog.record("ana", "play", tracks[0], NOON)


def test_events_are_recorded_together_or_not_at_all(catalog: Catalog, tracks: list[int]) -> None:
    events = [Event("", EventKind.PLAY, track, NOON, "test") for track in (tracks[0], 77)]
    with pytest.raises(TrackNotFound, match="77"):
        catalog.record_events(events)
    with pytest.raises(UsageError, match="none of like, unlike, skip, play"):
        catalog.record("", "love", tracks[0], NOON)
    assert catalog.history() == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "ana\0", "ü\ud800"]),
            st.sampled_from(list(EventKind)),
            st.integers(0, 3),
            st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
            st.sampled_from(["a", "b"]),
        ),
        max_size=12,
    )
)
def test_recording_again_adds_nothing(
    catalog: Catalog,
    tracks: list[int],
    given_events: list[tuple[str, EventKind, int, datetime, str]],
) -> None:
    events = [Event(user, kind, tracks[at], *rest) for user, kind, at, *rest in given_events]
    for user in catalog.history_users():
        catalog.clear_history(user)
    assert catalog.record_events(events) == len(set(events))
    assert catalog.record_events(reversed(events)) == 0
    stored = [event for user in catalog.history_users() for event in catalog.history(user)]
    assert {(e.kind, e.track_id, e.at, e.source) for e in stored} == {
        (e.kind, e.track_id, e.at, e.source) for e in events
    }

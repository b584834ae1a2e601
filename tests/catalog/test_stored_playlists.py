"""Playlists are replaced whole, and keep their id."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from catalogs import analyse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.catalog import Catalog, Library
from recommender.errors import PlaylistNotFound, TrackNotFound, UsageError
from recommender.utils.names import storable

RECIPE = {"schema_version": 1, "kind": "mix", "seeds": {"like": [1, "ä"]}}
RUN = datetime(2026, 11, 25, 4, 30, tzinfo=UTC)


@pytest.fixture
def tracks(catalog: Catalog, library: Library) -> list[int]:
    return [analyse(catalog, library, f"{n}.wav") for n in range(4)]


def test_what_is_saved_is_read(catalog: Catalog, tracks: list[int], tmp_path: Path) -> None:
    target = tmp_path / os.fsdecode(b"l\xe9.m3u8")
    saved = catalog.save_playlist(
        " Evening ",
        [tracks[2], tracks[0], tracks[2]],
        comment="slow",
        recipe=RECIPE,
        target=target,
        absolute=True,
        run_at=RUN,
    )
    assert catalog.playlist("Evening") == catalog.playlist(saved.id) == saved
    assert (saved.name, saved.user, saved.comment) == ("Evening", "", "slow")
    assert saved.track_ids == (tracks[2], tracks[0], tracks[2])
    assert (saved.recipe, saved.target, saved.absolute, saved.run_at) == (RECIPE, target, True, RUN)


def test_saving_again_replaces_it_whole(catalog: Catalog, tracks: list[int]) -> None:
    first = catalog.save_playlist("a", tracks, recipe=RECIPE, comment="x")
    again = catalog.save_playlist("a", tracks[:1])
    assert (again.id, again.created_at) == (first.id, first.created_at)
    assert (again.track_ids, again.recipe, again.comment) == ((tracks[0],), None, "")
    assert again.changed_at >= first.changed_at
    assert catalog.save_playlist("a", tracks[1:], user="ana").id != first.id
    assert [one.user for one in catalog.playlists()] == ["", "ana"]
    assert [one.track_ids for one in catalog.playlists("ana")] == [tuple(tracks[1:])]


def test_its_tracks_alone_are_replaced(catalog: Catalog, tracks: list[int]) -> None:
    playlist = catalog.save_playlist("a", tracks, recipe=RECIPE, comment="x")
    after = catalog.set_playlist_tracks(playlist.id, tracks[1:2], RUN)
    assert (after.track_ids, after.recipe, after.comment) == ((tracks[1],), RECIPE, "x")
    assert after.run_at == RUN
    assert catalog.set_playlist_tracks(playlist.id, []).run_at == RUN


def test_a_track_that_is_not_there_leaves_all_as_it_was(
    catalog: Catalog, tracks: list[int]
) -> None:
    playlist = catalog.save_playlist("a", tracks)
    for attempt in (
        lambda: catalog.save_playlist("a", [tracks[0], 99]),
        lambda: catalog.set_playlist_tracks(playlist.id, [2**50]),
        lambda: catalog.save_playlist("new", [99]),
    ):
        with pytest.raises(TrackNotFound):
            attempt()
    assert catalog.playlists() == [playlist]


def test_names_that_are_not_there(catalog: Catalog, tracks: list[int]) -> None:
    catalog.save_playlist("Evening", tracks)
    with pytest.raises(PlaylistNotFound, match="did you mean 'Evening'"):
        catalog.playlist("Evenin")
    for attempt in (
        lambda: catalog.playlist(77),
        lambda: catalog.playlist(2**60),
        lambda: catalog.playlist("Evening", user="ana"),
        lambda: catalog.set_playlist_tracks(77, tracks),
    ):
        with pytest.raises(PlaylistNotFound, match="recsys playlist list"):
            attempt()
    with pytest.raises(UsageError, match="needs a name"):
        catalog.save_playlist(" ", tracks)
    assert not catalog.remove_playlist(77)
    assert not catalog.remove_playlist(2**60)


def test_a_removed_playlist_is_gone_and_its_id_is_not_given_again(
    catalog: Catalog, tracks: list[int]
) -> None:
    playlist = catalog.save_playlist("a", tracks)
    assert catalog.remove_playlist(playlist.id)
    assert catalog.playlists() == []
    assert catalog.save_playlist("a", tracks).id > playlist.id


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    name=st.text(min_size=1).filter(lambda text: storable(text).strip()),
    user=st.text(max_size=5),
    order=st.lists(st.integers(0, 3), max_size=600),
)
def test_any_name_and_any_order(
    catalog: Catalog, tracks: list[int], name: str, user: str, order: list[int]
) -> None:
    ids = [tracks[at] for at in order]
    saved = catalog.save_playlist(name, ids, user)
    assert catalog.playlist(name, user) == saved
    assert list(saved.track_ids) == ids
    assert saved.name == storable(name).strip()


def test_name_and_comment_change_and_all_else_stays(catalog: Catalog, tracks: list[int]) -> None:
    saved = catalog.save_playlist("Evening", tracks, recipe=RECIPE)
    catalog.save_playlist("Other", [])
    before = catalog.lists_revision()
    found = catalog.describe_playlist(saved.id, " Morning ", "calm")
    assert (found.name, found.comment) == ("Morning", "calm")
    assert (found.id, found.track_ids, found.recipe) == (saved.id, saved.track_ids, RECIPE)
    assert catalog.lists_revision() > before
    assert catalog.describe_playlist(saved.id, comment="").name == "Morning"
    for name in ("Other", " "):
        with pytest.raises(UsageError):
            catalog.describe_playlist(saved.id, name)
    with pytest.raises(PlaylistNotFound):
        catalog.describe_playlist(999, "x")
    assert catalog.playlist(saved.id).name == "Morning"

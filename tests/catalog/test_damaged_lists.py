"""Damage to what users stored: what cannot be used is dropped or replaced, the rest stays."""

from datetime import UTC, datetime

import pytest
from catalogs import alter, analyse

from recommender.catalog import Catalog, Library
from recommender.errors import CatalogError

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def full(catalog: Catalog, library: Library) -> Catalog:
    """Two users' playlists, events and exclusions, each of the tracks 1 to 3."""
    ids = [analyse(catalog, library, f"{n}.wav") for n in range(3)]
    for user in ("", "ana"):
        catalog.save_playlist("mine", ids, user, recipe={"kind": "mix"}, target="p.m3u8")
        for track in ids:
            catalog.record(user, "play", track, NOON)
    for track in ids:
        catalog.add_exclusion("track", track)
    return catalog


@pytest.mark.sqlite_file
@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("events", "kind", "love"),
        ("events", "at", "yesterday"),
        ("events", "user_name", b"\xff"),
        ("events", "track_id", "two"),
        ("exclusions", "kind", "mood"),
        ("exclusions", "value", b"\xff"),
        ("playlists", "name", b"\xff"),
        ("playlists", "user_name", b"\xff"),
        ("playlists", "recipe", "[1]"),
        ("playlists", "recipe", "{"),
        ("playlists", "target", b"\xff"),
        ("playlists", "absolute", "maybe"),
        ("playlists", "created_at", "never"),
        ("playlists", "changed_at", "never"),
        ("playlists", "run_at", "never"),
        ("playlist_entries", "track_id", "two"),
    ],
)
def test_a_value_that_makes_no_sense(full: Catalog, table: str, column: str, value: object) -> None:
    alter(full, f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE rowid = 2", value)
    rows = full.damaged_rows()
    assert [(row.table, row.column) for row in rows] == [(table, column)]
    assert full.repair_rows(rows) == [True]
    assert full.damaged_rows() == []
    assert full.page_errors() == []
    assert sum(full.history_users().values()) == (5 if table == "events" else 6)
    assert len(full.exclusions()) == (2 if table == "exclusions" else 3)
    entries = [len(playlist.track_ids) for playlist in full.playlists()]
    assert sorted(entries) == [2 if table == "playlist_entries" else 3, 3]


@pytest.mark.sqlite_file
def test_what_refers_to_a_lost_row_goes_with_it(full: Catalog) -> None:
    alter(full, "DELETE FROM tracks WHERE id = 2")  # the database's own checks are off here
    assert len(full.page_errors()) == 6  # one of them the analysis
    full.reindex()
    assert full.page_errors() == []
    assert [playlist.track_ids for playlist in full.playlists()] == [(1, 3), (1, 3)]
    assert full.excluded_tracks().tolist() == [1, 3]


@pytest.mark.sqlite_file
def test_a_salvaged_catalogue_has_its_lists(full: Catalog) -> None:
    before = full.playlists(), full.exclusions(), full.history("ana"), full.lists_revision()
    assert full.salvage().lost == {}
    assert before == (
        full.playlists(),
        full.exclusions(),
        full.history("ana"),
        full.lists_revision(),
    )
    assert full.save_playlist("new", [1]).id > max(one.id for one in before[0])


def test_a_catalogue_with_an_exclusion_alone_is_kept(catalog: Catalog) -> None:
    """An ingest that fails undoes the creation of an empty catalogue only."""
    catalog.add_exclusion("genre", "Audiobook")
    assert not catalog.discard_if_new()
    assert len(catalog.exclusions()) == 1


def test_reading_damage_says_what_to_do(full: Catalog) -> None:
    alter(full, "UPDATE events SET kind = 'love'")
    with pytest.raises(CatalogError, match="recsys verify"):
        full.history()

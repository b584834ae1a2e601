"""What lists compare of tracks follows the catalogue, also where the index is not built again."""

from datetime import date

import numpy as np
import pytest
from catalogs import stat
from toy_world import COPY, World, analysis

from recommender.catalog import Tags
from recommender.recommendation.mix_request import Length, MixRequest, Rules, SeedSet
from recommender.search.catalog_index import CatalogIndex

MANY = 210
"""Tracks from which on an index is brought up to date, not built again."""


@pytest.fixture
def large(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """So many tracks on a quarter of the circle, each of its own duration."""
    library, _ = world.catalog.scope_of(world.folder / "music")
    with world.catalog.writing() as write:
        for number in range(MANY):
            one = analysis(90 + number, duration=100 * 1.03**number)
            tags = Tags(artist=f"artist {number}")
            write.analysed(library, stat(f"{number}.ogg"), str(number), tags, one, "test")
    world.service.index()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(CatalogIndex, "_build", refuse)
    return world


def test_copies_that_come_later(large: World) -> None:
    seed = large.add("seed.ogg", 0, duration=60)
    large.add("copy of the seed.ogg", COPY, duration=60.2)
    large.add("other.ogg", 10, duration=60)
    large.add("copy of the other.ogg", 10 + COPY, duration=60.2)
    large.add("copy of 3.ogg", 93 + COPY, duration=100 * 1.03**3)
    names = large.names(seed, k=300)
    assert "copy of the seed" not in names
    assert len({"other", "copy of the other"} & set(names)) == 1
    assert len({"3", "copy of 3"} & set(names)) == 1
    assert len(large.names(seed, k=300, keep_duplicates=True)) == MANY + 4


def test_new_tags_and_genres(large: World) -> None:
    seed = large.add("seed.ogg", 0, duration=60)
    track_id = large.add("near.ogg", 10, duration=60, artist="artist 1", genre="Jazz")
    assert large.names(seed, genre="jazz") == ["near"]
    with large.catalog.writing() as write:
        write.retagged(track_id, stat("near.ogg"), Tags(artist="Ana & Ben", genre="Rock"), "near")
    assert large.names(seed, genre="jazz") == []
    assert large.names(seed, genre="rock") == ["near"]
    large.add("ben.ogg", 20, duration=60, artist="Ben Lund")
    large.add("both.ogg", 15, duration=70, artist="Ana & Ben Lund")
    assert "ben" not in large.names(seed, per_artist=1)


def test_what_mixes_leave_out(large: World) -> None:
    """Speech and exclusions, of tracks that come later or get other tags."""

    def names(**rules: object) -> set[str]:
        large.service.index()
        request = MixRequest("radio", SeedSet((seed,)), Rules(**rules), Length(tracks=30))
        found = large.service.mix(request, date(2026, 7, 1))
        return {entry.track.path.removesuffix(".ogg") for entry in found.entries} & added

    seed = large.add("seed.ogg", 0, duration=60)
    added = {"song", "carol", "talk", "cid"}
    song = large.add("song.ogg", 10, duration=60)
    large.add("carol.ogg", 15, duration=60, title="Silent Night")
    large.add("talk.ogg", 20, duration=60, genre="Podcast")
    assert names() == {"song"}
    assert names(christmas="always", speech=True) == {"song", "carol", "talk"}
    large.catalog.add_exclusion("artist", "Cid")
    large.add("cid.ogg", 25, duration=60, artist="Ana feat. Cid")
    with large.catalog.writing() as write:
        write.retagged(song, stat("song.ogg"), Tags(genre="Speech"), "song")
    assert names() == set()
    large.catalog.remove_exclusion(large.catalog.exclusions()[0].id)
    assert names(speech=True) == {"song", "talk", "cid"}


def test_albums_follow(large: World) -> None:
    one = large.add("one.ogg", 10, duration=60, album="One", album_artist="Ana")
    two = large.add("two.ogg", 15, duration=60, album="Two", album_artist="Ana")

    def albums() -> list[int]:
        index = large.service.index()
        return [int(index.columns["album"][index.row(track_id)]) for track_id in (one, two)]

    assert len(set(albums())) == 2
    with large.catalog.writing() as write:
        tags = Tags(album="ONE", album_artist="ana")
        write.retagged(two, stat("two.ogg"), tags, "two")
    assert len(set(albums())) == 1


def test_a_snapshot_is_never_changed(large: World) -> None:
    seed = large.add("seed.ogg", 0, duration=60)
    large.add("near.ogg", 10, duration=60)
    first = large.service._snapshots.newest()
    before = {name: column.whole().copy() for name, column in first.index.columns.items()}
    large.add("copy.ogg", 10 + COPY, duration=60)
    large.names(seed)
    assert large.service._snapshots.newest() is not first
    for name, values in before.items():
        np.testing.assert_array_equal(first.index.columns[name].whole(), values)

"""What lists compare of tracks follows the catalogue, also where the index is not built again."""

import numpy as np
import pytest
from catalogs import stat
from toy_world import COPY, World, analysis

from recommender.catalog import Tags
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

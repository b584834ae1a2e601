from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogs import analyse

from recommender.catalog import Catalog
from recommender.catalog.server_records import RemoteKind, RemoteName, RemoteTrack
from recommender.errors import CatalogError, UsageError


@pytest.fixture
def catalog(database: str, tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(database) as catalog:
        library, _ = catalog.scope_of(tmp_path / "music")
        for name in ("a.flac", "b.flac", "c.flac"):
            analyse(catalog, library, name)
        yield catalog


def test_ids_are_found_both_ways_and_replaced_whole(catalog: Catalog) -> None:
    state = catalog.state()
    server = catalog.save_server("home", "navidrome", "http://home", "anna")
    assert (server.linked_at, server.report) == (None, None)
    tracks = [RemoteTrack("x", 1, "path"), RemoteTrack("y", 2, "mbid"), RemoteTrack("z", 2, "path")]
    names = [
        RemoteName(RemoteKind.ARTIST, "ar", "Anna"),
        RemoteName(RemoteKind.ALBUM, "al", "Q", "A"),
    ]
    catalog.set_remote_ids(server.id, tracks, names, {"matched": 3})
    assert catalog.tracks_of_remote(server.id, ["x", "z", "none"]) == {"x": 1, "z": 2}
    assert catalog.remote_ids(server.id, [1, 2, 3, 2**40]) == {1: "x", 2: "y"}
    assert catalog.remote_name(server.id, RemoteKind.ARTIST, "ar") == names[0]
    assert catalog.remote_name(server.id, RemoteKind.ALBUM, "ar") is None
    assert catalog.remote_names(server.id, RemoteKind.ALBUM) == [names[1]]
    [stored] = catalog.servers()
    assert stored.report == {"matched": 3}
    assert stored.linked_at is not None
    catalog.set_remote_ids(server.id, [RemoteTrack("new", 3, "path")])
    assert catalog.remote_ids(server.id, [1, 2, 3]) == {3: "new"}
    assert catalog.remote_names(server.id, RemoteKind.ARTIST) == []
    assert catalog.state() == state


def test_a_server_keeps_its_ids_when_it_is_saved_again(catalog: Catalog) -> None:
    server = catalog.save_server("home", "navidrome", "http://old")
    catalog.set_remote_ids(server.id, [RemoteTrack("x", 1, "path")])
    again = catalog.save_server(" home ", "subsonic", "http://new")
    assert (again.id, again.url, again.linked_at is None) == (server.id, "http://new", False)
    other = catalog.save_server("away", "jellyfin", "http://away")
    catalog.set_remote_ids(other.id, [RemoteTrack("x", 2, "path")])
    assert catalog.tracks_of_remote(server.id, ["x"]) == {"x": 1}
    assert catalog.remove_server(server.id)
    assert not catalog.remove_server(server.id)
    assert [one.name for one in catalog.servers()] == ["away"]
    assert catalog.tracks_of_remote(other.id, ["x"]) == {"x": 2}


def test_a_track_that_is_dropped_takes_its_ids_along(catalog: Catalog) -> None:
    server = catalog.save_server("home", "navidrome", "http://home")
    catalog.set_remote_ids(server.id, [RemoteTrack("x", 1, "path"), RemoteTrack("y", 2, "path")])
    with catalog.writing() as write:
        write.missing([1])
    catalog.prune()
    assert catalog.tracks_of_remote(server.id, ["x", "y"]) == {"y": 2}


def test_what_cannot_be_stored_changes_nothing(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="name"):
        catalog.save_server("  ", "navidrome", "http://home")
    with pytest.raises(UsageError, match="no server"):
        catalog.set_remote_ids(99, [])
    server = catalog.save_server("home", "navidrome", "http://home")
    catalog.set_remote_ids(server.id, [RemoteTrack("x", 1, "path")])
    with pytest.raises(CatalogError):
        catalog.set_remote_ids(server.id, [RemoteTrack("y", 999, "path")])
    assert catalog.tracks_of_remote(server.id, ["x", "y"]) == {"x": 1}


def test_many_ids_are_more_than_one_statement(catalog: Catalog) -> None:
    server = catalog.save_server("home", "navidrome", "http://home")
    catalog.set_remote_ids(
        server.id, [RemoteTrack(f"r{n}", 1 + n % 3, "path") for n in range(2000)]
    )
    found = catalog.tracks_of_remote(server.id, [f"r{n}" for n in range(2000)])
    assert len(found) == 2000
    odd = "\ud800\x00"
    assert catalog.tracks_of_remote(server.id, [odd]) == {}

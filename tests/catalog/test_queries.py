"""Tracks are found by id, state, words and path, whatever their names and tags hold."""

import os
import unicodedata
from pathlib import Path

import pytest
from catalogs import SPACE, analyse, analysis, stat

from recommender.catalog import (
    Catalog,
    Library,
    Tags,
    TrackState,
)
from recommender.errors import TrackNotFound


def test_any_file_name_can_be_stored(catalog: Catalog, library: Library) -> None:
    names = [
        os.fsdecode(name)
        for name in (
            b"\xff\xfe.mp3",
            b"new\nline.mp3",
            rb"back\slash.mp3",
            b"100%_a.mp3",
            b"'\".mp3",
        )
    ]
    ids = [analyse(catalog, library, name) for name in names]
    assert [track.path for track in catalog.tracks(ids)] == names
    assert set(catalog.known_files(library, SPACE)) == set(names)
    for id, name in zip(ids, names, strict=True):
        track = catalog.track_at(library.root / name)
        assert track is not None
        assert track.id == id


def test_tags_that_no_database_takes_are_made_storable(catalog: Catalog, library: Library) -> None:
    tags = Tags(title="nul\x00 and \udcff", track_number=2**40, year=1999)
    track = catalog.track(analyse(catalog, library, "a.mp3", tags=tags))
    assert track.tags == Tags(title="nul\ufffd and \ufffd", year=1999)
    with catalog.writing() as write:
        write.failed(library, stat("b.mp3", mtime_ns=2**70), "unreadable", "bad \udcff name")
    assert catalog.failures()[0].reason == "bad \ufffd name"


def test_unknown_ids(catalog: Catalog, library: Library) -> None:
    track_id = analyse(catalog, library, "a.wav")
    for unknown in (track_id + 1, 0, -1, 2**80):
        with pytest.raises(TrackNotFound, match=str(unknown)):
            catalog.track(unknown)
    with pytest.raises(TrackNotFound):
        catalog.file_hash_of(99)
    with pytest.raises(TrackNotFound), catalog.writing() as write:
        write.retagged(99, stat("a.wav"), Tags(), "d")
    with pytest.raises(TrackNotFound), catalog.writing() as write:
        write.moved(99, library, stat("a.wav"), None)


def test_tracks_come_in_the_order_of_the_ids(catalog: Catalog, library: Library) -> None:
    ids = [analyse(catalog, library, f"{n}.wav") for n in range(4)]
    ids_in_order = [ids[2], ids[0], ids[2]]
    assert [track.id for track in catalog.tracks(ids_in_order)] == ids_in_order
    assert catalog.tracks([]) == []


def test_all_tracks_by_state(catalog: Catalog, library: Library) -> None:
    with catalog.writing() as write:
        ids = [
            write.analysed(library, stat(f"{n}.wav"), f"d{n}", Tags(), analysis(), "v")
            for n in range(503)
        ]
        write.missing(ids[:2])
    assert [track.id for track in catalog.all_tracks()] == ids[2:]
    assert [track.id for track in catalog.all_tracks(TrackState.MISSING)] == ids[:2]
    assert [track.id for track in catalog.all_tracks(None)] == ids


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("jóga", ["b.flac"]),
        ("BJORK joga", ["b.flac"]),
        ("homogenic björk", ["b.flac"]),
        ("joga homo", ["b.flac"]),
        (unicodedata.normalize("NFD", "Jóga"), ["b.flac"]),
        ("strasse", ["Straße/c.mp3"]),
        ("compilation", ["Straße/c.mp3"]),
        ("100%", ["100% a_b.ogg"]),
        ("a_b", ["100% a_b.ogg"]),
        ("a%b", []),
        ("/", ["Straße/c.mp3"]),
        ("joga compilation", []),
        ("\udcff", []),
        ("", ["100% a_b.ogg", "Straße/c.mp3", "b.flac"]),
    ],
)
def test_search(catalog: Catalog, library: Library, words: str, found: list[str]) -> None:
    analyse(catalog, library, "b.flac", tags=Tags("Jóga", "Björk", "Homogenic"))
    analyse(catalog, library, "Straße/c.mp3", tags=Tags(album_artist="Compilation"))
    analyse(catalog, library, "100% a_b.ogg", tags=Tags("axb"))
    assert [track.path for track in catalog.search(words)] == found


def test_search_limit_and_state(catalog: Catalog, library: Library) -> None:
    ids = [analyse(catalog, library, f"song {n}.wav") for n in range(5)]
    with catalog.writing() as write:
        write.missing(ids[:1])
    assert [track.id for track in catalog.search("song", limit=2)] == ids[:2]
    assert catalog.search("song")[0].state is TrackState.MISSING


def test_search_follows_new_tags_and_paths(catalog: Catalog, library: Library) -> None:
    track_id = analyse(catalog, library, "old name.wav", tags=Tags("first title"))
    with catalog.writing() as write:
        write.moved(track_id, library, stat("new name.wav"), None)
    assert catalog.search("old") == []
    assert catalog.search("new first")[0].id == track_id
    with catalog.writing() as write:
        write.retagged(track_id, stat("new name.wav"), Tags("second title"), "d")
    assert catalog.search("first") == []
    assert catalog.search("second")[0].id == track_id


def test_track_at_follows_links(catalog: Catalog, library: Library, tmp_path: Path) -> None:
    elsewhere = tmp_path / "disk" / "album"
    elsewhere.mkdir(parents=True)
    (elsewhere / "a.wav").touch()
    library.root.mkdir()
    (library.root / "linked").symlink_to(elsewhere)
    (tmp_path / "door").symlink_to(library.root)
    track_id = analyse(catalog, library, "linked/a.wav")
    plain_id = analyse(catalog, library, "b.wav")
    for path in (library.root / "linked" / "a.wav", tmp_path / "door" / "linked" / "a.wav"):
        track = catalog.track_at(path)
        assert track is not None
        assert track.id == track_id
    (tmp_path / "favourite.wav").symlink_to(library.root / "b.wav")
    favourite = catalog.track_at(tmp_path / "favourite.wav")
    assert favourite is not None
    assert favourite.id == plain_id
    assert catalog.track_at(tmp_path / "music" / "nothing.wav") is None
    assert catalog.track_at(Path("/")) is None

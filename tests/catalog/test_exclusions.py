"""What is never in mixes: kept with the tracks, folders and libraries that it names."""

import os
from pathlib import Path

import pytest
from catalogs import analyse

from recommender.catalog import Catalog, ExclusionKind, Library
from recommender.errors import TrackNotFound, UsageError


@pytest.fixture
def tracks(catalog: Catalog, library: Library) -> list[int]:
    paths = ("talk/one.mp3", "talk/deep/two.mp3", "talks/three.mp3", "four.mp3")
    return [analyse(catalog, library, path) for path in paths]


def test_tracks_and_what_lies_below_folders(
    catalog: Catalog, library: Library, tracks: list[int]
) -> None:
    catalog.add_exclusion("folder", str(library.root / "talk"))
    assert catalog.excluded_tracks().tolist() == tracks[:2]
    catalog.add_exclusion(ExclusionKind.TRACK, tracks[3])
    assert catalog.excluded_tracks().tolist() == [*tracks[:2], tracks[3]]
    catalog.add_exclusion("folder", str(library.root))
    assert catalog.excluded_tracks().tolist() == tracks


def test_each_kind_is_listed_as_it_was_given(
    catalog: Catalog, library: Library, tracks: list[int]
) -> None:
    catalog.add_exclusion("artist", "Björk")
    catalog.add_exclusion("genre", "Hip-Hop")
    catalog.add_exclusion("track", tracks[0])
    catalog.add_exclusion("folder", str(library.root / "talk"))
    found = [(one.kind, one.value, one.track_id) for one in catalog.exclusions()]
    assert found == [
        ("artist", "Björk", None),
        ("genre", "Hip-Hop", None),
        ("track", str(tracks[0]), tracks[0]),
        ("folder", str(library.root / "talk"), None),
    ]
    assert catalog.excluded_tracks().tolist() == tracks[:2]  # artists and genres are compared later


@pytest.mark.parametrize(
    ("kind", "one", "same"),
    [("artist", "The Beatles", "beatles, the"), ("genre", "Hip-Hop", "hip hop")],
)
def test_one_in_another_spelling_is_not_added_again(
    catalog: Catalog, kind: str, one: str, same: str
) -> None:
    first = catalog.add_exclusion(kind, one)
    before = catalog.lists_revision()
    assert catalog.add_exclusion(kind, same) == first
    assert catalog.lists_revision() == before
    assert catalog.remove_exclusion(first.id)
    assert not catalog.remove_exclusion(first.id)
    assert catalog.exclusions() == []
    assert catalog.add_exclusion(kind, one).id != first.id


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("artist", "Various Artists", "names no artist"),
        ("genre", "unknown", "names no genre"),
        ("track", "a title", "by its id"),
        ("folder", " ", "needs a path"),
        ("mood", "sad", "none of track, artist, folder, genre"),
    ],
)
def test_what_names_nothing_is_refused(catalog: Catalog, kind: str, value: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        catalog.add_exclusion(kind, value)
    with pytest.raises(TrackNotFound):
        catalog.add_exclusion("track", 2**40)
    assert catalog.exclusions() == []


def test_a_folder_follows_its_library(
    catalog: Catalog, library: Library, tracks: list[int], tmp_path: Path
) -> None:
    catalog.add_exclusion("folder", str(library.root / "talk"))
    moved = catalog.move_library(library.root, tmp_path / "elsewhere")
    assert catalog.exclusions()[0].value == str(moved.root / "talk")
    assert catalog.excluded_tracks().tolist() == tracks[:2]
    catalog.scope_of(tmp_path)  # which absorbs it
    assert catalog.exclusions()[0].value == str(tmp_path / "elsewhere" / "talk")
    assert catalog.excluded_tracks().tolist() == tracks[:2]
    catalog.remove_library(tmp_path)
    assert catalog.exclusions() == []


def test_a_folder_may_lie_in_no_library_or_around_several(catalog: Catalog, tmp_path: Path) -> None:
    catalog.add_exclusion("folder", str(tmp_path / "all"))
    assert catalog.excluded_tracks().tolist() == []
    one, _ = catalog.scope_of(tmp_path / "all" / "rock")
    other, _ = catalog.scope_of(tmp_path / "all" / "jazz")
    beside, _ = catalog.scope_of(tmp_path / "alleys")
    ids = [analyse(catalog, each, "a.wav") for each in (one, other, beside)]
    assert catalog.excluded_tracks().tolist() == ids[:2]


@pytest.mark.skipif(os.name != "posix", reason="byte paths and links are POSIX's")
def test_folders_with_any_name_and_behind_links(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    odd = os.fsdecode(b"caf\xe9 %_\\")
    inside = analyse(catalog, library, f"{odd}/a.wav")
    analyse(catalog, library, "cafX YZ/a.wav")
    library.root.mkdir()
    (tmp_path / "link").symlink_to(library.root)
    catalog.add_exclusion("folder", str(tmp_path / "link" / odd))
    assert catalog.exclusions()[0].value == str(library.root / odd)
    assert catalog.excluded_tracks().tolist() == [inside]


def test_no_list_makes_an_index_stale(
    catalog: Catalog, library: Library, tracks: list[int]
) -> None:
    state, lists = catalog.state(), catalog.lists_revision()
    exclusion = catalog.add_exclusion("artist", "A")
    playlist = catalog.save_playlist("mine", tracks)
    changes = [catalog.lists_revision()]
    catalog.remove_exclusion(exclusion.id)
    catalog.remove_playlist(playlist.id)
    changes.append(catalog.lists_revision())
    assert lists < changes[0] < changes[1]
    assert catalog.state() == state


def test_more_folders_than_one_statement_takes(
    catalog: Catalog, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.catalog.exclusions._CONDITIONS", 2)
    ids = [analyse(catalog, library, f"{number}/a.wav") for number in range(6)]
    for number in range(5):
        catalog.add_exclusion("folder", str(library.root / str(number)))
    assert catalog.excluded_tracks().tolist() == ids[:5]

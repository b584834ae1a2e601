"""Libraries: folders inside one another, links, moves, removal, and roots that are not there."""

from pathlib import Path

import numpy as np
import pytest
from catalogs import SPACE, analyse, analysis, revision, stat

from recommender.catalog import (
    Catalog,
    Library,
    TrackState,
)
from recommender.errors import CatalogError


def test_a_folder_inside_a_library_is_part_of_it(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    assert catalog.scope_of(tmp_path / "music") == (library, "")
    assert catalog.scope_of(tmp_path / "music" / "rock" / "live") == (library, "rock/live")
    assert catalog.scope_of(tmp_path / "music" / "rock" / ".." / "jazz") == (library, "jazz")
    assert catalog.scope_of(tmp_path / "music 2")[0] != library
    assert len(catalog.libraries()) == 2


def test_a_folder_around_libraries_absorbs_them(catalog: Catalog, tmp_path: Path) -> None:
    rock, _ = catalog.scope_of(tmp_path / "music" / "rock")
    jazz, _ = catalog.scope_of(tmp_path / "music" / "more" / "jazz")
    beside, _ = catalog.scope_of(tmp_path / "musicals")
    # The same relative path in all three: they must not collide.
    ids = [
        analyse(catalog, library, "a.wav", content_hash=library.root.name, analysed=analysis(n))
        for n, library in enumerate((rock, jazz, beside))
    ]
    with catalog.writing() as write:
        write.failed(jazz, stat("bad.mp3"), "unreadable", "no decoder")
        write.failed(jazz, stat(""), "no-permission", "the folder itself")
    before = catalog.activations(SPACE)

    music, sub = catalog.scope_of(tmp_path / "music")

    assert sub == ""
    assert {library.root.name for library in catalog.libraries()} == {"music", "musicals"}
    tracks = catalog.tracks(ids)
    assert [track.path for track in tracks] == ["rock/a.wav", "more/jazz/a.wav", "a.wav"]
    assert [track.library for track in tracks] == [music, music, beside]
    assert [track.content_hash for track in tracks] == ["rock", "jazz", "musicals"]
    after = catalog.activations(SPACE)
    assert before[0].tolist() == after[0].tolist()
    np.testing.assert_array_equal(before[1], after[1])
    assert [failure.path for failure in catalog.failures()] == ["more/jazz", "more/jazz/bad.mp3"]
    assert catalog.search("more")[0].id == ids[1]
    assert set(catalog.known_files(music, SPACE, under="rock")) == {"rock/a.wav"}
    assert catalog.scope_of(tmp_path / "music" / "rock") == (music, "rock")
    found = catalog.track_at(tmp_path / "music" / "rock" / "a.wav")
    assert found is not None
    assert found.id == ids[0]


def test_a_link_to_a_library_is_that_library(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    (library.root / "rock").mkdir(parents=True)
    (tmp_path / "door").symlink_to(library.root)
    (tmp_path / "side door").symlink_to(library.root / "rock")
    assert catalog.scope_of(tmp_path / "door") == (library, "")
    assert catalog.scope_of(tmp_path / "side door") == (library, "rock")


def test_a_library_replaced_by_a_link_is_still_it(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    (tmp_path / "disk" / "rock").mkdir(parents=True)
    library.root.symlink_to(tmp_path / "disk")
    assert catalog.scope_of(tmp_path / "disk" / "rock") == (library, "rock")
    outer, _ = catalog.scope_of(tmp_path)
    assert catalog.libraries() == [outer]


def test_a_library_moves_with_its_tracks(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    track_id = analyse(catalog, library, "a.wav")
    moved = catalog.move_library(tmp_path / "music", tmp_path / "new" / "folder")
    assert moved == Library(library.id, tmp_path / "new" / "folder")
    assert catalog.libraries() == [moved]
    assert catalog.track(track_id).file == tmp_path / "new" / "folder" / "a.wav"
    assert catalog.move_library(moved.root, moved.root / "deeper").root.name == "deeper"


@pytest.mark.parametrize("target", ["other", "other/inside"])
def test_a_library_moves_into_another(
    catalog: Catalog, library: Library, tmp_path: Path, target: str
) -> None:
    """As after an ingest of a folder that was renamed: both libraries have the same files."""
    other, folder = catalog.scope_of(tmp_path / "other")[0], target[len("other/") :]
    old = {path: analyse(catalog, library, path) for path in ("both", "back", "old")}
    inside = [f"{folder}/{path}" if folder else path for path in ("both", "back", "old")]
    new = {path: analyse(catalog, other, path) for path in inside[:2]}
    with catalog.writing() as write:
        write.missing([new[inside[1]]])
        for of_library, path in ((library, "bad"), (other, "bad"), (library, "worse")):
            write.failed(of_library, stat(path), "unreadable", "no decoder")
    assert catalog.move_library(library.root, tmp_path / target) == other
    assert catalog.libraries() == [other]
    assert {track.path: track.id for track in catalog.all_tracks(None)} == {
        inside[0]: new[inside[0]],
        inside[1]: old["back"],
        inside[2]: old["old"],
    }
    failed = {f"{folder}/{path}" if folder else path for path in ("bad", "worse")} | {"bad"}
    assert {failure.path for failure in catalog.failures()} == failed
    assert [track.id for track in catalog.search(f"{folder} old")] == [old["old"]]


def test_a_library_moves_around_another(catalog: Catalog, library: Library, tmp_path: Path) -> None:
    other, _ = catalog.scope_of(tmp_path / "other" / "library")
    kept = analyse(catalog, library, "a"), analyse(catalog, other, "b")
    moved = catalog.move_library(library.root, tmp_path / "other")
    assert catalog.libraries() == [moved]
    assert [catalog.track(id).path for id in kept] == ["a", "library/b"]


def test_an_unknown_library_does_not_move(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    with pytest.raises(CatalogError, match=r"no library has the root.*music"):
        catalog.move_library(tmp_path / "unknown", tmp_path / "x")


def test_a_library_is_removed_with_all_that_is_in_it(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    other, _ = catalog.scope_of(tmp_path / "other")
    removed = [analyse(catalog, library, path) for path in ("a.wav", "b.wav")]
    kept = analyse(catalog, other, "a.wav")
    with catalog.writing() as write:
        for of_library in (library, other):
            write.failed(of_library, stat("bad.mp3"), "unreadable", "no decoder")
    before = revision(catalog)
    with pytest.raises(CatalogError, match=r"no library has the root.*other"):
        catalog.remove_library(tmp_path)
    assert catalog.remove_library(str(library.root)) == 2
    assert catalog.libraries() == [other]
    assert [track.id for track in catalog.all_tracks(None)] == [kept]
    assert [failure.library for failure in catalog.failures()] == [other]
    assert catalog.analysis_of(removed[0], SPACE) is None
    assert revision(catalog) == before + 1
    assert catalog.remove_library(other.root) == 1
    assert catalog.counts().libraries == 0


def test_unavailable_tracks_are_kept_until_their_files_are_found(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    other, _ = catalog.scope_of(tmp_path / "other")
    a, b, c, d = (analyse(catalog, library, path) for path in "abcd")
    elsewhere = analyse(catalog, other, "a")
    with catalog.writing() as write:
        write.missing([b])
        write.failed(library, stat("c"), "unreadable", "damaged")
    before = revision(catalog)
    assert catalog.set_unavailable(library) == 4
    assert revision(catalog) == before + 1
    assert [catalog.track(id).state for id in (a, b, c, d)] == [
        TrackState.UNAVAILABLE,
        TrackState.UNAVAILABLE,
        TrackState.FAILED,
        TrackState.UNAVAILABLE,
    ]
    assert catalog.activations(SPACE)[0].tolist() == [elsewhere]
    assert catalog.spaces() == [(SPACE, 1)]
    assert catalog.set_unavailable(library) == 4
    assert revision(catalog) == before + 1
    with catalog.writing() as write:
        write.found_again([a, d])
        write.missing([b])
    assert [catalog.track(id).state for id in (a, b, d)] == [
        TrackState.ANALYSED,
        TrackState.MISSING,
        TrackState.ANALYSED,
    ]
    assert catalog.analysis_of(a, SPACE) is not None


@pytest.mark.parametrize("wrong", [3, b"music", None])
def test_folders_are_paths(catalog: Catalog, library: Library, wrong: object) -> None:
    calls = (
        catalog.scope_of,
        catalog.remove_library,
        catalog.track_at,
        lambda path: catalog.move_library(path, "new"),
        lambda path: catalog.move_library("old", path),
    )
    for call in calls:
        with pytest.raises(TypeError, match=r"must be a str or an os\.PathLike of str, not "):
            call(wrong)  # type: ignore[operator]
    assert catalog.scope_of(str(library.root)) == (library, "")

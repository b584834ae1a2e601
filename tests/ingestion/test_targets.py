"""Paths of every kind: folders, single files, known roots, and what is none of these."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest
import sounds

from recommender.catalog import Catalog, TrackState
from recommender.errors import UsageError
from recommender.ingestion import IngestSettings, ingest
from recommender.ingestion.targets import find_targets

SETTINGS = IngestSettings(workers=1, update_index=False)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(str(tmp_path / "catalog.db")) as opened:
        yield opened


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sounds.write_sound(
        tmp_path_factory.mktemp("sound") / "a.wav", sounds.music(1.2, 22_050), 22_050
    )


def put(sound: Path, *files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sound, file)


def listed(catalog: Catalog, state: TrackState = TrackState.ANALYSED) -> list[str]:
    return sorted(track.path for track in catalog.all_tracks(state))


def test_a_single_file_leaves_the_rest_of_its_folder_alone(
    catalog: Catalog, sound: Path, tmp_path: Path
) -> None:
    music = tmp_path / "music"
    put(sound, music / "a.wav", music / "b.wav", music / "sub/c.wav", music / "notes.txt")
    report = ingest(catalog, music / "a.wav", SETTINGS)
    assert (report.scanned, report.analysed) == (1, 1)
    assert [library.root for library in catalog.libraries()] == [music]
    assert listed(catalog) == ["a.wav"]

    # In the library that holds it now; what has gone meanwhile stays as it was.
    sounds.write_sound(music / "a.wav", sounds.music(1.2, 22_050, seed=9), 22_050)
    ingest(catalog, music / "a.wav", SETTINGS)
    (music / "a.wav").unlink()
    report = ingest(catalog, [str(music / "sub/c.wav"), music / "b.wav"], SETTINGS)
    assert (report.scanned, report.analysed, report.missing) == (2, 2, 0)
    assert listed(catalog) == ["a.wav", "b.wav", "sub/c.wav"]
    assert ingest(catalog, os.fspath(music / "b.wav"), SETTINGS).unchanged == 1
    assert ingest(catalog, music / "notes.txt", SETTINGS).skipped_by_ending == {".txt": 1}
    with pytest.raises(UsageError, match="not there"):
        ingest(catalog, music / "a.wav", SETTINGS)

    # A folder that is given, too, takes the file in.
    report = ingest(catalog, [music, music / "b.wav"], SETTINGS)
    assert (report.scanned, report.unchanged, report.missing) == (3, 2, 1)


def test_a_linked_file_keeps_the_name_of_the_link(
    catalog: Catalog, sound: Path, tmp_path: Path
) -> None:
    put(sound, tmp_path / "elsewhere/a.wav", tmp_path / "music/b.wav")
    (tmp_path / "music/link.wav").symlink_to(tmp_path / "elsewhere/a.wav")
    (tmp_path / "music/folder").symlink_to(tmp_path / "elsewhere")
    ingest(catalog, tmp_path / "music", SETTINGS)
    assert ingest(catalog, tmp_path / "music/link.wav", SETTINGS).unchanged == 1
    assert ingest(catalog, tmp_path / "music/folder/a.wav", SETTINGS).unchanged == 1
    assert len(catalog.libraries()) == 1


def test_ignore_files_and_patterns_hold_for_single_files(
    catalog: Catalog, sound: Path, tmp_path: Path
) -> None:
    put(sound, tmp_path / "music/demos/a.wav", tmp_path / "music/b.wav")
    (tmp_path / "music/.recsysignore").write_text("demos/\n")
    ingest(catalog, tmp_path / "music", SETTINGS)
    report = ingest(catalog, tmp_path / "music/demos/a.wav", SETTINGS)
    assert (report.scanned, report.excluded) == (0, 1)


def test_a_file_above_a_library_is_refused(catalog: Catalog, sound: Path, tmp_path: Path) -> None:
    """Its folder would take the library in."""
    put(sound, tmp_path / "home/a.wav", tmp_path / "home/music/b.wav")
    ingest(catalog, tmp_path / "home/music", SETTINGS)
    with pytest.raises(UsageError, match="contains one"):
        ingest(catalog, tmp_path / "home/a.wav", SETTINGS)
    assert [library.root for library in catalog.libraries()] == [tmp_path / "home/music"]


def test_without_paths_every_known_folder_is_refreshed(
    catalog: Catalog, sound: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="name a folder or file"):
        ingest(catalog, settings=SETTINGS)
    put(sound, tmp_path / "one/a.wav", tmp_path / "two/b.wav")
    ingest(catalog, [tmp_path / "one", str(tmp_path / "two")], SETTINGS)
    sounds.write_sound(tmp_path / "one/new.wav", sounds.music(1.2, 22_050, seed=9), 22_050)
    shutil.rmtree(tmp_path / "two")
    report = ingest(catalog, settings=SETTINGS)
    assert (report.analysed, report.unavailable) == (1, ((tmp_path / "two", 1),))
    assert listed(catalog) == ["a.wav", "new.wav"]
    assert listed(catalog, TrackState.UNAVAILABLE) == ["b.wav"]


@pytest.mark.parametrize("wrong", [3, b"music", [b"music"], [PurePath("music"), 3], object()])
def test_other_types_say_what_is_accepted(catalog: Catalog, wrong: object) -> None:
    with pytest.raises(TypeError, match=r"os\.PathLike"):
        ingest(catalog, wrong, SETTINGS)  # type: ignore[arg-type]


def test_an_empty_path_is_not_the_working_folder(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="empty"):
        ingest(catalog, "", SETTINGS)


def test_folders_and_files_inside_a_given_folder_are_scanned_once(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/x.wav").touch()
    (tmp_path / "y.wav").touch()
    targets = find_targets([tmp_path / name for name in ("a/b", "a/x.wav", "a", "y.wav")], [])
    assert targets.folders == (tmp_path / "a",)
    assert targets.files == (tmp_path / "y.wav",)

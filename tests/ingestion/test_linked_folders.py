"""Where links lead that a scan follows to folders is recorded with the library."""

from pathlib import Path

import pytest
import sounds

from recommender.catalog import Catalog
from recommender.ingestion import IngestSettings, ingest


@pytest.fixture
def music(tmp_path: Path) -> Path:
    root = tmp_path / "music"
    for folder in ("music/own", "far/deep", "other"):
        (tmp_path / folder).mkdir(parents=True)
        sounds.write_sound(tmp_path / folder / "a.wav", sounds.music(2, 22_050, 1), 22_050)
    (root / "link").symlink_to(tmp_path / "far", target_is_directory=True)
    (root / "up").symlink_to(tmp_path, target_is_directory=True)  # not followed: it is above
    (root / "again").symlink_to(root / "own", target_is_directory=True)  # entered already
    (root / "broken").symlink_to(tmp_path / "nothing")
    return root


def linked(catalog: Catalog, *paths: Path) -> set[str]:
    ingest(catalog, paths or None, IngestSettings(workers=1))
    [library] = catalog.libraries()
    above = library.root.parent
    return {folder.relative_to(above).as_posix() for folder in library.linked_folders}


def test_links_are_recorded_and_forgotten(music: Path, tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        assert linked(catalog, music) == {"far"}
        (music / "second").symlink_to(tmp_path / "other", target_is_directory=True)
        assert linked(catalog, music / "own") == {"far"}  # what was not scanned stays
        assert linked(catalog) == {"far", "other"}
        (music / "link").unlink()
        assert linked(catalog) == {"other"}


def test_links_follow_a_library_into_one_that_contains_it(music: Path, tmp_path: Path) -> None:
    (tmp_path / "above" / "inner").mkdir(parents=True)
    music.rename(tmp_path / "above" / "inner" / "music")
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        ingest(catalog, tmp_path / "above" / "inner" / "music", IngestSettings(workers=1))
        catalog.scope_of(tmp_path / "above")
        [library] = catalog.libraries()
        assert library.root == tmp_path / "above"
        assert [folder.name for folder in library.linked_folders][:1] == ["far"]

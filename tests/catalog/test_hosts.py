"""Hosts that see a library under paths of their own."""

from pathlib import Path

import pytest
from catalogs import analyse

from recommender.catalog import Catalog, Library
from recommender.errors import CatalogError


def test_each_host_has_its_own_root(
    catalog: Catalog, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = analyse(catalog, library, "a/b.flac")
    monkeypatch.setenv("RECSYS_HOST", "other")
    here = tmp_path / "nas" / "songs"
    mapped = catalog.map_library(library.root, here)
    assert (mapped.id, mapped.root) == (library.id, here)
    assert catalog.libraries() == [mapped]
    assert catalog.track(track).file == here / "a" / "b.flac"
    assert catalog.track_at(here / "a" / "b.flac") == catalog.track(track)
    assert catalog.scope_of(here / "a") == (mapped, "a")
    assert next(catalog.track_names()).file == (here / "a/b.flac").as_posix()
    catalog.set_mount_points(mapped, [tmp_path / "nas"])
    catalog.set_linked_folders(mapped, [tmp_path / "more"])
    assert catalog.libraries()[0].mount_points == (tmp_path / "nas",)
    assert catalog.track(track).library.mount_points == (tmp_path / "nas",)
    monkeypatch.setenv("RECSYS_HOST", "first")
    assert catalog.libraries() == [library]
    assert catalog.libraries()[0].mount_points == ()
    assert catalog.track(track).file == library.root / "a" / "b.flac"
    assert len(catalog.libraries()) == 1


def test_a_mapped_library_moves_on_its_host_alone(
    catalog: Catalog, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.note_host(library)
    monkeypatch.setenv("RECSYS_HOST", "other")
    assert not catalog.is_mapped(library)
    assert catalog.is_elsewhere(library)
    catalog.map_library(library.root, tmp_path / "here")
    catalog.move_library(tmp_path / "here", tmp_path / "there")
    assert catalog.libraries()[0].root == tmp_path / "there"
    assert catalog.map_library(library.root, tmp_path / "again").root == tmp_path / "again"
    monkeypatch.delenv("RECSYS_HOST")
    assert catalog.libraries() == [library]
    catalog.remove_library(library.root)
    assert catalog.libraries() == []


def test_what_cannot_be_mapped(catalog: Catalog, library: Library, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no library has the root"):
        catalog.map_library(tmp_path / "unknown", tmp_path / "here")
    other, _ = catalog.scope_of(tmp_path / "other")
    for here in (other.root, other.root / "inside", tmp_path):
        with pytest.raises(CatalogError, match="lie in each other"):
            catalog.map_library(library.root, here)

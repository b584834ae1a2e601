"""The map of a catalogue: what is near stays near, new tracks move no other."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from map_worlds import SPACE, add_tracks, new_catalog, service_of

from recommender.catalog import Catalog
from recommender.catalog.layout_records import LayoutKind
from recommender.errors import NothingAnalysed, RecsysError
from recommender.library_map import compute_map, map_coordinates, place_new_tracks
from recommender.library_map.quality import neighbourhood_hit, trustworthiness

GROUPS = [0, 1, 2] * 20


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of three groups of tracks, with its map."""
    file = tmp_path_factory.mktemp("mapped") / "catalog.db"
    with new_catalog(file) as catalog:
        add_tracks(catalog, GROUPS)
        compute_map(catalog, service_of(catalog).index())
    return file


@pytest.fixture
def catalog(mapped: Path, tmp_path: Path) -> Catalog:
    file = tmp_path / "copy.db"
    file.write_bytes(mapped.read_bytes())
    with Catalog.open(file) as opened:
        yield opened


def test_groups_lie_apart(catalog: Catalog) -> None:
    found = map_coordinates(service_of(catalog))
    assert found.source == "tsne"
    assert found.note is None
    assert found.ids.tolist() == sorted(found.ids.tolist())
    assert neighbourhood_hit(found.xy, np.array(GROUPS) + 1) > 0.95
    assert found.trustworthiness is not None
    assert found.trustworthiness > 0.8
    quality = found.details["quality"]
    assert quality["neighbourhood_hit"]["predicted"]["chance"] == pytest.approx(19 / 59)


def test_a_map_depends_on_the_vectors_alone(catalog: Catalog) -> None:
    before = map_coordinates(service_of(catalog))
    again = compute_map(catalog, service_of(catalog).index())
    np.testing.assert_array_equal(again.xy, before.xy)


def test_new_tracks_are_placed_and_move_no_other(catalog: Catalog) -> None:
    before = map_coordinates(service_of(catalog))
    add_tracks(catalog, [0, 1, 2], seed=1)
    waiting = map_coordinates(service_of(catalog))
    assert waiting.unplaced == 3
    assert waiting.note is not None
    assert "3 tracks" in waiting.note
    np.testing.assert_array_equal(waiting.xy, before.xy)
    service = service_of(catalog)
    assert place_new_tracks(catalog, service.index()) == {LayoutKind.MAP: 3}
    after = map_coordinates(service)
    assert (after.unplaced, len(after.ids)) == (0, 63)
    np.testing.assert_array_equal(after.xy[:60], before.xy)
    labels = np.array([*GROUPS, 0, 1, 2]) + 1
    nearest = np.linalg.norm(after.xy[60:, None] - after.xy[None, :60], axis=2).argmin(axis=1)
    assert labels[nearest].tolist() == [1, 2, 3]
    assert place_new_tracks(catalog, service.index()) == {LayoutKind.MAP: 0}


def test_it_does_not_matter_in_how_many_steps_tracks_come(mapped: Path, tmp_path: Path) -> None:
    found = []
    for name, steps in {"one": [[0, 1]], "two": [[0], [1]]}.items():
        file = tmp_path / f"{name}.db"
        file.write_bytes(mapped.read_bytes())
        with Catalog.open(file) as opened:
            if len(steps) == 1:
                add_tracks(opened, steps[0], seed=5)
                place_new_tracks(opened, service_of(opened).index())
            else:
                rows = [0, 1]
                for upto in (1, 2):
                    add_tracks(opened, rows[:upto], seed=5)
                    place_new_tracks(opened, service_of(opened).index())
            found.append(map_coordinates(service_of(opened)).xy)
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)


def test_tracks_that_are_gone_are_left_out(catalog: Catalog) -> None:
    library = catalog.libraries()[0]
    with catalog.writing() as write:
        gone = [track.id for track in list(catalog.all_tracks())[:5]]
        write.missing(gone)
    assert library is not None
    found = map_coordinates(service_of(catalog))
    assert len(found.ids) == 55
    assert not set(gone) & set(found.ids.tolist())
    assert found.note is not None
    assert "5 that were on it" in found.note


def test_a_map_of_another_space_is_not_used(catalog: Catalog) -> None:
    other = service_of(catalog, replace(SPACE, projection="other"))
    found = map_coordinates(other)
    assert found.source == "pca"
    assert found.note is not None
    assert "another embedding space" in found.note
    assert place_new_tracks(catalog, other.index()) == {}
    assert compute_map(catalog, other.index()).source == "tsne"
    assert map_coordinates(other).source == "tsne"


def test_a_damaged_map_is_left_out(catalog: Catalog, caplog: pytest.LogCaptureFixture) -> None:
    stored = catalog.layout(LayoutKind.MAP)
    assert stored is not None
    with catalog._changing() as connection:
        connection.exec_driver_sql("UPDATE layouts SET track_values = zeroblob(8)")
    assert catalog.layout(LayoutKind.MAP) is None
    assert "compute it again" in caplog.text
    assert map_coordinates(service_of(catalog)).source == "pca"
    catalog.store_layout(stored)
    assert map_coordinates(service_of(catalog)).source == "tsne"


@pytest.mark.parametrize("count", [1, 2, 9])
def test_few_tracks_have_principal_components(tmp_path: Path, count: int) -> None:
    with new_catalog(tmp_path / "few.db") as catalog:
        add_tracks(catalog, [0] * count)
        found = compute_map(catalog, service_of(catalog).index())
        assert found.source == "pca"
        assert found.xy.shape == (count, 2)
        assert np.isfinite(found.xy).all()
        assert catalog.layout_kinds() == ()


@pytest.mark.parametrize("count", [10, 13])
def test_identical_tracks_have_a_map(tmp_path: Path, count: int) -> None:
    with new_catalog(tmp_path / "same.db") as catalog:
        add_tracks(catalog, [0] * count, spread=0.0)
        found = compute_map(catalog, service_of(catalog).index())
        assert found.source == "tsne"
        assert np.isfinite(found.xy).all()


def test_an_empty_catalogue_has_no_map(tmp_path: Path) -> None:
    with new_catalog(tmp_path / "empty.db") as catalog, pytest.raises(NothingAnalysed):
        map_coordinates(service_of(catalog))


def test_without_openTSNE_the_stored_map_is_read(  # noqa: N802
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.library_map.new_tracks.is_installed", lambda: False)
    add_tracks(catalog, [0], seed=1)
    service = service_of(catalog)
    assert place_new_tracks(catalog, service.index()) == {}
    assert map_coordinates(service).unplaced == 1


@pytest.mark.parametrize("library", ["openTSNE", "sklearn.neighbors"])
def test_what_is_missing_to_compute_is_said(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(RecsysError, match=r"pip install 'recommender\[map\]'"):
        compute_map(catalog, service_of(catalog).index())


def test_trustworthiness_of_what_keeps_all_neighbours_is_one() -> None:
    angles = np.linspace(0, 1, 30)
    circle = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    assert trustworthiness(circle, circle) == pytest.approx(1)
    assert trustworthiness(circle[:3], circle[:3]) is None

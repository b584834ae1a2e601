"""`recsys map` and `clusters`, and new tracks placed by `ingest`."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import recsys
from map_worlds import add_tracks, new_catalog, service_of

from recommender.catalog import Catalog
from recommender.catalog.layout_records import LayoutKind
from recommender.cli.group_options import Group
from recommender.embedding.input_groups import GROUPS, NETWORK
from recommender.library_map import compute_map, map_coordinates
from recommender.recommendation.service import SimilarityService


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of three groups, which commands open with the toy projector."""
    file = Path(os.environ["RECSYS_DB"])
    with new_catalog(file) as catalog:
        add_tracks(catalog, [0, 1, 2] * 8)

    def open_service(url: str | None, *_: object) -> SimilarityService:
        return service_of(Catalog.open(file, create=False))

    monkeypatch.setattr("recommender.cli.library_map.open_service", open_service)
    return file


@pytest.mark.slow  # matplotlib
def test_a_map_is_computed_once_and_drawn(toy: Path, tmp_path: Path) -> None:
    assert recsys("map", "--status", "--json").json["source"] == "pca"
    first = recsys("map", "--plot", tmp_path / "map.svg")
    assert "t-SNE of 24 tracks" in first.out
    assert "drawn" in first.err
    assert (tmp_path / "map.svg").read_text().startswith("<?xml")
    found = recsys("map", "--json").json
    assert found["source"] == "tsne"
    assert len(found["points"]) == 24
    assert recsys("map", "--json").json["computed_at"] == found["computed_at"]
    assert recsys("map", "--again", "--json").json["computed_at"] > found["computed_at"]


def test_new_tracks_are_placed_when_the_map_is_asked_for(toy: Path) -> None:
    recsys("map")
    with Catalog.open(toy) as catalog:
        add_tracks(catalog, [1], seed=1)
    status = recsys("map", "--status")
    assert "1 tracks are not on it yet" in status.err
    assert len(recsys("map", "--json").json["points"]) == 25


def test_clusters_are_listed_and_kept_as_playlists(toy: Path, tmp_path: Path) -> None:
    assert "no clusters are stored" in recsys("clusters", "--status").err
    table = recsys("clusters", "--count", 3)
    assert [line.split()[-1] for line in table.out.splitlines()[1:4]] == ["blues", "jazz", "rock"]
    assert "Stability" in table.out
    listed = recsys("clusters", 2, "--save", "Second").out
    assert "cluster 2, jazz: 8 tracks" in listed
    with Catalog.open(toy) as catalog:
        assert len(catalog.playlist("Second").track_ids) == 8
    refused = recsys("clusters", 2, "--save", "Second")
    assert refused.status == 1
    assert "--replace" in refused.err
    assert recsys("clusters", 1, "--save", "Second", "--replace").status == 0
    recsys("clusters", 3, "--m3u", tmp_path / "third.m3u8")
    found = recsys("clusters", "--json").json
    assert [one["size"] for one in found["clusters"]] == [8, 8, 8]
    assert recsys("clusters", 3, "--json").json["name"] == "rock"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("map --again --status", "contradict"),
        ("clusters --count 3 --status", "contradict"),
        ("clusters --save Name", "NUMBER"),
        ("clusters 99", "none is number 99"),
        ("clusters --method hdbscan --count 3", "HDBSCAN finds its own"),
        ("map --plot map.txt", "cannot be written"),
    ],
)
def test_bad_input_is_one_line(toy: Path, words: str, message: str) -> None:
    found = recsys(*words.split())
    assert found.status == 1
    assert message in found.err
    assert found.err.count("\n") == 1


def test_an_ingest_places_new_tracks(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("coordinates", "new_tracks"):
        monkeypatch.setattr(f"recommender.library_map.{module}.FEWEST", 4)
    with SimilarityService.open(catalog) as service:
        compute_map(service.catalog, service.index())
        whole = service.catalog.layout(LayoutKind.MAP)
        assert whole is not None
        without_last = replace(
            whole,
            ids=whole.ids[:-1],
            values=whole.values[:-1],
            details={**whole.details, "fitted": len(whole.ids) - 1},
        )
        service.catalog.store_layout(without_last)
        assert map_coordinates(service).unplaced == 1
        assert recsys("ingest").status == 0
        assert map_coordinates(service).unplaced == 0


def test_groups_on_the_command_line_are_those_of_the_library() -> None:
    assert {group.value for group in Group} == {NETWORK, *GROUPS}


def test_lists_are_explained(catalog: Path) -> None:
    table = recsys("similar", 1, "--why")
    assert "why" in table.out.splitlines()[1]
    found = recsys("similar", 1, "--why", "--more", "rhythm", "--more", "rhythm", "--json").json
    assert found["weights"] == {"rhythm": 4.0}
    for neighbour in found["neighbours"]:
        total = sum(neighbour["why"]["groups"].values())
        assert total == pytest.approx(neighbour["similarity"], abs=4e-4)
    table = recsys("similar", 1, "--less", "timbre")
    assert "timbre x0.5" in table.out
    plain = recsys("similar", 1, "--json").json
    assert recsys("similar", 1, "--more", "rhythm", "--less", "rhythm", "--json").json == plain

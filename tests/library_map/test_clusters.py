"""Clusters are found without labels, and judged against chance."""

from pathlib import Path

import numpy as np
import pytest
from map_worlds import add_tracks, new_catalog, service_of
from sklearn.metrics import adjusted_rand_score

from recommender.catalog import Catalog
from recommender.errors import UsageError
from recommender.library_map import clusters, compute_clusters, members, place_new_tracks
from recommender.library_map.agreement import agreement, stability
from recommender.library_map.cluster_names import cluster_names, typical_words
from recommender.library_map.clustering import NOISE, Method, assign, by_size, cluster
from recommender.musical_descriptors.words import WORDS

GROUPS = [0] * 30 + [1] * 20 + [2] * 15


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    with new_catalog(tmp_path / "catalog.db") as opened:
        add_tracks(opened, GROUPS)
        yield opened


@pytest.mark.parametrize(("method", "count"), [("kmeans", 3), ("hdbscan", None)])
def test_groups_are_found(catalog: Catalog, method: Method, count: int | None) -> None:
    service = service_of(catalog)
    assert clusters(service) is None
    compute_clusters(catalog, service.index(), method, count)
    found = clusters(service)
    assert found is not None
    assert adjusted_rand_score(GROUPS, found.labels) > 0.9
    assert found.names == ("blues", "jazz", "rock")
    assert list(found.sizes) == sorted(found.sizes, reverse=True)
    assert sum(found.sizes) + found.noise == len(GROUPS) == len(found.ids)
    assert found.stability is not None
    assert found.stability > 0.9
    assert found.details["stability"]["null_mean"] < found.stability - 0.1
    assert found.details["agreement"]["tagged"]["p"] == pytest.approx(1 / 200)
    assert found.details["agreement"]["artist"]["ami"] < 0.2


def test_new_tracks_are_assigned_and_no_other_changes(catalog: Catalog) -> None:
    before = compute_clusters(catalog, service_of(catalog).index(), "kmeans", 3)
    add_tracks(catalog, [2, 0], seed=1)
    service = service_of(catalog)
    waiting = clusters(service)
    assert waiting is not None
    assert waiting.unplaced == 2
    place_new_tracks(catalog, service.index())
    after = clusters(service)
    assert after is not None
    assert after.labels[:65].tolist() == before.labels.tolist()
    assert after.labels[65:].tolist() == [2, 0]
    assert after.sizes == (31, 20, 16)


def test_members_begin_with_the_most_typical(catalog: Catalog) -> None:
    service = service_of(catalog)
    found = compute_clusters(catalog, service.index(), "kmeans", 3)
    ids = members(service, found, 0)
    index = service.index()
    vectors = index.vectors[index.rows(ids)]
    typical = vectors @ vectors.mean(axis=0)
    assert (np.diff(typical) <= 1e-6).all()
    with pytest.raises(UsageError, match="none is number 4"):
        members(service, found, 3)


def test_what_lies_between_is_noise() -> None:
    rng = np.random.default_rng(0)
    near = [rng.normal(centre, 0.05, (40, 2)) for centre in (0, 5)]
    far = rng.uniform(-30, 30, (8, 2))
    labels = cluster("hdbscan", np.concatenate([*near, far]).astype(np.float32), 0)
    assert set(labels[:80]) == {0, 1}
    assert (labels[80:] == NOISE).mean() > 0.7


@pytest.mark.parametrize("count", [1, 2, 9])
def test_too_few_tracks_are_refused(tmp_path: Path, count: int) -> None:
    with new_catalog(tmp_path / "few.db") as catalog:
        add_tracks(catalog, [0] * count)
        with pytest.raises(UsageError, match=f"the catalogue has {count}"):
            compute_clusters(catalog, service_of(catalog).index())


@pytest.mark.parametrize("method", ["kmeans", "hdbscan"])
def test_identical_tracks_are_one_cluster_or_noise(tmp_path: Path, method: Method) -> None:
    with new_catalog(tmp_path / "same.db") as catalog:
        add_tracks(catalog, [0] * 12, spread=0.0)
        found = compute_clusters(catalog, service_of(catalog).index(), method)
        assert len(set(found.labels.tolist())) == 1
        assert found.stability == 0.0


@pytest.mark.parametrize(("method", "count"), [("hdbscan", 3), ("kmeans", 1), ("kmeans", 66)])
def test_a_number_of_clusters_out_of_range_is_refused(
    catalog: Catalog, method: Method, count: int
) -> None:
    with pytest.raises(UsageError, match="number of clusters"):
        compute_clusters(catalog, service_of(catalog).index(), method, count)


def test_further_points_get_the_cluster_that_is_near() -> None:
    reference = np.array([[0, 0], [0.1, 0], [5, 5], [5.1, 5], [9, 0]], np.float32)
    labels = np.array([0, 0, 1, 1, NOISE])
    new = np.array([[0.2, 0.1], [5, 4.8]], np.float32)
    assert assign("kmeans", new, reference, np.where(labels < 0, 1, labels)).tolist() == [0, 1]
    assert assign("hdbscan", new, np.repeat(reference, 3, 0), np.repeat(labels, 3)).tolist() == [
        0,
        1,
    ]


def test_clusters_are_numbered_by_size() -> None:
    labels = np.array([2, 0, 0, 1, 1, 1, NOISE])
    assert by_size(labels).tolist() == [2, 1, 1, 0, 0, 0, NOISE]


def test_a_cloud_without_clusters_is_no_stabler_than_its_null() -> None:
    cloud = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32)
    found = stability(cloud, lambda points: cluster("kmeans", points, 5))
    assert found["mean"] < found["null_most"] + 0.1


def test_agreement_with_random_labels_is_chance() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(4), 50)
    known = agreement(groups, groups + 7)
    chance = agreement(groups, rng.integers(1, 5, 200))
    assert known is not None
    assert known["ami"] == pytest.approx(1)
    assert known["p"] == pytest.approx(0.005)
    assert chance is not None
    assert abs(chance["ami"]) < 0.05
    assert chance["p"] > 0.05
    assert agreement(groups, np.zeros(200, np.int64)) is None
    assert agreement(np.full(200, NOISE), groups + 1) is None


def test_names_differ() -> None:
    genres = [["jazz"] * 3, ["jazz"] * 2 + ["pop"], ["pop", "rock", "disco"], []]
    assert cluster_names(genres) == ("jazz 1", "jazz 2", "disco and pop", "unnamed")


def test_words_say_what_sets_a_cluster_apart() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2, NOISE], 20)
    columns = rng.uniform(size=(80, len(WORDS))).astype(np.float32)
    names = list(WORDS)
    columns[labels == 0, names.index("energy")] += 2
    columns[labels == 1, names.index("vocals")] = np.nan
    columns[labels == 2, names.index("vocals")] -= 2
    found = typical_words(columns, labels)
    assert "energetic" in found[0]
    assert not {"vocal", "instrumental"} & set(found[1])
    assert found[2] == ("instrumental",)
    assert cluster_names([["jazz"]] * 3, found)[2] == "jazz, instrumental"
    assert typical_words(np.full_like(columns, np.nan), labels) == [(), (), ()]

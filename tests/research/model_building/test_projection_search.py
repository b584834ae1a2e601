"""Candidate projections of models that consist of several parts, on toy worlds."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from toy_activations import toy_world

from recommender.embedding.projection import Projection
from recommender.projections.lda import CANDIDATES, fit_ledoit_wolf_lda
from recommender.projections.wccn import WccnSettings
from recommender.research.model_building.activations import Activations
from recommender.research.model_building.projection_search import (
    COMBINED_CANDIDATES,
    COMPONENTS,
    fit_candidates,
    fit_on_networks,
    joint_lda,
    joint_wccn,
)


def used(matrix: np.ndarray, where: slice) -> bool:
    return bool(matrix[where].any())


@pytest.fixture(scope="module")
def both() -> tuple[Activations, np.ndarray]:
    return toy_world(0)


@pytest.fixture(scope="module")
def fitted(both):
    return fit_candidates(*both)


class TestCandidates:
    def test_every_mixture_is_there_and_gives_unit_rows(self, both, fitted) -> None:
        assert len(fitted) == len(COMBINED_CANDIDATES)
        for projection in fitted.values():
            rows = projection.apply(both[0].tracks)
            np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)

    def test_weights_are_of_the_squared_length(self, both, fitted) -> None:
        train = both[0]
        projection = fitted["network LDA 0.2 + descriptor WCCN 0.4 + descriptor LDA 0.4"]
        squares = ((train.tracks - projection.mean) @ projection.matrix) ** 2
        of_network = projection.matrix[train.layout.all_networks].any(axis=0)
        assert squares[:, of_network].sum(axis=1).mean() == pytest.approx(0.2, rel=1e-3)
        assert squares.sum(axis=1).mean() == pytest.approx(1, rel=1e-3)

    def test_a_component_uses_its_part_alone(self, both) -> None:
        train, labels = both
        for name, fit in COMPONENTS.items():
            matrix = fit(train, labels).matrix
            assert used(matrix, train.layout.all_networks) == ("network" in name)
            assert used(matrix, train.layout.descriptors) == ("descriptor" in name)

    def test_joint_whitening_standardises_every_part_by_itself(self) -> None:
        """A network whose activations are tiny beside the descriptors counts as much."""
        (large, labels), (tiny, _) = toy_world(0), toy_world(0, networks=(1e-3,))
        for fit in (partial(joint_wccn, settings=WccnSettings(components=20)), joint_lda):
            similarities, expected = (
                fit(world, labels).apply(world.tracks) @ fit(world, labels).apply(world.tracks).T
                for world in (tiny, large)
            )
            np.testing.assert_allclose(similarities, expected, atol=1e-2)

    def test_joint_whitening_discounts_what_low_pass_filtering_changes(self, both) -> None:
        train, labels = both
        changed = train.tracks.copy()
        changed[:, 5] += np.where(np.arange(len(changed)) % 2, 3, -3)  # of the network
        whitened = replace(train, low_passed=changed)
        plain, robust = (joint_wccn(world, labels) for world in (train, whitened))

        def length(projection: Projection) -> float:
            moved, total = projection.matrix[5], projection.matrix
            return float(np.linalg.norm(moved) / np.linalg.norm(total))

        assert length(robust) < 0.9 * length(plain)

    def test_descriptors_alone(self) -> None:
        train, labels = toy_world(0, networks=(), noise=())
        names = list(fit_candidates(train, labels))
        assert names[0] == "descriptor WCCN 1"
        assert all("network" not in name for name in names)

    def test_a_network_alone_has_the_candidates_it_always_had(self) -> None:
        train, labels = toy_world(0, descriptors=None)
        test, _ = toy_world(1, descriptors=None)
        found = fit_candidates(train, labels)
        assert list(found) == list(CANDIDATES)
        for name, fit in CANDIDATES.items():
            expected = fit(train.tracks, labels).apply(test.tracks)
            np.testing.assert_allclose(found[name].apply(test.tracks), expected, atol=1e-3)

    def test_a_network_of_small_activations_counts(self) -> None:
        """Beside another's, its deviations are less than a thousandth."""
        train, labels = toy_world(0, networks=(1.0, 1e-5), noise=(1.0, 1.0), descriptors=None)
        matrix = fit_on_networks(fit_ledoit_wolf_lda, train, labels).matrix
        assert all(used(matrix, where) for where in train.layout.networks)

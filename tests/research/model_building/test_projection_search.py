"""Projections and heads of models that consist of several parts, on toy worlds."""

import numpy as np
import pytest

from recommender.embedding.genre_head import GenreHead
from recommender.features.descriptors import DIMENSION
from recommender.projections.lda import CANDIDATES, discriminants
from recommender.research.model_building.activations import Activations, ActivationLayout
from recommender.research.model_building.head_fitting import fitted_head, head_as_chosen
from recommender.research.model_building.projection_search import (
    BOTH_SHARES,
    INGREDIENTS,
    fit_candidates,
    fit_on_networks,
)
from recommender.research.training.inference import log_loss

CLASSES, PER_CLASS, CLIPS = 4, 12, 3


def toy_part(generator, labels, size: int, *, scale: float, noise: float) -> np.ndarray:
    """Clips [n, c, size] whose first values tell the classes apart, as far as noise lets them."""
    values = generator.normal(0, 1, (len(labels), 1, size))
    values[:, 0, :CLASSES] = noise * values[:, 0, :CLASSES] + 3 * np.eye(CLASSES)[labels]
    values = values + generator.normal(0, 0.3, (len(labels), CLIPS, size))
    return (scale * values + 2).astype(np.float32)


def toy_world(
    seed: int,
    networks: tuple[float, ...] = (1.0,),
    noise: tuple[float, ...] = (1.0,),
    descriptors: float | None = 2.0,
) -> tuple[Activations, np.ndarray]:
    """Networks of 12 activations, each on a scale, then descriptors of some noise."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(CLASSES), PER_CLASS)
    analysed = [
        toy_part(generator, labels, 12, scale=scale, noise=level)
        for scale, level in zip(networks, noise, strict=True)
    ]
    if descriptors is not None:
        analysed.append(toy_part(generator, labels, DIMENSION, scale=10, noise=descriptors))
    clips = np.concatenate(analysed, axis=2)
    parts = ActivationLayout.of([12] * len(networks), descriptors is not None)
    return Activations(clips.mean(axis=1), clips, parts), labels


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
        assert len(fitted) == len(BOTH_SHARES)
        for projection in fitted.values():
            rows = projection.apply(both[0].tracks)
            np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)

    def test_shares_are_of_the_squared_length(self, both, fitted) -> None:
        known = both[0]
        projection = fitted["network LDA 0.2 + descriptor WCCN 0.4 + descriptor LDA 0.4"]
        squares = ((known.tracks - projection.mean) @ projection.matrix) ** 2
        of_network = projection.matrix[known.layout.all_networks].any(axis=0)
        assert squares[:, of_network].sum(axis=1).mean() == pytest.approx(0.2, rel=1e-3)
        assert squares.sum(axis=1).mean() == pytest.approx(1, rel=1e-3)

    def test_an_ingredient_takes_its_part_alone(self, both) -> None:
        known, labels = both
        for name, fit in INGREDIENTS.items():
            matrix = fit(known, labels).matrix
            assert used(matrix, known.layout.all_networks) == name.startswith("network")
            assert used(matrix, known.layout.descriptors) != name.startswith("network")

    def test_descriptors_alone(self) -> None:
        known, labels = toy_world(0, networks=(), noise=())
        names = list(fit_candidates(known, labels))
        assert names[0] == "descriptor WCCN 1"
        assert all("network" not in name for name in names)

    def test_a_network_alone_has_the_candidates_it_always_had(self) -> None:
        known, labels = toy_world(0, descriptors=None)
        unseen, _ = toy_world(1, descriptors=None)
        found = fit_candidates(known, labels)
        assert list(found) == list(CANDIDATES)
        for name, fit in CANDIDATES.items():
            expected = fit(known.tracks, labels).apply(unseen.tracks)
            np.testing.assert_allclose(found[name].apply(unseen.tracks), expected, atol=1e-3)

    def test_a_network_of_small_activations_counts(self) -> None:
        """Beside another's, its deviations are less than a thousandth."""
        known, labels = toy_world(0, networks=(1.0, 1e-5), noise=(1.0, 1.0), descriptors=None)
        matrix = fit_on_networks(discriminants, known, labels).matrix
        assert all(used(matrix, where) for where in known.layout.networks)


def accuracy(head: GenreHead, unseen: tuple[Activations, np.ndarray]) -> float:
    activations, labels = unseen
    return float((head.probabilities(activations.tracks).argmax(axis=1) == labels).mean())


class TestFittedHead:
    def test_both_parts_tell_more_than_either(self) -> None:
        world = {"noise": (4.0,), "descriptors": 4.0}
        known, asked, unseen = (toy_world(seed, **world) for seed in range(3))
        head, _ = fitted_head(*known, *asked)
        network, descriptors = known[0].layout.all_networks, known[0].layout.descriptors
        alone = []
        for where, parts in (
            (network, ActivationLayout.of([12], False)),
            (descriptors, ActivationLayout.of([], True)),
        ):
            own = [
                (Activations(a.tracks[:, where], a.clips[:, :, where], parts), labels)
                for a, labels in (known, asked, unseen)
            ]
            alone.append(accuracy(fitted_head(*own[0], *own[1])[0], own[2]))
        assert accuracy(head, unseen) >= max(alone)

    def test_scales_of_the_parts_do_not_matter(self) -> None:
        plain = [toy_world(seed, (1.0, 1.0), (2.0, 2.0)) for seed in range(3)]
        scaled = [toy_world(seed, (1.0, 1e3), (2.0, 2.0)) for seed in range(3)]
        one, other = (fitted_head(*world[0], *world[1])[0] for world in (plain, scaled))
        np.testing.assert_allclose(
            one.probabilities(plain[2][0].tracks),
            other.probabilities(scaled[2][0].tracks),
            atol=1e-3,
        )

    def test_a_part_that_tells_nothing_gets_the_least_weight(self) -> None:
        known, asked = (toy_world(seed, noise=(0.5,), descriptors=1e6) for seed in (0, 1))
        for world, generator in ((known, 5), (asked, 6)):
            where = world[0].layout.descriptors
            noise = np.random.default_rng(generator).normal(size=(len(world[1]), DIMENSION))
            world[0].tracks[:, where] = noise
        head, _ = fitted_head(*known, *asked)
        logits = [
            world.tracks[:, where] @ head.weight[where]
            for world in [asked[0]]
            for where in (world.layout.all_networks, world.layout.descriptors)
        ]
        assert logits[0].std() > 2 * logits[1].std()

    def test_temperature_is_that_of_least_loss_on_the_validation_tracks(self) -> None:
        known, asked = (toy_world(seed, noise=(3.0,), descriptors=None) for seed in (0, 1))
        head, _ = fitted_head(*known, *asked)
        losses = {
            factor: log_loss(
                GenreHead(factor * head.weight, factor * head.bias).probabilities(asked[0].tracks),
                asked[1],
            )
            for factor in (np.float32(0.7), np.float32(1.0), np.float32(1.4))
        }
        assert min(losses, key=losses.get) == 1.0

    @pytest.mark.parametrize("world", [{"noise": (3.0,), "descriptors": None}, {"noise": (3.0,)}])
    def test_the_same_choice_gives_the_same_head(self, world) -> None:
        known, asked = (toy_world(seed, **world) for seed in (0, 1))
        head, choice = fitted_head(*known, *asked)
        again = head_as_chosen(*known, choice)
        assert again.digest == head.digest
        assert (choice.descriptor_weight == 0) == (known[0].layout.descriptors is None)

"""Genre heads of models that consist of several parts, on toy worlds."""

import numpy as np
import pytest
from toy_activations import toy_world

from recommender.embedding.genre_head import GenreHead
from recommender.features.descriptors import DIMENSION
from recommender.research.model_building.activations import ActivationLayout, Activations
from recommender.research.model_building.head_fitting import fit_head, refit_head
from recommender.research.training.inference import log_loss


def accuracy(head: GenreHead, test: tuple[Activations, np.ndarray]) -> float:
    activations, labels = test
    return float((head.probabilities(activations.tracks).argmax(axis=1) == labels).mean())


class TestFitHead:
    def test_both_parts_are_more_accurate_than_either(self) -> None:
        world = {"noise": (4.0,), "descriptors": 4.0}
        train, valid, test = (toy_world(seed, **world) for seed in range(3))
        head, _ = fit_head(*train, *valid)
        network, descriptors = train[0].layout.all_networks, train[0].layout.descriptors
        alone = []
        for where, parts in (
            (network, ActivationLayout.of([12], False)),
            (descriptors, ActivationLayout.of([], True)),
        ):
            own = [
                (Activations(a.tracks[:, where], a.clips[:, :, where], parts), labels)
                for a, labels in (train, valid, test)
            ]
            alone.append(accuracy(fit_head(*own[0], *own[1])[0], own[2]))
        assert accuracy(head, test) >= max(alone)

    def test_scales_of_the_parts_do_not_matter(self) -> None:
        plain = [toy_world(seed, (1.0, 1.0), (2.0, 2.0)) for seed in range(3)]
        scaled = [toy_world(seed, (1.0, 1e3), (2.0, 2.0)) for seed in range(3)]
        one, other = (fit_head(*world[0], *world[1])[0] for world in (plain, scaled))
        np.testing.assert_allclose(
            one.probabilities(plain[2][0].tracks),
            other.probabilities(scaled[2][0].tracks),
            atol=1e-3,
        )

    def test_a_part_without_information_gets_the_least_weight(self) -> None:
        train, valid = (toy_world(seed, noise=(0.5,), descriptors=1e6) for seed in (0, 1))
        for world, generator in ((train, 5), (valid, 6)):
            where = world[0].layout.descriptors
            noise = np.random.default_rng(generator).normal(size=(len(world[1]), DIMENSION))
            world[0].tracks[:, where] = noise
        head, _ = fit_head(*train, *valid)
        logits = [
            world.tracks[:, where] @ head.weight[where]
            for world in [valid[0]]
            for where in (world.layout.all_networks, world.layout.descriptors)
        ]
        assert logits[0].std() > 2 * logits[1].std()

    def test_temperature_is_that_of_least_loss_on_the_validation_tracks(self) -> None:
        train, valid = (toy_world(seed, noise=(3.0,), descriptors=None) for seed in (0, 1))
        head, _ = fit_head(*train, *valid)
        losses = {
            factor: log_loss(
                GenreHead(factor * head.weight, factor * head.bias).probabilities(valid[0].tracks),
                valid[1],
            )
            for factor in (np.float32(0.7), np.float32(1.0), np.float32(1.4))
        }
        assert min(losses, key=losses.get) == 1.0

    @pytest.mark.parametrize("world", [{"noise": (3.0,), "descriptors": None}, {"noise": (3.0,)}])
    def test_the_same_choice_gives_the_same_head(self, world) -> None:
        train, valid = (toy_world(seed, **world) for seed in (0, 1))
        head, choice = fit_head(*train, *valid)
        again = refit_head(*train, choice)
        assert again.digest == head.digest
        assert (choice.descriptor_weight == 0) == (train[0].layout.descriptors is None)

"""Which candidate is kept, in toy worlds where the right one is known."""

import numpy as np
import pytest
from adaptation_worlds import (
    GENRES,
    World,
    artists_of,
    by_artist,
    common_component,
    noise,
    weighed_down,
)

from recommender.adaptation import Measure
from recommender.search.reranking import RerankingSettings


def test_centring_is_kept_where_it_makes_hubs_smaller() -> None:
    found = World(common_component(4 * RerankingSettings().min_tracks - 4)).adaptation()
    assert found.measure is Measure.HUBS
    assert found.kept.name == "centred"
    assert found.kept.skewness < found.shipped.skewness - 0.3
    assert found.kept.anti_hub_rate < found.shipped.anti_hub_rate
    assert found.projection is not None
    assert "too few to measure more than hubs" in found.choice.reason


def test_centring_is_kept_where_artists_are_found_by_it() -> None:
    found = World(by_artist(), artists=artists_of(400)).adaptation()
    assert found.measure is Measure.ARTIST
    assert found.projection is not None
    assert found.kept.name != "as shipped"
    assert found.kept.difference > 0.05
    assert found.kept.p < 0.05


def test_lda_is_kept_where_the_model_weighs_the_genres_down() -> None:
    world = weighed_down()
    found = world.adaptation()
    assert found.measure is Measure.GENRE
    assert found.genres == GENRES
    assert found.kept.name.endswith("+ genres 0.4")
    assert found.kept.value > found.shipped.value + 0.3
    assert found.kept.p < 0.01


@pytest.mark.parametrize("seed", range(3))
def test_genres_that_say_nothing_leave_the_model_as_it_is(seed: int) -> None:
    genres = np.random.default_rng(seed).choice(GENRES, 400).tolist()
    found = World(noise(400, seed), genres, artists_of(400)).adaptation()
    assert found.measure is Measure.GENRE
    assert found.projection is None
    assert found.kept == found.shipped
    for tried in found.choice.tried:
        assert tried.value == pytest.approx(1 / 3, abs=0.08)  # learned on others, and by chance


def test_tracks_alike_in_every_way_leave_the_model_as_it_is() -> None:
    found = World(noise(200)).adaptation()
    assert found.measure is Measure.HUBS
    assert found.projection is None


def test_an_artists_sound_alone_convinces_nobody() -> None:
    """Three artists of a hundred gain much, and by their signs that may be chance."""
    activations, artists = noise(400), artists_of(400, tracks_each=100)
    found = World(activations, artists=artists).adaptation()
    assert found.measure is Measure.ARTIST
    assert found.projection is None
    assert all(tried.p > 0.1 for tried in found.choice.tried[1:])

"""How many candidates a path compares with each other, whatever the catalogue has."""

import numpy as np
import pytest
from toy_world import World

from recommender.recommendation import path
from recommender.recommendation.mix_request import MixRequest, SeedSet


def test_candidates_are_bounded_and_still_make_the_path(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = [world.add("first.ogg", 0.0, artist="first"), world.add("last.ogg", 160.0, artist="l")]
    for number in range(1, 40):
        world.add(f"{number}.ogg", 4.0 * number, artist="everywhere")
    others = [world.add(f"far {n}.ogg", 200.0 + 20 * n, artist=f"far {n}") for n in range(6)]
    compared = []

    def counting(similarities: np.ndarray, length: int) -> np.ndarray:
        compared.append(len(similarities))
        return smoothest_path(similarities, length)

    smoothest_path = path.smoothest_path
    monkeypatch.setattr(path, "smoothest_path", counting)
    monkeypatch.setattr(path, "NEAREST", 3)
    monkeypatch.setattr(path, "SPARE", 30)
    request = MixRequest("path", SeedSet(tuple(ends)), steps=6)
    unbounded = world.service.mix(request)
    assert max(compared) > 20
    compared.clear()
    monkeypatch.setattr(path, "MOST", 12)
    mix = world.service.mix(request)
    assert max(compared) == 12 + 2
    for found in (unbounded, mix):
        assert len(found.entries) == 7
        assert len({entry.track.artist for entry in found.entries}) == 7
        assert len({entry.track.id for entry in found.entries} & set(others)) >= 4

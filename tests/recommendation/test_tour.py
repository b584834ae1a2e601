"""The shortest order of a list."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.recommendation.tour import open_tour


def distances(count: int, seed: int, dimensions: int = 3) -> np.ndarray:
    points = np.random.default_rng(seed).normal(size=(count, dimensions))
    return np.linalg.norm(points[:, None] - points[None], axis=2)


def length(apart: np.ndarray, order: np.ndarray) -> float:
    return float(apart[order[:-1], order[1:]].sum())


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 6), st.integers(0, 10**6), st.booleans())
def test_few_are_in_the_shortest_order(count, seed, is_fixed):
    apart = distances(count, seed)
    first = seed % count if is_fixed else None
    order = open_tour(apart, first)
    assert sorted(order) == list(range(count))
    possible = [np.array(p) for p in permutations(range(count)) if first in (None, p[0])]
    assert first is None or order[0] == first
    assert length(apart, order) <= 1.1 * min(length(apart, p) for p in possible) + 1e-9


@pytest.mark.parametrize("first", [None, 0, 30, 59])
def test_points_on_a_line(first):
    places = np.random.default_rng(0).permutation(60).astype(float)
    apart = np.abs(places[:, None] - places)
    order = open_tour(apart, first)
    begin = None if first is None else places[first]
    shortest = 59 if begin is None else 59 + min(begin, 59 - begin)
    assert length(apart, order) <= 1.05 * shortest


def test_no_move_of_a_part_would_shorten_it():
    apart = distances(40, 1)
    order = open_tour(apart)
    found = length(apart, order)
    for one in range(40):
        for other in range(one + 2, 41):
            turned = order.copy()
            turned[one:other] = turned[one:other][::-1]
            assert length(apart, turned) >= found - 1e-9
    for one in range(40):
        rest = np.delete(order, one)
        for to in range(40):
            moved = np.insert(rest, to, order[one])
            assert length(apart, moved) >= found - 1e-9


def test_equal_things():
    assert sorted(open_tour(np.zeros((10, 10)))) == list(range(10))

"""The measures of ranked lists, and chance, against simulation."""

import math

import numpy as np
import pytest

from recommender.evaluation import metrics


def test_equal_similarities_keep_the_order_of_the_rows() -> None:
    similarities = np.array([[0.0, 1.0, -0.0, 1.0, -1.0, -0.5]], dtype=np.float32)
    assert metrics.rank(similarities).tolist() == [[1, 3, 0, 2, 5, 4]]
    assert metrics.rank(similarities, k=3).tolist() == [[1, 3, 0]]
    excluded = np.array([[False, True, False, False, True, False]])
    assert metrics.rank(similarities, excluded).tolist() == [[3, 0, 2, 5, 1, 4]]


def test_chance_equals_simulation() -> None:
    generator = np.random.default_rng(0)
    relevant, candidates, k, rounds = 3, 11, 4, 20_000
    one = np.arange(candidates) < relevant
    hits = generator.permuted(np.tile(one, (rounds, 1)), axis=1)
    r, n = np.array([relevant]), np.array([candidates])
    for simulated, exact in (
        (metrics.precision_at_k(hits, k), metrics.chance_precision(r, n)),
        (metrics.hit_at_k(hits, k), metrics.chance_hit(r, n, k)),
        (metrics.average_precision(hits), metrics.chance_average_precision(r, n)),
    ):
        error = simulated.std() / math.sqrt(rounds)
        assert abs(simulated.mean() - exact[0]) < 4 * error


@pytest.mark.parametrize(
    ("relevant", "candidates", "k", "expected"),
    [(1, 1, 1, 1.0), (1, 4, 4, 1.0), (2, 4, 1, 0.5), (0, 4, 3, 0.0), (3, 4, 2, 1.0), (1, 4, 9, 1)],
)
def test_chance_of_a_hit(relevant: int, candidates: int, k: int, expected: float) -> None:
    chance = metrics.chance_hit(np.array([relevant]), np.array([candidates]), k)
    assert chance[0] == pytest.approx(expected)

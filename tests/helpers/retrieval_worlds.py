"""Small sets of labelled vectors for tests of retrieval."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from recommender.evaluation.report import RetrievalReport, evaluate_retrieval


def on_circle(degrees: Sequence[float]) -> np.ndarray:
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


# Six tracks on a circle. Each row below is the order in which the others are found.
#
#   track   0    1    2    3    4    5          0: 1 2 3 4 5     3: 2 4 1 0 5
#   angle   0   10   25   45   70  100          1: 0 2 3 4 5     4: 3 5 2 1 0
#   genre   A    A    B    A    B    B          2: 1 3 0 4 5     5: 4 3 2 1 0
#   artist  x    x    y    z    y    w
TOY_VECTORS = on_circle([0, 10, 25, 45, 70, 100])


TOY_GENRES = ["A", "A", "B", "A", "B", "B"]


TOY_ARTISTS = ["x", "x", "y", "z", "y", "w"]


def toy(k: int = 2, **options: object) -> RetrievalReport:
    return evaluate_retrieval(TOY_VECTORS, TOY_GENRES, TOY_ARTISTS, k=k, **options)  # type: ignore[arg-type]


World = tuple[np.ndarray, list[str], list[str], int]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Small worlds full of ties: unit vectors of +-1/2, whose inner products are exact."""
    count = draw(st.integers(1, 14))
    row = st.lists(st.sampled_from([-0.5, 0.5]), min_size=4, max_size=4)
    vectors = draw(st.lists(row, min_size=count, max_size=count))
    genres = draw(st.lists(st.sampled_from(["", "A", "B", "C"]), min_size=count, max_size=count))
    genres[0] = "A"
    artists = draw(st.lists(st.sampled_from(["", "x", "y"]), min_size=count, max_size=count))
    return np.array(vectors, dtype=np.float32), genres, artists, draw(st.integers(1, 16))


def random_world(seed: int, count: int = 60) -> tuple[np.ndarray, list[str], list[str]]:
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    genres = [f"genre {number}" for number in generator.integers(0, 4, count)]
    artists = [f"artist {number}" for number in generator.integers(0, 15, count)]
    return vectors, genres, artists


def figures(report: RetrievalReport) -> list[float]:
    values = [report.hubness.skewness, report.hubness.anti_hub_rate, report.hubness.largest]
    for row in report.rows():
        values += [value for value in row.values() if isinstance(value, int | float)]
    return values

"""Neighbourhood components analysis on toy worlds."""

import numpy as np
import pytest

from recommender.embedding.projection import Projection
from recommender.projections.nca import NcaLoss, NcaSettings, fit_nca

CLASSES, PER_CLASS, SIZE = 4, 12, 10
SETTINGS = NcaSettings(temperature=0.1, penalty=0.01)


def world(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of which the first four values tell the class, beneath others of more variance."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(CLASSES), PER_CLASS)
    vectors = generator.normal(0, 2, (len(labels), SIZE))
    vectors[:, :CLASSES] = 0.2 * vectors[:, :CLASSES] + np.eye(CLASSES)[labels]
    return vectors.astype(np.float32), labels


def identity(vectors: np.ndarray) -> Projection:
    return Projection(vectors.mean(axis=0), np.eye(SIZE, dtype=np.float32))


def right_neighbours(projection: Projection, vectors: np.ndarray, labels: np.ndarray) -> float:
    units = projection.apply(vectors)
    cosines = units @ units.T
    np.fill_diagonal(cosines, -np.inf)
    return float((labels[cosines.argmax(axis=1)] == labels).mean())


def test_other_vectors_find_their_class_more_often() -> None:
    vectors, labels = world(0)
    plain, refined = (
        identity(vectors),
        fit_nca(identity(vectors), vectors, [], labels, settings=SETTINGS),
    )
    others, _ = world(1)
    before, after = (right_neighbours(p, others, labels) for p in (plain, refined))
    assert after > before + 0.1


def test_a_large_penalty_changes_nothing() -> None:
    vectors, labels = world(0)
    refined = fit_nca(identity(vectors), vectors, [], labels, settings=NcaSettings(penalty=1e6))
    np.testing.assert_allclose(refined.matrix, np.eye(SIZE), atol=1e-4)


def test_an_artist_of_all_tracks_leaves_nothing_to_find() -> None:
    vectors, labels = world(0)
    refined = fit_nca(identity(vectors), vectors, [vectors], labels, ["one"] * len(vectors))
    np.testing.assert_array_equal(refined.matrix, np.eye(SIZE))


def test_what_copies_lack_does_not_help() -> None:
    vectors, labels = world(0)
    copies = vectors.copy()
    copies[:, 0] = np.random.default_rng(3).normal(0, 2, len(copies))
    alone, robust = (
        fit_nca(identity(vectors), vectors, views, labels, settings=SETTINGS).matrix
        for views in ([], [copies])
    )

    def weight(matrix: np.ndarray) -> float:
        return float(np.linalg.norm(matrix[0]) / np.linalg.norm(matrix[1]))

    assert weight(robust) < 0.8 * weight(alone)


@pytest.mark.parametrize("cell", [(0, 0), (1, 3), (5, 2)])
def test_the_gradient_is_that_of_the_loss(cell: tuple[int, int]) -> None:
    vectors, labels = world(0)
    values = vectors.astype(np.float64)
    artists = [f"artist {row // 2}" for row in range(len(values))]
    loss = NcaLoss.of(values, [values, values[:, ::-1]], labels, artists, 0.3)
    matrix = np.eye(SIZE) + 0.1 * np.random.default_rng(0).normal(size=(SIZE, SIZE))
    step = np.zeros_like(matrix)
    step[cell] = 1e-5
    slope = (loss(matrix + step)[0] - loss(matrix - step)[0]) / 2e-5
    assert loss(matrix)[1][cell] == pytest.approx(slope, rel=1e-4)

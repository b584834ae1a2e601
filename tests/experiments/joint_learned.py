"""Projections learned end to end with a retrieval loss, for `joint_whitening.py`.

Neighbourhood components analysis (Goldberger, Roweis, Hinton & Salakhutdinov, NIPS 2004) on unit
vectors: every training track, and its low-pass filtered copy, should find tracks of its genre by
other artists. What is learned is a change D of the joint projection's outputs, ``x (I + D)``, with
the penalty ``penalty * |D|²``; L-BFGS, so that nothing but the penalty and the temperature is left
to choose.
"""

from dataclasses import dataclass

import numpy as np
from joint_variants import Variant
from joint_worlds import World
from scipy.optimize import minimize

from recommender.utils.arrays import FloatArray, unit_rows

Doubles = np.ndarray


@dataclass(frozen=True)
class LearnedVariant:
    """One row.

    Attributes:
        base: the projection whose outputs are changed.
        temperature: of the cosines in the softmax.
        penalty: on the squared change, relative to the loss of a track.
        iterations: of L-BFGS, at most.
    """

    name: str
    base: Variant
    temperature: float = 0.1
    penalty: float = 0.01
    iterations: int = 60

    @property
    def chance(self) -> bool:
        return self.base.chance

    def vectors(self, world: World) -> tuple[FloatArray, FloatArray]:
        training, gallery = world.training.activations(), world.gallery.activations()
        assert training.low_passed is not None
        assert gallery.low_passed is not None
        projection = self.base.projection(training, world.labels)
        tracks = projection.affine(training.tracks)
        queries = np.concatenate([tracks, projection.affine(training.low_passed)])
        matrix = self.learned(queries, tracks, world)
        return (
            unit_rows((projection.affine(gallery.tracks) @ matrix).astype(np.float32)),
            unit_rows((projection.affine(gallery.low_passed) @ matrix).astype(np.float32)),
        )

    def learned(self, queries: FloatArray, tracks: FloatArray, world: World) -> Doubles:
        """``I + D`` [p, p]."""
        names = np.array(
            [a or i for a, i in zip(world.training.artists, world.training.ids, strict=True)]
        )
        others = names[:, None] != names[None, :]
        positive = others & (world.labels[:, None] == world.labels[None, :])
        copies = len(queries) // len(tracks)
        others, positive = np.tile(others, (copies, 1)), np.tile(positive, (copies, 1))
        usable = positive.any(axis=1)
        size = tracks.shape[1]
        identity = np.eye(size)

        def loss(change: Doubles) -> tuple[float, Doubles]:
            difference = change.reshape(size, size)
            value, gradient = nca(
                queries[usable],
                tracks,
                identity + difference,
                others[usable],
                positive[usable],
                self.temperature,
            )
            penalised = value + self.penalty * float((difference**2).sum())
            return penalised, (gradient + 2 * self.penalty * difference).ravel()

        found = minimize(
            loss,
            np.zeros(size * size),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.iterations},
        )
        return identity + found.x.reshape(size, size)


def nca(
    queries: FloatArray,
    tracks: FloatArray,
    matrix: Doubles,
    others: Doubles,
    positive: Doubles,
    temperature: float,
) -> tuple[float, Doubles]:
    """The mean loss of the queries, and its gradient by the matrix."""
    matrix = matrix.astype(np.float32)
    found, lengths = normalised(queries @ matrix)
    database, database_lengths = normalised(tracks @ matrix)
    scores = np.where(others, found @ database.T / temperature, -np.inf)
    scores -= scores.max(axis=1, keepdims=True)
    weights = np.exp(scores)
    weights /= weights.sum(axis=1, keepdims=True)
    right = weights * positive
    share = np.maximum(right.sum(axis=1, keepdims=True), 1e-12)
    by_score = (weights - right / share) / (temperature * len(queries))
    gradient = queries.T @ through_length(by_score @ database, found, lengths)
    gradient += tracks.T @ through_length(by_score.T @ found, database, database_lengths)
    return float(-np.log(share).mean()), gradient.astype(np.float64)


def normalised(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths, lengths


def through_length(gradient: FloatArray, units: FloatArray, lengths: FloatArray) -> FloatArray:
    """The gradient before normalisation to length 1."""
    return (gradient - (gradient * units).sum(axis=1, keepdims=True) * units) / lengths

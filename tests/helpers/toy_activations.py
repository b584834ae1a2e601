"""Activations of a toy world whose classes are separable as far as noise lets them be."""

import numpy as np

from recommender.features.descriptors import DIMENSION
from recommender.research.model_building.activations import ActivationLayout, Activations

CLASSES, PER_CLASS, CLIPS = 4, 12, 3


def toy_part(generator, labels, size: int, *, scale: float, noise: float) -> np.ndarray:
    """Clips [n, c, size] whose first values separate the classes, as far as noise lets them."""
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
    parts = [
        toy_part(generator, labels, 12, scale=scale, noise=level)
        for scale, level in zip(networks, noise, strict=True)
    ]
    if descriptors is not None:
        parts.append(toy_part(generator, labels, DIMENSION, scale=10, noise=descriptors))
    clips = np.concatenate(parts, axis=2)
    layout = ActivationLayout.of([12] * len(networks), descriptors is not None)
    return Activations(clips.mean(axis=1), clips, layout), labels

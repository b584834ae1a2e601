"""Models whose parts are chosen and whose head and projection are drawn by lot."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from recommender.embedding.genre_head import GenreHead
from recommender.embedding.model_files import (
    CARD,
    HEAD,
    PROJECTION,
    WEIGHTS,
    ModelFiles,
    file_digest,
    find_model,
)
from recommender.embedding.projection import Projection
from recommender.features.descriptors import DIMENSION


def with_descriptors(folder: Path, networks: int) -> ModelFiles:
    """The first networks of the default model, or none, and descriptors, written to `folder`."""
    shutil.copytree(find_model().folder, folder)
    card, values = find_model().card, load_file(folder / WEIGHTS)
    prefixes = tuple(f"{number}." for number in range(networks))
    kept = {name: value for name, value in values.items() if name.startswith(prefixes)}
    # Softer than the default's: its embeddings would else be those of the same space.
    softer = {name: np.asarray(value * 0.9, value.dtype) for name, value in kept.items()}
    save_file(softer, folder / WEIGHTS)
    size = DIMENSION + sum(network.feature_dim for network in find_model().networks()[:networks])
    generator = np.random.default_rng(0)
    head = GenreHead(
        *(generator.normal(0, 1e-3, s).astype(np.float32) for s in ((size, 10), (10,)))
    )
    matrix = generator.normal(size=(size, 8)).astype(np.float32)
    projection = Projection(np.zeros(size, np.float32), matrix)
    head.save(folder / HEAD)
    projection.save(folder / PROJECTION)
    dataclasses.replace(
        card,
        networks=card.networks[:networks],
        descriptors=True,
        weights_digest=file_digest(folder / WEIGHTS),
        head_digest=head.digest,
        projection_digest=projection.digest,
    ).write(folder / CARD)
    return ModelFiles(folder)


def with_card(folder: Path, **changed: object) -> ModelFiles:
    """The model in `folder`, whose card from now on says so."""
    dataclasses.replace(ModelFiles(folder).card, **changed).write(folder / CARD)
    return ModelFiles(folder)


def with_other_weights(folder: Path, name: str = "other") -> ModelFiles:
    """The default model under a name, its weights a little louder, written to `folder`.

    Where `folder` holds a model already, that one's weights become louder still.
    """
    if not folder.exists():
        shutil.copytree(find_model().folder, folder)
    values = load_file(folder / WEIGHTS)
    louder = {name: np.asarray(value * 1.1, value.dtype) for name, value in values.items()}
    save_file(louder, folder / WEIGHTS)
    digest = file_digest(folder / WEIGHTS)
    dataclasses.replace(find_model().card, name=name, weights_digest=digest).write(folder / CARD)
    return ModelFiles(folder)

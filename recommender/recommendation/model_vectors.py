"""The tracks of a catalogue that several models have analysed, with the vectors of each model.

A catalogue keeps the analyses of every model, each in a space of its own: an ingest with another
model adds analyses and makes its space the one that recommends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.embedding.model_files import ModelFiles, find_model
from recommender.embedding.space import SpaceId
from recommender.errors import CatalogError, UsageError
from recommender.utils.arrays import FloatArray, is_unit


@dataclass(frozen=True)
class SharedTracks:
    """Tracks and, row by row, their vectors by each model.

    Attributes:
        tracks: n tracks, by id.
        vectors: model → np.ndarray [shape=(n, p)], float32, rows of length 1.
        spaces: model → the space of its vectors.
        analysed: model → how many tracks have a usable embedding in that space.
        left_out: how many tracks have one in some of the spaces and not in all.
    """

    tracks: tuple[Track, ...]
    vectors: Mapping[str, FloatArray]
    spaces: Mapping[str, SpaceId]
    analysed: Mapping[str, int]
    left_out: int


def shared_tracks(catalog: Catalog, models: Sequence[str]) -> SharedTracks:
    """The tracks that every one of `models` has analysed.

    Where a model has analysed the catalogue with several analysis settings, those with most tracks
    count; of equals, those of its card. Every model is taken with its own projection: one adapted
    to the catalogue was fitted to these very tracks.

    Args:
        catalog: stays open.
        models: names of shipped models, or paths of folders with weights and a card.

    Raises:
        UsageError: fewer than two models, or two names of the same one.
        WeightsError: a model that is missing or damaged.
        CatalogError: a model that has analysed nothing here, or no track that all have analysed.
    """
    if len(models) < 2:
        raise UsageError("a comparison takes at least two models: name another one.")
    files = {model: find_model(model) for model in models}
    spaces = {model: _space(catalog, model, found) for model, found in files.items()}
    if len(set(spaces.values())) < len(models):
        raise UsageError(f"of {', '.join(models)}, two are the same model: name each once.")
    ids, vectors = {}, {}
    for model, found in files.items():
        all_ids, activations = catalog.activations(spaces[model])
        projected = found.projection().apply(activations)
        usable = is_unit(projected)
        ids[model], vectors[model] = all_ids[usable], projected[usable]
    some = np.unique(np.concatenate(list(ids.values())))
    shared = some[np.all([np.isin(some, own) for own in ids.values()], axis=0)]
    if not len(shared):
        raise CatalogError(
            f"no track was analysed by all of {', '.join(models)}: ingest one folder with each."
        )
    return SharedTracks(
        tracks=tuple(catalog.tracks(shared.tolist())),
        vectors={model: vectors[model][np.isin(own, shared)] for model, own in ids.items()},
        spaces=spaces,
        analysed={model: len(own) for model, own in ids.items()},
        left_out=len(some) - len(shared),
    )


def _space(catalog: Catalog, model: str, files: ModelFiles) -> SpaceId:
    """The projected space in which `model` has analysed most tracks of the catalogue."""
    usual = files.space()
    counts = {
        space: count
        for space, count in catalog.spaces()
        if count and (space.model, space.weights) == (usual.model, usual.weights)
    }
    if not counts:
        raise CatalogError(
            f"no track of the catalogue was analysed by the model {model}; ingest its folders with "
            "that model."
        )
    analysed = max(counts, key=lambda space: (counts[space], space == usual))
    return replace(analysed, projection=files.projection().digest)

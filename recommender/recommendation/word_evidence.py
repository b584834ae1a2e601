"""What a catalogue knows of words: tags of networks, predicted genres, musical descriptors."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from recommender.catalog import Catalog
from recommender.embedding.model_files import find_model, named_models
from recommender.embedding.space import SpaceId
from recommender.embedding.tags import Tag, tags_of
from recommender.errors import WeightsError
from recommender.musical_descriptors import NAMES
from recommender.recommendation.word_vocabulary import Meaning, vocabulary
from recommender.utils.arrays import FloatArray, IntArray

_NUMBERS = tuple(name for name in NAMES if name != "mode")


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of n tracks; values are NaN where a track lacks them."""

    ids: IntArray
    tags: Mapping[Tag, FloatArray]
    genres: Mapping[str, FloatArray]
    descriptors: Mapping[str, FloatArray]

    @classmethod
    def of(cls, catalog: Catalog, ids: IntArray, meanings: Sequence[Meaning]) -> "Evidence":
        """What is known of what these meanings name."""
        names = {name for meaning in meanings for name in meaning.descriptors}
        tags = {tag for one in meanings for tag in (*one.tags, *one.opposite_tags)}
        genres = {meaning.genre for meaning in meanings if meaning.genre is not None}
        columns = catalog.descriptor_columns(ids, sorted(names))
        return cls(
            ids,
            _tag_values(catalog, ids, tags),
            _genre_values(catalog, ids, genres),
            dict(zip(sorted(names), columns.T, strict=True)),
        )


def known_words(catalog: Catalog, ids: IntArray) -> tuple[dict[str, Meaning], bool]:
    """The vocabulary of a catalogue, and whether tags are part of it."""
    found = tagged_space(catalog)
    tags = () if found is None else found[1]
    (track,) = catalog.tracks(ids[:1].tolist())  # all are predicted the same genres
    columns = catalog.descriptor_columns(ids, _NUMBERS)
    present = [
        name for name, column in zip(_NUMBERS, columns.T, strict=True) if np.isfinite(column).any()
    ]
    return vocabulary(tags, track.genre_probabilities, present), bool(tags)


def tagged_space(catalog: Catalog) -> tuple[SpaceId, tuple[Tag, ...]] | None:
    """The space with tags in which most tracks were analysed, and its tags; None without one."""
    found: dict[SpaceId, tuple[int, tuple[Tag, ...]]] = {}
    for name in named_models():
        try:
            files = find_model(name)
            tags, usual = tags_of(files.card), files.space()
        except WeightsError:
            continue  # what is damaged tells of nothing
        for space, count in catalog.spaces() if tags else ():
            if count and (space.model, space.weights) == (usual.model, usual.weights):
                found[space] = count, tags
    if not found:
        return None
    best = max(found, key=lambda space: (found[space][0], str(space)))
    return best, found[best][1]


def _tag_values(catalog: Catalog, ids: IntArray, wanted: Set[Tag]) -> dict[Tag, FloatArray]:
    found = tagged_space(catalog) if wanted else None
    if found is None:
        return {}
    space, tags = found[0], tuple(wanted)
    values = np.full((len(tags), len(ids)), np.nan, np.float32)
    columns = [tag.column for tag in tags]
    for some, activations in catalog.activation_batches(space):
        places = np.searchsorted(ids, some).clip(max=len(ids) - 1)
        present = ids[places] == some
        values[:, places[present]] = activations[present][:, columns].T
    return dict(zip(tags, values, strict=True))


def _genre_values(catalog: Catalog, ids: IntArray, wanted: Set[str]) -> dict[str, FloatArray]:
    values = {genre: np.full(len(ids), np.nan, np.float32) for genre in wanted}
    if not wanted:
        return values
    places = {track_id: place for place, track_id in enumerate(ids.tolist())}
    for track in catalog.all_tracks():
        place = places.get(track.id)
        for genre, column in values.items():
            if place is not None and genre in track.genre_probabilities:
                column[place] = track.genre_probabilities[genre]
    return values

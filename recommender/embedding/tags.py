"""The tags that a model's networks give every track, and where they stand in its activations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.networks.graphs import takes_patches
from recommender.utils.arrays import FloatArray

if TYPE_CHECKING:
    from recommender.embedding.model_card import ModelCard


@dataclass(frozen=True)
class Tag:
    """A word that a network was trained to tell of.

    Attributes:
        name: the tag, in small letters.
        network: short name of the data set that the network was trained on, such as ``MTT``.
        column: of its probability among a track's activations, which is the mean over patches.
    """

    name: str
    network: str
    column: int


def tags_of(card: "ModelCard") -> tuple[Tag, ...]:
    """The tags of a model, network by network; none where no network has any."""
    tags: list[Tag] = []
    start = 0
    for network in card.networks:
        if not takes_patches(network["architecture"]):
            break
        settings = network["model_settings"]
        start += settings["units"]
        for name in settings["tags"]:
            tags.append(Tag(name.lower(), settings["data"], start))
            start += 1
    return tuple(tags)


def tag_probabilities(tags: tuple[Tag, ...], activations: FloatArray) -> Mapping[Tag, FloatArray]:
    """Tag → its probability for each track, np.ndarray [shape=(n,)], of activations [n, d]."""
    return {tag: np.ascontiguousarray(activations[:, tag.column]) for tag in tags}

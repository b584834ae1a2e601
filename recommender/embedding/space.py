"""Names for embedding spaces, and the vectors that live in them. No torch, no audio, no SQL.

Two vectors may be compared only when every step that made them was the same: the model, its
weights, the way the file was analysed (front end and windows) and the projection. `SpaceId` names
all four, so that a comparison across spaces is an error and never a wrong neighbour.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from typing import Any

import numpy as np

from recommender.errors import SpaceMismatch
from recommender.utils.arrays import FloatArray

UNPROJECTED = ""
"""Projection digest of a model's bare activations, which is what a catalogue stores."""


def settings_digest(*settings: Any) -> str:
    """Twelve hex digits that change when any value of these dataclasses or mappings changes."""
    plain = [asdict(s) if is_dataclass(s) and not isinstance(s, type) else s for s in settings]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


@dataclass(frozen=True, order=True)
class SpaceId:
    """The identity of an embedding space.

    Attributes:
        model: name of the model, e.g. ``default``.
        weights: digest of its weights, of the version of its descriptors where it has them, and of
            how much of a window its networks analyse.
        analysis: digest of front end and windowing together.
        projection: digest of the projection, or `UNPROJECTED`.
    """

    model: str
    weights: str
    analysis: str
    projection: str = UNPROJECTED

    @property
    def unprojected(self) -> "SpaceId":
        """The space of the activations that this space projects."""
        return replace(self, projection=UNPROJECTED)

    def __str__(self) -> str:
        parts = (self.model, self.weights, self.analysis, self.projection)
        return "/".join(part for part in parts if part)

    def require(self, other: "SpaceId") -> None:
        """Raise `SpaceMismatch` unless `other` is this very space."""
        if self != other:
            cure = "Run 'recsys ingest' on your folders to analyse them with the current model."
            if self.unprojected == other.unprojected:
                cure = (
                    "One projection of the model is adapted to a catalogue ('recsys adapt'): ask "
                    "that one by a file or a track."
                )
            raise SpaceMismatch(
                f"vectors of two embedding spaces cannot be compared: {self} and {other}. {cure}"
            )


@dataclass(frozen=True)
class Embedding:
    """A unit vector (np.ndarray [shape=(d,)], float32) and the space it lives in."""

    vector: FloatArray
    space: SpaceId

    def similarity(self, other: "Embedding") -> float:
        """Cosine similarity in [-1, 1]. Raises `SpaceMismatch` across spaces."""
        self.space.require(other.space)
        return float(np.dot(self.vector, other.vector))


@dataclass(frozen=True)
class Analysis:
    """What a model made of one track.

    Attributes:
        activations: np.ndarray [shape=(d,)], float32: of each network its activations before the
            classifier, averaged over the windows, then the track's descriptors, where the model has
            them; not projected, not normalised.
        genre_probabilities: label → probability (sums to 1), the head's of these activations.
        duration: seconds of the whole track.
        windows: (start, length) in seconds of each window analysed.
        space: where the activations live (always unprojected).
    """

    activations: FloatArray
    genre_probabilities: Mapping[str, float]
    duration: float
    windows: tuple[tuple[float, float], ...]
    space: SpaceId

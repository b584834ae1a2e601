"""Identities of embedding spaces, and the vectors in them. No torch, no audio, no SQL.

Two vectors may be compared only when every step that made them was the same: the model, its
weights, the way the file was analysed (front end and windows) and the projection. `SpaceId`
identifies all four, so that a comparison across spaces is an error and never a wrong neighbour.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from typing import Any

import numpy as np

from recommender.audio.damage import Damage
from recommender.errors import SpaceMismatch
from recommender.musical_descriptors.record import MusicalDescriptors
from recommender.utils.arrays import FloatArray

UNPROJECTED = ""
"""Projection digest of activations that are not projected, which are what a catalogue stores."""


def settings_digest(*settings: Any) -> str:
    """Twelve hex digits that change when any value of these dataclasses or mappings changes."""
    plain = [asdict(s) if is_dataclass(s) and not isinstance(s, type) else s for s in settings]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


# The digests in a `SpaceId` are stored in every catalogue and index, and they cover the *names* of
# the settings, not only their values. So these names are frozen: where a setting is renamed, the
# key on the left follows, the hashed name on the right stays, or every catalogue would have to be
# analysed again. tests/embedding/test_space.py pins the spaces of the shipped models.
_HASHED_FRONT_END = {
    "sample_rate": "sample_rate",
    "n_fft": "n_fft",
    "hop_length": "hop_length",
    "n_mels": "n_mels",
    "fmin": "fmin",
    "fmax": "fmax",
    "top_db": "top_db",
}
_HASHED_WINDOWING = {"count": "count", "seconds": "seconds", "long_after": "long_after"}
_HASHED_WEIGHTS = {
    "weights_digest": "weights",
    "descriptors_version": "descriptors",
    "network_frames": "heard_frames",
}


def analysis_digest(front_end: Mapping[str, Any], windowing: Mapping[str, Any]) -> str:
    """Digest of how files are analysed, for `SpaceId.analysis`.

    Args:
        front_end: the fields of a `features.log_mel.FrontEnd`.
        windowing: the fields of an `audio.windows.Windowing`.
    """
    return settings_digest(
        _renamed(front_end, _HASHED_FRONT_END), _renamed(windowing, _HASHED_WINDOWING)
    )


def model_digest(
    weights_digest: str, descriptors_version: int | None, network_frames: int | None
) -> str:
    """Digest of what computes activations from the same windows, for `SpaceId.weights`.

    Args:
        weights_digest: of the file of weights; the result itself where the others are None.
        descriptors_version: of a model with descriptors. Without a network in it the weights are
            always the same empty file, and only the version distinguishes spaces.
        network_frames: columns of each window that the networks analyse, where not all.
    """
    values = {
        "weights_digest": weights_digest,
        "descriptors_version": descriptors_version,
        "network_frames": network_frames,
    }
    values = {name: value for name, value in values.items() if value is not None}
    return settings_digest(_renamed(values, _HASHED_WEIGHTS)) if len(values) > 1 else weights_digest


def _renamed(settings: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in settings.items()}


@dataclass(frozen=True, order=True)
class SpaceId:
    """The identity of an embedding space.

    Attributes:
        model: name of the model, e.g. ``default``.
        weights: digest of its weights, of the version of its descriptors where it has them, and of
            how much of a window its networks analyse; see `model_digest`.
        analysis: digest of front end and windowing together; see `analysis_digest`.
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
            advice = "Run 'recsys ingest' on your folders to analyse them with the current model."
            if self.unprojected == other.unprojected:
                advice = (
                    "One of them is adapted to a catalogue ('recsys adapt'): query that catalogue "
                    "with a file or a track."
                )
            raise SpaceMismatch(
                f"vectors of two embedding spaces cannot be compared: {self} and {other}. {advice}"
            )


@dataclass(frozen=True)
class Embedding:
    """A unit vector (np.ndarray [shape=(d,)], float32) and its space."""

    vector: FloatArray
    space: SpaceId

    def similarity(self, other: "Embedding") -> float:
        """Cosine similarity in [-1, 1]. Raises `SpaceMismatch` across spaces."""
        self.space.require(other.space)
        return float(np.dot(self.vector, other.vector))


@dataclass(frozen=True)
class Analysis:
    """A model's output for one track.

    Attributes:
        activations: np.ndarray [shape=(d,)], float32: of each network its activations before the
            classifier, averaged over the windows, then the track's descriptors, where the model has
            them; not projected, not normalised.
        genre_probabilities: label → probability (sums to 1), by the genre head.
        duration: seconds of the whole track.
        windows: (start, length) in seconds of each window analysed.
        space: of the activations, always unprojected.
        damage: of the file, where it is beyond what is tolerated.
        samples_hash: of the windows' samples; see `audio.samples_hash`. None where it is not known.
        descriptors: of the same windows; None where they were not computed.
    """

    activations: FloatArray
    genre_probabilities: Mapping[str, float]
    duration: float
    windows: tuple[tuple[float, float], ...]
    space: SpaceId
    damage: Damage | None = None
    samples_hash: str | None = None
    descriptors: MusicalDescriptors | None = None

"""Layers of a spectrogram as further input: harmonic, percussive, vocal and accompaniment.

Each layer is the spectrogram times a soft mask. Two masks that belong together sum to 1: those of
the harmonic and the percussive layer (median filtering: Fitzgerald, "Harmonic/percussive separation
using median filtering", DAFx 2010), and those of the vocal and the accompaniment layer (REPET-SIM:
Rafii & Pardo, "Music/voice separation using the similarity matrix", ISMIR 2012, sections 2 and 3).

Both papers mask a linear-frequency spectrogram of short hops, from which sound is made again. Here
only the stored Mel spectrogram is at hand, its columns 77.5 ms apart and each of one frame of
93 ms, so that masks are of Mel bands. What that allows:

- Tones that last longer than about 0.4 s (half the filter) count as harmonic. An onset falls into
  one or two columns, so that what repeats faster than about six times a second, tremolo and rolls,
  counts as harmonic too; vibrato is not resolved.
- In the bands above 1 kHz, which are wider than the partials' distance, neighbouring partials of
  one tone merge: there, voiced sound counts as broad, and more of it as percussive.
- REPET-SIM compares columns over the whole excerpt: what differs from the most similar columns
  elsewhere is the vocal layer, a voice or any other part that does not repeat.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from recommender.errors import UsageError
from recommender.utils.arrays import FloatArray

HARMONIC_COLUMNS = 9
"""Median over time: 0.70 s; librosa's default of 31 frames at a hop of 512 is 0.72 s."""

PERCUSSIVE_BANDS = 13
"""Median over bands: 335 Hz in the linear part of the Mel scale; librosa's 31 bins are 334 Hz."""

SIMILAR_COLUMNS_APART = 26
"""Columns nearer than 2 s are not taken as repetitions of one another."""

MASK_POWER = 2.0
"""Exponent of the soft masks of magnitudes: masks of power, as a Wiener filter has them."""

IMAGE_MODELS = frozenset({"conv2d", "conv2d-encoder", "resnet50", "resnet50v2", "resnet101"})
"""Architectures that take clips as images."""


def checked_layers(names: Sequence[str]) -> tuple[str, ...]:
    """The layers in the order in which they are stacked. Raises `UsageError` for another name."""
    for name in names:
        if name not in _MASKS:
            raise UsageError(f"no layer is named {name!r}; choose of: {', '.join(_MASKS)}.")
    return tuple(name for name in _MASKS if name in names)


def layer_folder(names: Sequence[str]) -> str:
    """Of the outcomes of runs with these layers, beside those without; empty for no layer."""
    return "-".join(["layers", *names]) if names else ""


def layered_settings(model: str, settings: Mapping[str, Any], layers: int) -> dict[str, Any]:
    """Settings of an architecture whose input has so many layers.

    Networks of images take each as a channel; to the others they are further bands.
    """
    return dict(settings) | ({"channels": 1 + layers} if layers and model in IMAGE_MODELS else {})


def layer_masks(decibels: FloatArray, names: Sequence[str]) -> dict[str, FloatArray]:
    """Soft masks of a spectrogram.

    Args:
        decibels: np.ndarray [shape=(n_mels, frames)], dB of power.
        names: of the layers.

    Returns:
        Name → np.ndarray [shape=(n_mels, frames)] in [0, 1], of power.
    """
    magnitudes: FloatArray = np.power(10, decibels / 20, dtype=np.float32)
    masks: dict[str, FloatArray] = {}
    for pair, separate in _PAIRS.items():
        if not set(pair).isdisjoint(names):
            masks.update(zip(pair, separate(magnitudes), strict=True))
    return {name: masks[name] for name in names}


def with_layers(decibels: FloatArray, names: Sequence[str]) -> FloatArray:
    """A spectrogram with its layers below it, as further bands.

    Args:
        decibels: np.ndarray [shape=(n_mels, frames)], dB of power.
        names: of the layers.

    Returns:
        np.ndarray [shape=((1 + layers) * n_mels, frames)], float32, dB; no layer is below the
        spectrogram's own minimum.
    """
    floor = decibels.min()
    tiny = np.finfo(np.float32).tiny
    layers = [
        np.maximum(decibels + 10 * np.log10(np.maximum(mask, tiny)), floor)
        for mask in layer_masks(decibels, names).values()
    ]
    return np.concatenate([decibels, *layers], dtype=np.float32)


def _harmonic_percussive(magnitudes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """As `librosa.decompose.hpss` with `mask=True`."""
    from scipy.ndimage import median_filter

    steady = median_filter(magnitudes, (1, HARMONIC_COLUMNS))
    broad = median_filter(magnitudes, (PERCUSSIVE_BANDS, 1))
    harmonic = _soft_mask(steady, broad)
    return harmonic, 1 - harmonic


def _vocal_accompaniment(magnitudes: FloatArray) -> tuple[FloatArray, FloatArray]:
    repeating = np.minimum(_similar_columns(magnitudes), magnitudes)  # at most the mixture
    vocal = _soft_mask(magnitudes - repeating, repeating)
    return vocal, 1 - vocal


def _soft_mask(wanted: FloatArray, other: FloatArray) -> FloatArray:
    share, rest = wanted**MASK_POWER, other**MASK_POWER
    mask: FloatArray = np.divide(share, share + rest, dtype=np.float32)
    return mask


def _similar_columns(magnitudes: FloatArray) -> FloatArray:
    """Each column replaced by the median of the columns most similar to it by cosine, elsewhere.

    There are as many as `librosa.decompose.nn_filter` takes and one more, so that one is the
    median; that function keeps the first in time of a larger number, not the most similar ones.
    """
    frames = magnitudes.shape[1]
    unit = magnitudes / np.linalg.norm(magnitudes, axis=0)
    similarity = unit.T @ unit
    index = np.arange(frames)
    similarity[np.abs(index[:, None] - index) < SIMILAR_COLUMNS_APART] = -1
    half = math.ceil(math.sqrt(frames - 2 * SIMILAR_COLUMNS_APART + 1))
    nearest = np.argpartition(-similarity, 2 * half, axis=1)[:, : 2 * half + 1]
    medians: FloatArray = np.partition(magnitudes[:, nearest], half, axis=2)[:, :, half]
    return medians


_PAIRS: Mapping[tuple[str, str], Callable[[FloatArray], tuple[FloatArray, FloatArray]]] = {
    ("harmonic", "percussive"): _harmonic_percussive,
    ("vocal", "accompaniment"): _vocal_accompaniment,
}
_MASKS = tuple(name for pair in _PAIRS for name in pair)

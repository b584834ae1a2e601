"""How far two tracks are apart for a listener who hears one after the other: in tempo and in key.

Shapes: n tracks.
"""

from collections.abc import Sequence

import numpy as np

from recommender.musical_descriptors import MusicalDescriptors
from recommender.musical_descriptors.record import MINOR, camelot_number
from recommender.utils.arrays import Scores

_UNKNOWN = 0.5
"""Distance where either track lacks the value."""

_WIDEST = 0.25
"""Octaves of tempo from which on two tracks are as far apart as can be: 100 and 119 a minute."""

_FOLDED = 0.1
"""Distance of a tempo from its half and its double, beside what they differ in."""

_FARTHEST_KEYS = 4.0
_SOUND = 0.05
"""Share of the distance in sound: it decides between what is alike otherwise."""


def harmonic_distances(tracks: Sequence[MusicalDescriptors | None], of_sound: Scores) -> Scores:
    """Distances from 0 to about 1: half by tempo, half by key.

    Args:
        tracks: their descriptors, None for a track without.
        of_sound: np.ndarray [shape=(n, n)], their distances in sound.

    Returns:
        np.ndarray [shape=(n, n)], symmetric.
    """
    by_tempo = tempo_distances([() if one is None else _tempi(one) for one in tracks])
    by_key = key_distances([None if one is None else _key(one) for one in tracks])
    distances: Scores = 0.5 * by_tempo + 0.5 * by_key + _SOUND * of_sound
    return distances


def tempo_distances(tempi: Sequence[Sequence[float]]) -> Scores:
    """Of the nearest readings of two tempi, from 0 to 1: np.ndarray [shape=(n, n)]."""
    distances = np.full((len(tempi), len(tempi)), _UNKNOWN)
    for row, one in enumerate(tempi):
        for column, other in enumerate(tempi[: row + 1]):
            if one and other:
                nearest = min(_apart(a, b) for a in one for b in other)
                distances[row, column] = distances[column, row] = nearest
    return distances


def key_distances(keys: Sequence[tuple[int, bool] | None]) -> Scores:
    """Steps on the Camelot wheel, from 0 to 1: np.ndarray [shape=(n, n)].

    Args:
        keys: number on the wheel and whether it is minor.
    """
    distances = np.full((len(keys), len(keys)), _UNKNOWN)
    for row, one in enumerate(keys):
        for column, other in enumerate(keys):
            if one is not None and other is not None:
                around = abs(one[0] - other[0])
                steps = min(around, 12 - around) + (one[1] != other[1])
                distances[row, column] = min(steps / _FARTHEST_KEYS, 1)
    return distances


def _apart(one: float, other: float) -> float:
    octaves = abs(np.log2(one / other))
    folded = abs(octaves - round(octaves))
    return float(min(octaves / _WIDEST, folded / _WIDEST + _FOLDED, 1))


def _tempi(one: MusicalDescriptors) -> tuple[float, ...]:
    return tuple(tempo for tempo in (one.tempo, one.second_tempo) if tempo is not None)


def _key(one: MusicalDescriptors) -> tuple[int, bool] | None:
    if one.key is None or one.mode is None:
        return None
    return camelot_number(one.key, one.mode), one.mode == MINOR

"""Musical descriptors in words, against the library that a track is in.

What is fast or bright is a matter of the music around it: a value is in a word where it is in the
lowest or the highest third of the library's. Key and tempo are compared as they are. numpy only.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recommender.musical_descriptors.record import MusicalDescriptors, camelot_number
from recommender.utils.arrays import FloatArray

WORDS: Mapping[str, tuple[str, str]] = {
    "tempo": ("slow", "fast"),
    "energy": ("calm", "energetic"),
    "acousticness": ("not acoustic", "acoustic"),
    "brightness": ("dark", "bright"),
    "percussive": ("not percussive", "percussive"),
    "vocals": ("instrumental", "vocal"),
    "dynamic_complexity": ("even", "dynamic"),
    "danceability": ("not danceable", "danceable"),
    "loudness": ("quiet", "loud"),
}
"""Descriptor → what its lowest and its highest third are called."""

FEWEST = 10
"""Tracks with a value from which on its thirds mean anything."""

_SAME_TEMPO, _OTHER_TEMPO = 0.05, 0.15
"""Relative differences up to which tempi are alike, and from which on they differ."""

_SURE = 0.25
"""Confidence from which on a tempo or a key is compared."""


@dataclass(frozen=True)
class DescriptorThirds:
    """The thirds of a library's values.

    Attributes:
        bounds: descriptor → the end of the lowest and the begin of the highest third; those that
            too few tracks have are left out, and those that hardly vary.
    """

    bounds: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, columns: FloatArray) -> "DescriptorThirds":
        """Of the values of n tracks.

        Args:
            columns: np.ndarray [shape=(n, len(WORDS))], in the order of `WORDS`; NaN for none.
        """
        bounds = {}
        for name, column in zip(WORDS, columns.T, strict=True):
            known = column[~np.isnan(column)]
            if len(known) >= FEWEST:
                low, high = np.quantile(known, [1 / 3, 2 / 3]).tolist()
                if low < high:
                    bounds[name] = (low, high)
        return cls(bounds)

    def third(self, name: str, value: float | None) -> int:
        """-1 in the lowest third, 1 in the highest, 0 between them or where nothing is known."""
        if value is None or name not in self.bounds:
            return 0
        low, high = self.bounds[name]
        return (value >= high) - (value <= low)

    def word(self, name: str, value: float | None) -> str | None:
        """The word for a value; None between the thirds."""
        third = self.third(name, value)
        return None if not third else WORDS[name][third > 0]


def compared(
    one: MusicalDescriptors, other: MusicalDescriptors, thirds: DescriptorThirds
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What two tracks have in common, and what they differ in, in words."""
    alike: list[str] = []
    differ: list[str] = []
    _compare_tempo(one, other, alike, differ)
    _compare_keys(one, other, alike, differ)
    for name in WORDS:
        if name == "tempo":
            continue
        values = getattr(one, name), getattr(other, name)
        first, second = (thirds.third(name, value) for value in values)
        if first and first == second:
            alike.append(WORDS[name][first > 0])
        elif first * second < 0:
            differ.append(f"{name.replace('_', ' ')} ({_number(values[0])}/{_number(values[1])})")
    return tuple(alike), tuple(differ)


def _compare_tempo(
    one: MusicalDescriptors, other: MusicalDescriptors, alike: list[str], differ: list[str]
) -> None:
    if one.tempo is None or other.tempo is None:
        return
    if min(one.tempo_confidence or 0, other.tempo_confidence or 0) < _SURE:
        return
    ratio = max(one.tempo, other.tempo) / min(one.tempo, other.tempo)
    text = f"tempo {one.tempo:.0f}/{other.tempo:.0f}"
    if ratio <= 1 + _SAME_TEMPO:
        alike.append(text)
    elif abs(ratio / 2 - 1) <= _SAME_TEMPO:
        alike.append(f"{text}, the double")
    elif ratio >= 1 + _OTHER_TEMPO:
        differ.append(text)


def _compare_keys(
    one: MusicalDescriptors, other: MusicalDescriptors, alike: list[str], differ: list[str]
) -> None:
    if one.key is None or other.key is None or one.mode is None or other.mode is None:
        return
    if min(one.key_confidence or 0, other.key_confidence or 0) < _SURE:
        return
    if (one.key, one.mode) == (other.key, other.mode):
        alike.append(f"both {one.key_name}")
        return
    apart = camelot_number(one.key, one.mode) - camelot_number(other.key, other.mode)
    steps = min(apart % 12, -apart % 12)
    if steps + (one.mode != other.mode) <= 1:
        alike.append(f"keys that go together, {one.camelot}/{other.camelot}")
    elif one.mode == other.mode:
        alike.append(f"both {one.mode}")
    else:
        differ.append(f"mode ({one.mode}/{other.mode})")


def _number(value: float) -> str:
    """A value short: .05, 1,850, -14."""
    if abs(value) < 1:
        return f"{value:.2f}".replace("0.", ".", 1)
    return f"{value:,.0f}"

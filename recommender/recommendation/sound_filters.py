"""Filters by musical descriptors, as text that a person writes: ``120-130``, ``5%``, ``>.6``.

Alternatives are separated by commas. What is relative to seeds (``5%``, ``compatible``) becomes
absolute by `relative_to` before tracks are compared.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from recommender.errors import UsageError
from recommender.musical_descriptors import MusicalDescriptors
from recommender.musical_descriptors.record import MAJOR, MINOR, camelot_number, parse_key
from recommender.utils.arrays import BoolArray, FloatArray

COMPATIBLE, SAME = "compatible", "same"

_EXACT = 0.02
"""Share by which a tempo may differ from one that is given as a single number."""

_NUMBER = r"\d+(?:\.\d+)?|\.\d+"
_RANGE = re.compile(rf"(?P<low>{_NUMBER})\s*(?:-|–|\.\.)\s*(?P<high>{_NUMBER})")
_BOUND = re.compile(rf"(?P<side>[<>])=?\s*(?P<bound>{_NUMBER})")
_SHARE = re.compile(rf"(?:±|\+/?-)?\s*(?P<percent>{_NUMBER})\s*%")

Range = tuple[float, float]
Column = Callable[[str], FloatArray]
"""Name of a musical descriptor → its values of n tracks, NaN where they are missing."""


@dataclass(frozen=True)
class SoundFilters:
    """Only tracks with these musical descriptors; None for all.

    Attributes:
        tempo: beats a minute, ``120-130``, ``>120``, ``120`` (within 2 %), or within a share of a
            seed's tempo, ``5%``. Of a track whose tempo is ambiguous, either of its tempi counts.
        key: ``8A``, ``Am``, ``F# major``; ``same`` as a seed's; or ``compatible`` with it: that
            or its relative key, or a neighbour on the circle of fifths.
        energy, danceability, acousticness, vocals: 0 to 1: ``>.6``, ``<.3``, ``.2-.5``.

    Raises `UsageError` for text that is none of these.
    """

    tempo: str | None = None
    key: str | None = None
    energy: str | None = None
    danceability: str | None = None
    acousticness: str | None = None
    vocals: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be understood."""
        for name, text in self.wanted():
            if not isinstance(text, str):
                raise TypeError(f"{name} is text, such as '>.5', not {type(text).__name__}.")
            if name == "tempo":
                _tempi(text)
            elif name == "key":
                _keys(text)
            else:
                _ranges(name, text)

    def wanted(self) -> list[tuple[str, str]]:
        """The names of the descriptors that are filtered by, with the text."""
        found = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return [(name, text) for name, text in found if text is not None]

    @property
    def is_relative(self) -> bool:
        """Whether it takes the descriptors of seeds."""
        return "%" in (self.tempo or "") or bool({COMPATIBLE, SAME} & set(_parts(self.key or "")))

    def absolute(self) -> "SoundFilters":
        """The same without what takes the descriptors of seeds."""
        tempo = None if "%" in (self.tempo or "") else self.tempo
        is_relative = {COMPATIBLE, SAME} & set(_parts(self.key or ""))
        return replace(self, tempo=tempo, key=None if is_relative else self.key)

    def relative_to(self, seeds: Sequence[MusicalDescriptors | None]) -> "SoundFilters":
        """The same in absolute terms; of several seeds any one will do.

        Raises `UsageError` where no seed has what is to be compared.
        """
        if not self.is_relative:
            return self
        known = [seed for seed in seeds if seed is not None]
        return replace(self, tempo=self._absolute_tempo(known), key=self._absolute_key(known))

    def _absolute_tempo(self, seeds: Sequence[MusicalDescriptors]) -> str | None:
        if self.tempo is None or "%" not in self.tempo:
            return self.tempo
        tempi = [t for seed in seeds for t in (seed.tempo, seed.second_tempo) if t is not None]
        if not tempi:
            raise UsageError(_nothing_to_compare("tempo", "120-130"))
        absolute = []
        for part in _parts(self.tempo):
            share = _SHARE.fullmatch(part)
            if share is None:
                absolute.append(part)
                continue
            by = float(share["percent"]) / 100
            absolute += [f"{max(t * (1 - by), 0):.3f}-{t * (1 + by):.3f}" for t in tempi]
        return ",".join(absolute)

    def _absolute_key(self, seeds: Sequence[MusicalDescriptors]) -> str | None:
        parts = _parts(self.key or "")
        if not {COMPATIBLE, SAME} & set(parts):
            return self.key
        keys = [(s.key, s.mode) for s in seeds if s.key is not None and s.mode is not None]
        if not keys:
            raise UsageError(_nothing_to_compare("key", "8A"))
        absolute = [part for part in parts if part not in (COMPATIBLE, SAME)]
        for key, mode in keys:
            near = compatible_keys(key, mode) if COMPATIBLE in parts else ((key, mode),)
            absolute += [_camelot(*one) for one in near]
        return ",".join(dict.fromkeys(absolute))

    def passing(self, column: Column) -> list[tuple[str, BoolArray, int]]:
        """Each descriptor with the tracks that pass, and the number of those that lack it.

        Args:
            column: gives the values of n tracks. Of the descriptors, nothing may be relative.
        """
        return [(name, *self._passing(name, text, column)) for name, text in self.wanted()]

    def _passing(self, name: str, text: str, column: Column) -> tuple[BoolArray, int]:
        values = column(name)
        lacking = int(np.isnan(values).sum())
        if name == "key":
            codes = values + 12 * column("mode")
            wanted = [key + 12 * (mode == MINOR) for key, mode in _keys(text)]
            return np.isin(codes, wanted), lacking
        ranges = _tempi(text) if name == "tempo" else _ranges(name, text)
        passes = _within(values, ranges)
        if name == "tempo":
            passes |= _within(column("second_tempo"), ranges)
        return passes, lacking


def compatible_keys(key: int, mode: str) -> tuple[tuple[int, str], ...]:
    """A key, its relative one, and its neighbours on the circle of fifths."""
    relative = ((key + 3) % 12, MAJOR) if mode == MINOR else ((key + 9) % 12, MINOR)
    return (key, mode), relative, ((key + 7) % 12, mode), ((key + 5) % 12, mode)


def _camelot(key: int, mode: str) -> str:
    return f"{camelot_number(key, mode)}{'A' if mode == MINOR else 'B'}"


def _within(values: FloatArray, ranges: Sequence[Range]) -> BoolArray:
    passes = np.zeros(len(values), dtype=np.bool_)
    for low, high in ranges:
        passes |= (values >= low) & (values <= high)
    return passes


def _parts(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(",")]


def _tempi(text: str) -> list[Range]:
    """Ranges of beats a minute; none for what is relative."""
    ranges: list[Range] = []
    for part in _parts(text):
        number = re.fullmatch(_NUMBER, part)
        if number is not None:
            tempo = float(part)
            ranges.append((tempo * (1 - _EXACT), tempo * (1 + _EXACT)))
        elif not _SHARE.fullmatch(part):
            ranges += _ranges("tempo", part)
    return ranges


def _ranges(name: str, text: str) -> list[Range]:
    found: list[Range] = []
    for part in _parts(text):
        if match := _RANGE.fullmatch(part):
            low, high = float(match["low"]), float(match["high"])
            if low > high:
                raise UsageError(f"{name} is at least {low:g} and at most {high:g}: swap the two.")
            found.append((low, high))
        elif match := _BOUND.fullmatch(part):
            bound = float(match["bound"])
            found.append((bound, np.inf) if match["side"] == ">" else (-np.inf, bound))
        else:
            examples = "120-130, >120 or 5%" if name == "tempo" else ">.6, <.3 or .2-.5"
            raise UsageError(f"{name} cannot be {part!r}: write {examples}.")
    return found


def _keys(text: str) -> list[tuple[int, str]]:
    """Pitch classes and modes; none for what is relative."""
    found = []
    for part in text.split(","):
        if part.strip().lower() in (COMPATIBLE, SAME):
            continue
        key = parse_key(part)
        if key is None:
            raise UsageError(
                f"there is no key {part.strip()!r}: write 8A, Am, F# major, same or compatible."
            )
        found.append(key)
    return found


def _nothing_to_compare(name: str, example: str) -> str:
    return (
        f"no seed has a {name} to compare with: it could not be told, or its file was ingested "
        f"without musical descriptors. Give one, such as {example}."
    )

"""The musical descriptors of one track. No sound, no SQL."""

from dataclasses import dataclass, fields

VERSION = 1
"""Of the algorithms: to be raised when any value changes by more than rounding. Tracks with another
version get their descriptors anew when their files are next ingested."""

MAJOR, MINOR = "major", "minor"

_MAJOR_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")


@dataclass(frozen=True)
class MusicalDescriptors:
    """What a person can say of a track's sound; None for what cannot be told.

    `definitions.DEFINITIONS` defines each value, with its unit, its source, and what it was
    judged by.

    Attributes:
        loudness: LUFS, estimated.
        loudness_range: LU, estimated.
        tempo: beats a minute.
        tempo_confidence: 0 to 1.
        second_tempo: the other tempo that the beat may be felt at, mostly half or double; None
            where there is no doubt.
        beat_strength: 0 to 1.
        key: pitch class of the tonic, 0 (C) to 11 (B).
        mode: ``major`` or ``minor``; None exactly where `key` is.
        key_confidence: 0 to 1.
        tuning: cents from A = 440 Hz, -50 to 50.
        energy, danceability, acousticness: 0 to 1.
        brightness: Hz.
        percussive: 0 to 1.
        vocals: 0 to 1.
        dynamic_complexity: dB.
        speech: 0 to 1.
        version: of the algorithms, `VERSION`.
    """

    loudness: float | None = None
    loudness_range: float | None = None
    tempo: float | None = None
    tempo_confidence: float | None = None
    second_tempo: float | None = None
    beat_strength: float | None = None
    key: int | None = None
    mode: str | None = None
    key_confidence: float | None = None
    tuning: float | None = None
    energy: float | None = None
    danceability: float | None = None
    acousticness: float | None = None
    brightness: float | None = None
    percussive: float | None = None
    vocals: float | None = None
    dynamic_complexity: float | None = None
    speech: float | None = None
    version: int = VERSION

    @property
    def key_name(self) -> str | None:
        """The key in words, e.g. ``A minor``."""
        if self.key is None or self.mode is None:
            return None
        names = _MINOR_NAMES if self.mode == MINOR else _MAJOR_NAMES
        return f"{names[self.key]} {self.mode}"

    @property
    def initial_key(self) -> str | None:
        """The key as ID3's frame TKEY has it, e.g. ``Am``, ``Eb``."""
        name = self.key_name
        return None if name is None else name.replace(" minor", "m").replace(" major", "")

    @property
    def camelot(self) -> str | None:
        """The key's place on the Camelot wheel, e.g. ``8A``."""
        if self.key is None or self.mode is None:
            return None
        return f"{camelot_number(self.key, self.mode)}{'A' if self.mode == MINOR else 'B'}"


NAMES = tuple(field.name for field in fields(MusicalDescriptors) if field.name != "version")
"""All values of a record, in their order."""


def camelot_number(key: int, mode: str) -> int:
    """1 to 12: the circle of fifths, where a minor key stands beside its relative major."""
    relative = key + 3 if mode == MINOR else key
    return (7 * relative + 7) % 12 + 1


def parse_key(text: str) -> tuple[int, str] | None:
    """Pitch class and mode of ``8A``, ``Am``, ``A minor``, ``F#``, ``Bb major``; None for neither.

    Upper and lower case of the first letter are one; ``m`` and ``min`` are minor.
    """
    text = text.strip()
    number, wheel = text[:-1], text[-1:].upper()
    if number.isascii() and number.isdigit() and wheel in ("A", "B") and 1 <= int(number) <= 12:
        relative = 7 * (int(number) - 8) % 12
        return ((relative - 3) % 12, MINOR) if wheel == "A" else (relative, MAJOR)
    letter, rest = text[:1].upper(), text[1:].replace("♯", "#").replace("♭", "b")
    if letter not in tuple("CDEFGAB"):
        return None
    pitch = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))[letter]
    if rest[:1] in ("#", "b"):
        pitch += 1 if rest[0] == "#" else -1
        rest = rest[1:]
    mode = {"": MAJOR, "maj": MAJOR, MAJOR: MAJOR, "m": MINOR, "min": MINOR, MINOR: MINOR}.get(
        rest.strip().lower() if rest.strip() != "M" else ""
    )
    return None if mode is None else (pitch % 12, mode)

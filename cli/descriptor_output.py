"""Musical descriptors as facts in words, and as JSON."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from recommender.cli.output import print_table
from recommender.cli.table_layout import Column

if TYPE_CHECKING:
    from recommender.musical_descriptors import MusicalDescriptors

_WORDS = ("very low", "low", "medium", "high", "very high")


def descriptors_as_dict(descriptors: "MusicalDescriptors | None") -> dict[str, Any] | None:
    """All values, with the key's name and its Camelot code."""
    if descriptors is None:
        return None
    return {
        **asdict(descriptors),
        "key_name": descriptors.key_name,
        "camelot": descriptors.camelot,
    }


def descriptor_facts(found: "MusicalDescriptors | None") -> list[tuple[str, object]]:
    """Names and values, with a word to each; nothing for a track without descriptors."""
    if found is None:
        return [("descriptors", "none yet: ingest its folder")]
    return [
        ("tempo", _tempo(found)),
        ("key", _key(found)),
        ("tuning", _with_unit(found.tuning, "+.0f", "cents from A = 440 Hz")),
        ("loudness", _with_unit(found.loudness, ".1f", "LUFS (estimate)")),
        ("loudness range", _with_unit(found.loudness_range, ".1f", "LU (estimate)")),
        ("dynamics", _with_unit(found.dynamic_complexity, ".1f", "dB from the mean level")),
        ("beat strength", _share(found.beat_strength)),
        ("energy", _share(found.energy)),
        ("danceability", _share(found.danceability)),
        ("acousticness", _share(found.acousticness)),
        ("brightness", _with_unit(found.brightness, ",.0f", "Hz")),
        ("percussive part", _share(found.percussive)),
        ("vocals", _likelihood(found.vocals)),
        ("speech", _likelihood(found.speech)),
    ]


def print_definitions() -> None:
    """What every descriptor is, its source, and what it was judged by."""
    from recommender.musical_descriptors.definitions import DEFINITIONS

    print_table(
        (
            Column("descriptor"),
            Column("unit"),
            Column("meaning", least=24, wraps=True),
            Column("source", least=16, wraps=True, drop=2),
            Column("judged by", least=16, wraps=True, drop=1),
        ),
        ((d.name.replace("_", " "), d.unit, d.meaning, d.source, d.judged) for d in DEFINITIONS),
    )


def _tempo(found: "MusicalDescriptors") -> str:
    if found.tempo is None:
        return _untold(found.tempo_confidence)
    also = "" if found.second_tempo is None else f", or {found.second_tempo:.1f}"
    return f"{found.tempo:.1f} bpm{also} ({_sure(found.tempo_confidence)})"


def _key(found: "MusicalDescriptors") -> str:
    if found.key_name is None:
        return _untold(found.key_confidence)
    return f"{found.key_name}, Camelot {found.camelot} ({_sure(found.key_confidence)})"


def _untold(confidence: float | None) -> str:
    return "too short to tell" if confidence is None else "none found"


def _sure(confidence: float | None) -> str:
    """A confidence in words."""
    value = confidence or 0.0
    word = "sure" if value >= 0.7 else "fairly sure" if value >= 0.4 else "unsure"
    return f"{word}, {value:.2f}"


def _with_unit(value: float | None, form: str, unit: str) -> str:
    return "cannot be told" if value is None else f"{value:{form}} {unit}"


def _share(value: float | None) -> str:
    if value is None:
        return "cannot be told"
    return f"{value:.2f} ({_WORDS[min(int(value * 5), 4)]})"


def _likelihood(value: float | None) -> str:
    if value is None:
        return "cannot be told"
    words = ("very unlikely", "unlikely", "perhaps", "likely", "very likely")
    return f"{value:.2f} ({words[min(int(value * 5), 4)]})"

"""Does a model card hold values that can be worked with? Damage shows here, and not in the middle.

No torch: the settings of networks are judged by the networks.
"""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from recommender.audio.windows import Windowing
from recommender.errors import UsageError

if TYPE_CHECKING:
    from recommender.embedding.model_card import ModelCard

_Test = Callable[[Any], bool]


def card_error(card: "ModelCard") -> str | None:
    """What is wrong with the first field that cannot be used; None for a card that can be."""
    for name, (test, wanted) in _FIELDS.items():
        if not test(getattr(card, name)):
            return f"{name!r} is not {wanted}"
    try:
        Windowing(**card.windowing)
    except (TypeError, UsageError) as error:
        return f"'windowing': {error}"
    return None


def _is_number(value: Any, least: float = -math.inf, most: float = math.inf) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and least <= value <= most


def _is_count(value: Any, least: int = 0, most: int = 2**20) -> bool:
    return isinstance(value, int) and _is_number(value, least, most)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_network(value: Any) -> bool:
    return (
        _is_mapping(value)
        and _is_text(value.get("architecture"))
        and _is_mapping(value.get("model_settings"))
    )


def _is_front_end(value: Any) -> bool:
    counts = {"sample_rate": 1000, "n_fft": 16, "hop_length": 1, "n_mels": 1}
    numbers = {"fmin", "fmax", "top_db"}
    return (
        _is_mapping(value)
        and value.keys() == counts.keys() | numbers
        and all(_is_count(value[name], least) for name, least in counts.items())
        and all(_is_number(value[name], 0.0) for name in numbers)
        and value["fmin"] < value["fmax"]
    )


def _are_patches(value: Any) -> bool:
    """Settings of patches, or none."""
    if not _is_mapping(value) or not value:
        return _is_mapping(value)
    counts = {"sample_rate": 1000, "n_fft": 16, "hop_length": 1, "n_mels": 1, "frames": 1}
    numbers = {"fmin", "fmax", "gain", "count"}
    return (
        value.keys() == counts.keys() | numbers
        and all(_is_count(value[name], least) for name, least in counts.items())
        and all(_is_number(value[name], 0.0) for name in numbers)
        and value["fmin"] < value["fmax"]
    )


def _is_windowing(value: Any) -> bool:
    return _is_mapping(value) and all(_is_number(number, 0, 2**20) for number in value.values())


def _is_calibration(value: Any) -> bool:
    return _is_mapping(value) and (
        not value
        or (value.keys() == {"midpoint", "slope"} and all(map(_is_number, value.values())))
    )


def _are_results(value: Any) -> bool:
    """Figures by name; those with a mean have numbers, and those of a held-out model are such."""
    if not _is_mapping(value) or not isinstance(value.get("seeds", ()), list | tuple):
        return False
    are_figures = all(_is_figure(figure) for figure in value.values())
    return are_figures and ("held_out" not in value or _are_results(value["held_out"]))


def _is_figure(value: Any) -> bool:
    if not _is_mapping(value) or "mean" not in value:
        return True
    return _is_number(value["mean"]) and (value.get("sd") is None or _is_number(value["sd"]))


def _is_training(value: Any) -> bool:
    networks = value.get("networks", ()) if _is_mapping(value) else None
    return isinstance(networks, list | tuple) and all(map(_is_mapping, networks))


def _all(test: _Test) -> _Test:
    return lambda values: all(map(test, values))


_FIELDS: dict[str, tuple[_Test, str]] = {
    "name": (lambda name: _is_text(name) and bool(name.strip()), "a name"),
    "networks": (_all(_is_network), "a list of networks with their settings"),
    "descriptors": (lambda value: isinstance(value, bool), "true or false"),
    "labels": (lambda labels: bool(labels) and _all(_is_text)(labels), "a list of genres"),
    "front_end": (_is_front_end, "the settings of a spectrogram"),
    "windowing": (_is_windowing, "numbers"),
    "weights_digest": (_is_text, "a digest"),
    "head_digest": (_is_text, "a digest"),
    "projection_digest": (_is_text, "a digest"),
    "similarity_calibration": (_is_calibration, "a midpoint and a slope"),
    "network_frames": (_is_count, "a number of columns"),
    "patches": (_are_patches, "the settings of patches of a spectrogram"),
    "duplicate_threshold": (lambda value: value is None or _is_number(value, -1, 2), "a cosine"),
    "data": (_is_mapping, "facts by name"),
    "training": (_is_training, "facts by name"),
    "results": (_are_results, "figures by name"),
    "licence": (_is_text, "text"),
    "notes": (_all(_is_text), "a list of texts"),
}
"""Field → whether a value can be used, and what it should be."""

"""Libraries that only computing a map or clusters needs."""

import importlib
import importlib.util
from types import ModuleType

from recommender.errors import RecsysError


def imported(name: str) -> ModuleType:
    """A module of openTSNE or scikit-learn. Raises `RecsysError` where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RecsysError(
            "computing a map or clusters needs openTSNE and scikit-learn: "
            "pip install 'recommender[map]'."
        ) from error


def is_installed() -> bool:
    """Whether maps and clusters can be computed; nothing is loaded."""
    return all(importlib.util.find_spec(name) is not None for name in ("openTSNE", "sklearn"))

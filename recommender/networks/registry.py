"""The registry: architectures by name."""

from collections.abc import Callable
from typing import Any, TypeVar

from recommender.errors import UsageError
from recommender.networks.base import GenreNetwork, ModelEntry

Network = TypeVar("Network", bound=type[GenreNetwork])

_ENTRIES: dict[str, ModelEntry] = {}


def register_model(name: str, *, section: str) -> Callable[[Network], Network]:
    """Class decorator that registers an architecture under `name`; its docstring is the summary."""

    def register(network: Network) -> Network:
        summary = (network.__doc__ or "").strip().splitlines()[0]
        _ENTRIES[name] = ModelEntry(name, network, section, summary)
        return network

    return register


def model_names() -> tuple[str, ...]:
    """Every registered name, sorted."""
    return tuple(sorted(_ENTRIES))


def registered(name: str) -> ModelEntry:
    """The entry of this name. Raises `UsageError` that lists all names."""
    if name not in _ENTRIES:
        raise UsageError(f"no model is named {name!r}; choose one of: {', '.join(model_names())}.")
    return _ENTRIES[name]


def create_model(name: str, *, n_mels: int, n_classes: int, **settings: Any) -> GenreNetwork:
    """A new network with random weights.

    Args:
        name: a registered name.
        n_mels: Mel bands of the clips.
        n_classes: number of genres.
        settings: the architecture's own settings, with its defaults where left out.
    """
    return registered(name).network(n_mels=n_mels, n_classes=n_classes, **settings)

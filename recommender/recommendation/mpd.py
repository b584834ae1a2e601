"""Fills the queue of the Music Player Daemon with what sounds like what is playing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender.catalog.records import Track
from recommender.recommendation.mix_request import Rules
from recommender.recommendation.service import SimilarityService


@dataclass(frozen=True)
class MpdSettings:
    """How MPD is reached, and how its queue is filled.

    Attributes:
        host: name or address, or the path of a socket. ``PASSWORD@HOST`` as in ``$MPD_HOST``.
        port: of TCP.
        music_directory: MPD's, as this machine sees it; None to find it out.
        ahead: tracks that are kept behind the one that is playing.
        rules: of the radio that is played; None for the defaults.
        record_as: user whose history gets what is played and skipped; None for nobody's.
    """

    host: str = "localhost"
    port: int = 6600
    music_directory: Path | None = None
    ahead: int = 5
    rules: Rules | None = None
    record_as: str | None = None


class MpdQueue:
    """MPD's queue. Raises `PlayerError`, and `UsageError` where python-mpd2 is not installed."""

    def __init__(self, service: SimilarityService, settings: MpdSettings) -> None:
        """Connect."""
        raise NotImplementedError

    def __enter__(self) -> "MpdQueue":
        """The queue itself."""
        raise NotImplementedError

    def __exit__(self, *error: Any) -> None:
        """Disconnect; the queue stays."""
        raise NotImplementedError

    def fill(self) -> list[Track]:
        """Add what is lacking behind the track that is playing; returns what was added."""
        raise NotImplementedError

    def follow(self, on_added: Callable[[Sequence[Track]], None] | None = None) -> None:
        """Fill the queue whenever something changes, until MPD ends or Ctrl-C."""
        raise NotImplementedError

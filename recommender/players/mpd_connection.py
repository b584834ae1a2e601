"""How the Music Player Daemon is reached, and what goes wrong on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recommender.errors import PlayerError, UsageError
from recommender.playlists.repeats import Repeats
from recommender.recommendation.mix_request import Rules

_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class MpdSettings:
    """How MPD is reached, and how its queue is filled.

    Attributes:
        host: name or address, or the path of a socket; ``PASSWORD@HOST`` as in ``$MPD_HOST``.
        port: of TCP.
        music_directory: MPD's, as this machine sees it; None to ask MPD, which answers on a socket
            only, or else to conclude it from what is playing.
        ahead: tracks that are kept behind the one that is playing.
        rules: of the radio that is played; None for the defaults.
        record_as: user whose history gets what is played and skipped; None for nobody's.
        repeats: what is not to be added besides what is in the queue; looked up whenever tracks are
            added.
    """

    host: str = "localhost"
    port: int = 6600
    music_directory: Path | None = None
    ahead: int = 5
    rules: Rules | None = None
    record_as: str | None = None
    repeats: Repeats = field(default_factory=Repeats)

    def __post_init__(self) -> None:
        """Raise `UsageError` for numbers out of range."""
        if self.ahead < 1:
            raise UsageError(f"at least 1 track is kept ahead, not {self.ahead}.")
        if not 0 < self.port < 2**16:
            raise UsageError(f"a port is from 1 to 65535, not {self.port}.")


class ConnectionLost(PlayerError):
    """MPD has ended, or the network is gone."""


@contextmanager
def said_clearly() -> Iterator[None]:
    """Raise `PlayerError` for what goes wrong between MPD and here."""
    import mpd

    try:
        yield
    except (mpd.ConnectionError, OSError) as error:
        raise ConnectionLost(f"the connection to MPD is lost ({error}).") from error
    except mpd.MPDError as error:
        raise PlayerError(f"MPD refuses: {error}.") from error


def connected(settings: MpdSettings) -> Any:
    """A client of python-mpd2 that is connected. Raises `PlayerError` and `UsageError`."""
    try:
        import mpd
    except ImportError as error:
        raise UsageError(
            "python-mpd2 is not installed: install the package with its extra 'mpd'."
        ) from error
    password, at, host = settings.host.rpartition("@")
    if password.startswith("/") or not password:  # an abstract socket begins with @
        password, host = "", settings.host
    client = mpd.MPDClient()
    client.timeout = _TIMEOUT_S
    place = host if host.startswith(("/", "@")) else f"{host}:{settings.port}"
    try:
        client.connect(host, settings.port)
        if at and password:
            client.password(password)
    except (mpd.ConnectionError, OSError) as error:
        raise PlayerError(
            f"MPD does not answer at {place} ({error}): start it, or say where it is."
        ) from error
    except mpd.MPDError as error:
        raise PlayerError(f"MPD at {place} refuses the password ({error}).") from error
    return client
